"""Logs and counts each request and each task."""

import re
import time
from collections.abc import Callable
from functools import cache
from typing import Any
from uuid import uuid4

import structlog
from celery import Task
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse
from django.utils.functional import SimpleLazyObject
from prometheus_client import Counter, Histogram

logger = structlog.get_logger("athena")

REQUESTS = Counter("athena_requests", "Number of requests.", ["method", "route", "status"])
SECONDS = Histogram(
    "athena_request_seconds", "Duration of requests.", ["method", "route"],
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)  # fmt: skip
_METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
_PART = re.compile(r"\(\?P<(\w+)>[^)]+\)|<(?:\w+:)?(\w+)>")
_NO_ANCHORS = str.maketrans("", "", "^$")
_UNLOGGED_PATHS = {"/healthz", "/readyz", "/metrics"}  # requested every few seconds by monitoring


def log_requests(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Give each request an id (a valid X-Request-ID of the gateway, or a new one), log it and count it."""

    def handle(request: HttpRequest) -> HttpResponse:
        header = request.headers.get("X-Request-ID", "")
        request_id = header if re.fullmatch(r"[A-Za-z0-9._-]{8,64}", header) else uuid4().hex
        start = time.perf_counter()
        with structlog.contextvars.bound_contextvars(request_id=request_id):
            response = get_response(request)
            seconds = time.perf_counter() - start
            route = _format_route(request.resolver_match.route) if request.resolver_match else "none"
            method = request.method if request.method in _METHODS else "other"
            REQUESTS.labels(method, route, response.status_code).inc()
            SECONDS.labels(method, route).observe(seconds)
            if request.path not in _UNLOGGED_PATHS:
                logger.info(
                    "request", method=method, path=request.path, status=response.status_code,
                    ms=round(seconds * 1000, 1), user=_find_loaded_user(request),
                )  # fmt: skip
        response["X-Request-ID"] = request_id
        return response

    return handle


@cache
def _format_route(route: str) -> str:
    """A pattern of Django's resolver as `/api/v1/sales/leads/{pk}`."""
    named = _PART.sub(r"{\1\2}", route.replace("\\Z", ""))
    return "/" + named.translate(_NO_ANCHORS)


def _find_loaded_user(request: HttpRequest) -> int | None:
    """The id of the user if it is loaded already: logging should not cost a query."""
    user: Any = vars(request).get("_cached_user") or vars(request).get("user")
    return None if isinstance(user, SimpleLazyObject) else getattr(user, "pk", None)


class LoggedTask(Task):  # type: ignore[type-arg]
    """A task whose log lines carry the id of the request that published it, or else its own id."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if self.request.called_directly:
            return super().__call__(*args, **kwargs)
        request_id = (self.request.headers or {}).get("request_id")
        start, outcome = time.perf_counter(), "failed"
        with structlog.contextvars.bound_contextvars(task=self.name, request_id=request_id or self.request.id):
            try:
                result = super().__call__(*args, **kwargs)
                outcome = "done"
                return result
            finally:
                _count(self.name, outcome, time.perf_counter() - start)


def _count(task: str, outcome: str, seconds: float) -> None:
    from athena.models import TaskTotal  # models are not ready when the Celery application is created

    try:
        TaskTotal.add(task, outcome, seconds)
    except DatabaseError as error:
        logger.warning("task_not_counted", error=repr(error))
