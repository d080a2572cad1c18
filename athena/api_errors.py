"""Every error of the API, in one table: what was raised, and the status and body that the client gets.

A wrong field is `{"field": ["why"]}`, anything else `{"detail": "why", "code": "stable_code"}`.
"""

from typing import Any

import structlog
from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import set_rollback

from sales import errors

logger = structlog.get_logger(__name__)

RETRY_AFTER_SECONDS = 5
_STATUS: tuple[tuple[type[errors.SalesError], int], ...] = (
    (errors.NotFound, 404),
    (errors.NotAllowed, 403),
    (errors.Conflict, 409),
)


def handle(error: Exception, context: dict[str, Any]) -> Response | None:
    """The answer to an exception, or None for a fault of our own (a 500, logged with its trace)."""
    set_rollback()
    if isinstance(error, errors.Invalid):
        return Response({name: [why] for name, why in error.fields.items()}, status=400)
    for kind, status in _STATUS:
        if isinstance(error, kind):
            return _answer(str(error), error.code, status)
    if isinstance(error, Http404):
        return _answer("Not found.", "not_found", 404)
    if isinstance(error, PermissionDenied):
        return _answer("You are not allowed to do that.", "not_allowed", 403)
    if isinstance(error, RequestDataTooBig):
        return _answer("The body is larger than 1 MB.", "too_large", 413)
    if isinstance(error, OperationalError | InterfaceError):
        logger.error("database_away", error=repr(error))
        return _answer(
            "The database is away. Try again.", "unavailable", 503, headers={"Retry-After": str(RETRY_AFTER_SECONDS)}
        )
    if isinstance(error, exceptions.APIException):
        return _of_framework(error)
    return None


def _of_framework(error: exceptions.APIException) -> Response:
    headers = {}
    if getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = error.auth_header
    if getattr(error, "wait", None):
        headers["Retry-After"] = str(int(error.wait))
    if isinstance(error.detail, dict):
        body = {name: why if isinstance(why, list | dict) else [why] for name, why in error.detail.items()}
        if "non_field_errors" in body:
            body = {"detail": " ".join(map(str, body["non_field_errors"])), "code": "invalid"}
        return Response(body, status=error.status_code, headers=headers)
    if isinstance(error.detail, list):
        return _answer(" ".join(map(str, error.detail)), "invalid", error.status_code, headers)
    return _answer(str(error.detail), str(error.detail.code), error.status_code, headers)


def _answer(detail: str, code: str, status: int, headers: dict[str, str] | None = None) -> Response:
    return Response({"detail": detail, "code": code}, status=status, headers=headers)


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """No such address, for programs (`handler404` for the rest of the site is Django's)."""
    return JsonResponse({"detail": "Not found.", "code": "not_found"}, status=404)
