"""Every error of the API is JSON in one of two shapes, with the status code of its kind."""

import logging
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.core.exceptions import ValidationError as ModelValidationError
from django.db import InterfaceError, OperationalError
from django.http import Http404
from django.urls import path
from rest_framework import exceptions
from rest_framework.permissions import AllowAny
from rest_framework.test import APIClient
from rest_framework.views import APIView

from athena.urls import handler400, handler403, handler404, handler500, urlpatterns  # noqa: F401
from sales import errors


class Raise(APIView):
    """A view that raises the error that the test has set."""

    permission_classes = [AllowAny]
    authentication_classes = []
    error: Exception

    def get(self, request):
        raise self.error


def raise_outside(request):
    raise Raise.error


urlpatterns = [
    *urlpatterns,
    path("api/v1/raise", Raise.as_view()),
    path("api/v1/raise-outside", raise_outside),
    path("raise-outside", raise_outside),
]
pytestmark = pytest.mark.urls(__name__)


@pytest.fixture
def client():
    return APIClient(raise_request_exception=False)


def error_body(message, code):
    return {"detail": message, "code": code}


CASES: list[Any] = [
    (errors.Invalid({"name": "Too long.", "age": "Negative."}), 400, {"name": ["Too long."], "age": ["Negative."]}),
    (errors.NotFound(), 404, error_body("Not found.", "not_found")),
    (errors.NotFound("There is no such user."), 404, error_body("There is no such user.", "not_found")),
    (errors.NotYourLead(), 403,
     error_body("Only the lead's owner or a manager may change this lead.", "not_your_lead")),
    (errors.LeadClosed(), 409, error_body("The lead is closed. Reopen it first.", "lead_closed")),
    (errors.SalesError(), 400, error_body("That cannot be done.", "invalid")),
    (Http404("secret"), 404, error_body("Not found.", "not_found")),
    (PermissionDenied("secret"), 403, error_body("You are not allowed to do that.", "not_allowed")),
    (exceptions.PermissionDenied("No."), 403, error_body("No.", "not_allowed")),
    (exceptions.ParseError("Broken."), 400, error_body("Broken.", "parse_error")),
    (exceptions.Throttled(4.2, "Slowly."), 429, error_body("Slowly. Expected available in 5 seconds.", "throttled")),
    (exceptions.ValidationError("No."), 400, error_body("No.", "invalid")),
    (exceptions.ValidationError(["No.", "Never."]), 400, error_body("No. Never.", "invalid")),
    (exceptions.ValidationError({"non_field_errors": ["Either or."]}), 400, error_body("Either or.", "invalid")),
    (exceptions.ValidationError({"ids": {"1": ["Bad."], "2": {"name": ["Worse."]}}, "x": "No."}), 400,
     {"ids": ["1: Bad.", "2.name: Worse."], "x": ["No."]}),
    (exceptions.ValidationError({"rule": {"non_field_errors": ["Bad."]}, "non_field_errors": ["Also."]}), 400,
     {"rule": ["Bad."], "detail": ["Also."]}),
    (ModelValidationError({"name": "Taken."}), 400, {"name": ["Taken."]}),
    (ModelValidationError(["Bad.", "Worse."]), 400, error_body("Bad. Worse.", "invalid")),
    (OperationalError("gone"), 503, error_body("The database is unavailable. Try again.", "unavailable")),
    (InterfaceError("gone"), 503, error_body("The database is unavailable. Try again.", "unavailable")),
    (ZeroDivisionError("secret"), 500, error_body("Something went wrong on our side.", "server_error")),
]  # fmt: skip


@pytest.mark.parametrize(("error", "status", "body"), CASES, ids=lambda value: str(value)[:40])
def test_an_error_becomes_a_response(client, caplog, error, status, body):
    caplog.set_level(logging.CRITICAL)
    Raise.error = error
    response = client.get("/api/v1/raise")
    assert response.status_code == status
    assert response["Content-Type"] == "application/json"
    assert response.json() == body


def test_a_header_says_when_to_try_again(client):
    Raise.error = exceptions.Throttled(4.2)
    assert client.get("/api/v1/raise")["Retry-After"] == "5"
    Raise.error = OperationalError()
    assert client.get("/api/v1/raise")["Retry-After"] == "5"


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (Http404(), 404, "not_found"),
        (PermissionDenied(), 403, "not_allowed"),
        (ValueError(), 500, "server_error"),
        (OperationalError(), 503, "unavailable"),
    ],
)
def test_an_error_outside_an_api_view_is_json_too(client, error, status, code):
    Raise.error = error
    response = client.get("/api/v1/raise-outside")
    assert response.status_code == status
    assert response.json()["code"] == code
    assert len(response.json()) == 2


def test_an_unknown_host_is_400(client):
    response = client.get("/api/v1/users", headers={"host": "evil.example"})
    assert response.status_code == 400
    assert response.json()["code"] == "bad_request"


@pytest.mark.parametrize(("error", "status"), [(Http404(), 404), (PermissionDenied(), 403), (ValueError(), 500)])
def test_outside_the_api_an_error_is_a_page(client, error, status):
    Raise.error = error
    response = client.get("/raise-outside")
    assert response.status_code == status
    assert response["Content-Type"].split(";")[0] == "text/html"


def test_an_unreachable_database_is_503_on_pages_too(client):
    Raise.error = OperationalError()
    response = client.get("/raise-outside")
    assert response.status_code == 503
    assert response["Retry-After"] == "5"
