"""Every error of the API, in one table: what was raised, and the status and body that the client gets.

A wrong field is `{"field": ["why"]}`, anything else `{"detail": "why", "code": "stable_code"}`.
"""

import math
import sys
from collections.abc import Iterator
from itertools import islice
from typing import Any

import structlog
from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.core.exceptions import ValidationError as ModelValidationError
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse, UnreadablePostError
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.settings import api_settings

from athena.api.fields import MAX_REPORTED_ERRORS
from athena.db.availability import is_unavailable
from athena.http.error_pages import error_page
from sales import errors

logger = structlog.get_logger(__name__)

RETRY_AFTER_SECONDS = 5
MAX_REASONS = 5  # of one field
MAX_NAME, MAX_REASON = 64, 500  # characters
DATABASE_AWAY = (OperationalError, InterfaceError)  # where `is_away` agrees: both are also said of bad statements

# The first line that fits counts. A status alone: the error brings its own sentence and code.
_TABLE: tuple[tuple[type[Exception] | tuple[type[Exception], ...], int, tuple[str, str] | None], ...] = (
    (errors.NotFound, 404, None),
    (errors.NotAllowed, 403, None),
    (errors.Conflict, 409, None),
    (errors.StaleVersion, 412, None),
    (errors.SalesError, 400, None),
    (Http404, 404, ("Not found.", "not_found")),
    (PermissionDenied, 403, ("You are not allowed to do that.", "not_allowed")),
    (UnreadablePostError, 400, ("The body could not be read.", "unreadable")),
    (DATABASE_AWAY, 503, ("The database is away. Try again.", "unavailable")),
)
_CODES = {"permission_denied": "not_allowed"}  # the framework's name for what has one of ours


def handle(error: Exception, context: dict[str, Any]) -> Response | JsonResponse | None:
    """The answer to an exception in a view, or None for a fault of our own (a 500, logged with its trace)."""
    answer = _answer(error)
    renderer = getattr(context.get("request"), "accepted_renderer", None)
    if answer is None or (renderer is not None and renderer.format in ("json", "api")):
        return answer
    headers = {name: value for name, value in answer.items() if name in ("WWW-Authenticate", "Retry-After")}
    return JsonResponse(answer.data, status=answer.status_code, headers=headers)  # to a call for YAML, say


def _answer(error: Exception) -> Response | None:
    if isinstance(error, errors.Invalid):
        return _fields(error.fields)
    if isinstance(error, ModelValidationError):
        return _fields(error.message_dict) if hasattr(error, "error_dict") else _detail(error.messages)
    if isinstance(error, exceptions.APIException):
        return _of_framework(error)
    for kinds, status, words in _TABLE:
        if isinstance(error, kinds) and (kinds is not DATABASE_AWAY or is_unavailable(error)):
            if status == 503:
                logger.error("database_away", error=repr(error))
            detail, code = words or (str(error), getattr(error, "code", "invalid"))
            headers = {"Retry-After": str(RETRY_AFTER_SECONDS)} if status == 503 else {}
            return Response({"detail": _short(detail, MAX_REASON), "code": code}, status, headers=headers)
    return None


def _of_framework(error: exceptions.APIException) -> Response:
    if isinstance(error.detail, dict):
        return _fields(error.detail, error.status_code)
    if isinstance(error.detail, list):
        return _detail(error.detail, error.status_code)
    headers = {}
    if auth_header := getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = auth_header
    if (wait := getattr(error, "wait", None)) is not None:
        headers["Retry-After"] = str(math.ceil(wait))
    code = str(error.detail.code)
    body = {"detail": _short(error.detail, MAX_REASON), "code": _CODES.get(code, code)}
    return Response(body, error.status_code, headers=headers)


def _fields(wrong: Any, status: int = 400) -> Response:
    """`{"field": ["why", …]}`: what is wrong deeper inside a field says where; what concerns no field is a detail.

    However much is wrong, the answer is short: so many fields, reasons and characters of each.
    """
    wrong = dict(wrong)
    general = _first_reasons(wrong.pop(api_settings.NON_FIELD_ERRORS_KEY, []))
    if general and not wrong:
        return _detail(general, status)
    body = {_short(name, MAX_NAME): _first_reasons(why) for name, why in islice(wrong.items(), MAX_REPORTED_ERRORS)}
    return Response({**body, **({"detail": general} if general else {})}, status)


def _first_reasons(why: Any) -> list[str]:
    return [_short(reason, MAX_REASON) for reason in islice(_reasons(why), MAX_REASONS)]


def _short(text: Any, most: int) -> str:
    text = str(text)
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _reasons(why: Any, where: str = "") -> Iterator[str]:
    if isinstance(why, dict):
        for place, inner in why.items():
            deeper = f"{where}.{place}" if where else str(place)
            yield from _reasons(inner, where if place == api_settings.NON_FIELD_ERRORS_KEY else deeper)
    elif isinstance(why, list | tuple):
        for each in why:
            yield from _reasons(each, where)
    else:
        yield f"{where}: {why}" if where else str(why)


def _detail(reasons: Any, status: int = 400) -> Response:
    return Response({"detail": " ".join(_first_reasons(reasons)), "code": "invalid"}, status)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    if not _for_programs(request):
        return error_page(request, "too_large" if isinstance(exception, RequestDataTooBig) else "bad_request")
    return JsonResponse({"detail": "The request makes no sense.", "code": "bad_request"}, status=400)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    if not _for_programs(request):
        cause = exception.__cause__  # a service's words are meant for people, Django's are not
        return error_page(request, "forbidden", explanation=str(cause) if isinstance(cause, errors.SalesError) else "")
    return JsonResponse({"detail": "You are not allowed to do that.", "code": "not_allowed"}, status=403)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    if not _for_programs(request):
        return error_page(request, "not_found")
    return JsonResponse({"detail": "There is no such address.", "code": "not_found"}, status=404)


def server_error(request: HttpRequest) -> HttpResponse:
    """A fault of ours, or (503) a database that is away before any view could say so."""
    away = is_unavailable(sys.exc_info()[1])
    if _for_programs(request):
        detail = "The database is away. Try again." if away else "Something went wrong on our side."
        body = {"detail": detail, "code": "unavailable" if away else "server_error"}
        response: HttpResponse = JsonResponse(body, status=503 if away else 500)
    else:
        response = error_page(request, "unavailable" if away else "server_error")
    if away:
        response["Retry-After"] = str(RETRY_AFTER_SECONDS)
    return response


def _for_programs(request: HttpRequest) -> bool:
    return request.path_info.startswith("/api/")
