"""Turns exceptions into error responses of the API: one table maps each exception to a status and a body.

An invalid field is `{"field": ["reason"]}`; anything else is `{"detail": "reason", "code": "stable_code"}`.
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
DATABASE_UNAVAILABLE = (OperationalError, InterfaceError)  # only if `is_unavailable` agrees: both also mean bad SQL

# The first matching line counts. Without a detail and a code, the exception brings its own.
_TABLE: tuple[tuple[type[Exception] | tuple[type[Exception], ...], int, tuple[str, str] | None], ...] = (
    (errors.NotFound, 404, None),
    (errors.NotAllowed, 403, None),
    (errors.Conflict, 409, None),
    (errors.StaleVersion, 412, None),
    (errors.SalesError, 400, None),
    (Http404, 404, ("Not found.", "not_found")),
    (PermissionDenied, 403, ("You are not allowed to do that.", "not_allowed")),
    (UnreadablePostError, 400, ("The body could not be read.", "unreadable")),
    (DATABASE_UNAVAILABLE, 503, ("The database is unavailable. Try again.", "unavailable")),
)
_CODES = {"permission_denied": "not_allowed"}  # the framework's code: ours


def handle(error: Exception, context: dict[str, Any]) -> Response | JsonResponse | None:
    """The response to an exception in a view, or None for a bug of ours (a 500, logged with its traceback)."""
    response = _build_response(error)
    renderer = getattr(context.get("request"), "accepted_renderer", None)
    if response is None or (renderer is not None and renderer.format in ("json", "api")):
        return response
    headers = {name: value for name, value in response.items() if name in ("WWW-Authenticate", "Retry-After")}
    return JsonResponse(response.data, status=response.status_code, headers=headers)  # the client asked for YAML, say


def _build_response(error: Exception) -> Response | None:
    if isinstance(error, errors.Invalid):
        return _fields_response(error.fields)
    if isinstance(error, ModelValidationError):
        return (
            _fields_response(error.message_dict) if hasattr(error, "error_dict") else _detail_response(error.messages)
        )
    if isinstance(error, exceptions.APIException):
        return _build_framework_response(error)
    for types, status, text in _TABLE:
        if isinstance(error, types) and (types is not DATABASE_UNAVAILABLE or is_unavailable(error)):
            if status == 503:
                logger.error("database_unavailable", error=repr(error))
            detail, code = text or (str(error), getattr(error, "code", "invalid"))
            headers = {"Retry-After": str(RETRY_AFTER_SECONDS)} if status == 503 else {}
            return Response({"detail": _shorten(detail, MAX_REASON), "code": code}, status, headers=headers)
    return None


def _build_framework_response(error: exceptions.APIException) -> Response:
    if isinstance(error.detail, dict):
        return _fields_response(error.detail, error.status_code)
    if isinstance(error.detail, list):
        return _detail_response(error.detail, error.status_code)
    headers = {}
    if auth_header := getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = auth_header
    if (wait := getattr(error, "wait", None)) is not None:
        headers["Retry-After"] = str(math.ceil(wait))
    code = str(error.detail.code)
    body = {"detail": _shorten(error.detail, MAX_REASON), "code": _CODES.get(code, code)}
    return Response(body, error.status_code, headers=headers)


def _fields_response(field_errors: Any, status: int = 400) -> Response:
    """`{"field": ["reason", …]}`. The reason of an error inside a nested value names its place; errors that belong to
    no field become the detail.

    The response stays short however many errors there are: fields, reasons and their lengths are limited.
    """
    field_errors = dict(field_errors)
    general = _first_reasons(field_errors.pop(api_settings.NON_FIELD_ERRORS_KEY, []))
    if general and not field_errors:
        return _detail_response(general, status)
    body = {
        _shorten(name, MAX_NAME): _first_reasons(reasons)
        for name, reasons in islice(field_errors.items(), MAX_REPORTED_ERRORS)
    }
    return Response({**body, **({"detail": general} if general else {})}, status)


def _first_reasons(errors: Any) -> list[str]:
    return [_shorten(reason, MAX_REASON) for reason in islice(_list_reasons(errors), MAX_REASONS)]


def _shorten(text: Any, max_length: int) -> str:
    text = str(text)
    return text if len(text) <= max_length else f"{text[: max_length - 1]}…"


def _list_reasons(errors: Any, path: str = "") -> Iterator[str]:
    if isinstance(errors, dict):
        for key, inner in errors.items():
            inner_path = f"{path}.{key}" if path else str(key)
            yield from _list_reasons(inner, path if key == api_settings.NON_FIELD_ERRORS_KEY else inner_path)
    elif isinstance(errors, list | tuple):
        for error in errors:
            yield from _list_reasons(error, path)
    else:
        yield f"{path}: {errors}" if path else str(errors)


def _detail_response(reasons: Any, status: int = 400) -> Response:
    return Response({"detail": " ".join(_first_reasons(reasons)), "code": "invalid"}, status)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    if not _is_api_request(request):
        return error_page(request, "too_large" if isinstance(exception, RequestDataTooBig) else "bad_request")
    return JsonResponse({"detail": "The request is malformed.", "code": "bad_request"}, status=400)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    if not _is_api_request(request):
        cause = exception.__cause__  # the message of a service is meant for users, Django's is not
        return error_page(request, "forbidden", explanation=str(cause) if isinstance(cause, errors.SalesError) else "")
    return JsonResponse({"detail": "You are not allowed to do that.", "code": "not_allowed"}, status=403)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    if not _is_api_request(request):
        return error_page(request, "not_found")
    return JsonResponse({"detail": "There is nothing at this address.", "code": "not_found"}, status=404)


def server_error(request: HttpRequest) -> HttpResponse:
    """The response to a bug of ours (500), or to a database that is unavailable before any view runs (503)."""
    is_database_down = is_unavailable(sys.exc_info()[1])
    if _is_api_request(request):
        detail = "The database is unavailable. Try again." if is_database_down else "Something went wrong on our side."
        body = {"detail": detail, "code": "unavailable" if is_database_down else "server_error"}
        response: HttpResponse = JsonResponse(body, status=503 if is_database_down else 500)
    else:
        response = error_page(request, "unavailable" if is_database_down else "server_error")
    if is_database_down:
        response["Retry-After"] = str(RETRY_AFTER_SECONDS)
    return response


def _is_api_request(request: HttpRequest) -> bool:
    return request.path_info.startswith("/api/")
