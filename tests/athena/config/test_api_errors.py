"""Every error is JSON of one of two shapes, with the status of its kind."""

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
    """Raises what the test says."""

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


def detail(why, code):
    return {"detail": why, "code": code}


CASES: list[Any] = [
    (errors.Invalid({"name": "Too long.", "age": "Negative."}), 400, {"name": ["Too long."], "age": ["Negative."]}),
    (errors.NotFound(), 404, detail("Not found.", "not_found")),
    (errors.NotFound("There is no such user."), 404, detail("There is no such user.", "not_found")),
    (errors.NotYourLead(), 403, detail("Only the lead's owner or a manager may change this lead.", "not_your_lead")),
    (errors.LeadClosed(), 409, detail("The lead is closed. Reopen it first.", "lead_closed")),
    (errors.SalesError(), 400, detail("That cannot be done.", "invalid")),
    (Http404("secret"), 404, detail("Not found.", "not_found")),
    (PermissionDenied("secret"), 403, detail("You are not allowed to do that.", "not_allowed")),
    (exceptions.PermissionDenied("No."), 403, detail("No.", "not_allowed")),
    (exceptions.ParseError("Broken."), 400, detail("Broken.", "parse_error")),
    (exceptions.Throttled(4.2, "Slowly."), 429, detail("Slowly. Expected available in 5 seconds.", "throttled")),
    (exceptions.ValidationError("No."), 400, detail("No.", "invalid")),
    (exceptions.ValidationError(["No.", "Never."]), 400, detail("No. Never.", "invalid")),
    (exceptions.ValidationError({"non_field_errors": ["Either or."]}), 400, detail("Either or.", "invalid")),
    (exceptions.ValidationError({"ids": {"1": ["Bad."], "2": {"name": ["Worse."]}}, "x": "No."}), 400,
     {"ids": ["1: Bad.", "2.name: Worse."], "x": ["No."]}),
    (exceptions.ValidationError({"rule": {"non_field_errors": ["Bad."]}, "non_field_errors": ["Also."]}), 400,
     {"rule": ["Bad."], "detail": ["Also."]}),
    (ModelValidationError({"name": "Taken."}), 400, {"name": ["Taken."]}),
    (ModelValidationError(["Bad.", "Worse."]), 400, detail("Bad. Worse.", "invalid")),
    (OperationalError("gone"), 503, detail("The database is unavailable. Try again.", "unavailable")),
    (InterfaceError("gone"), 503, detail("The database is unavailable. Try again.", "unavailable")),
    (ZeroDivisionError("secret"), 500, detail("Something went wrong on our side.", "server_error")),
]  # fmt: skip


@pytest.mark.parametrize(("error", "status", "body"), CASES, ids=lambda value: str(value)[:40])
def test_what_was_raised_and_what_the_client_gets(client, caplog, error, status, body):
    caplog.set_level(logging.CRITICAL)
    Raise.error = error
    response = client.get("/api/v1/raise")
    assert response.status_code == status
    assert response["Content-Type"] == "application/json"
    assert response.json() == body


def test_headers_say_when_to_come_back(client):
    Raise.error = exceptions.Throttled(4.2)
    assert client.get("/api/v1/raise")["Retry-After"] == "5"
    Raise.error = OperationalError()
    assert client.get("/api/v1/raise")["Retry-After"] == "5"


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [(Http404(), 404, "not_found"), (PermissionDenied(), 403, "not_allowed"), (ValueError(), 500, "server_error"),
     (OperationalError(), 503, "unavailable")],
)  # fmt: skip
def test_what_is_raised_outside_of_a_view_of_the_api_is_json_too(client, error, status, code):
    Raise.error = error
    response = client.get("/api/v1/raise-outside")
    assert response.status_code == status
    assert response.json()["code"] == code
    assert len(response.json()) == 2


def test_a_strange_host_is_a_400(client):
    response = client.get("/api/v1/users", headers={"host": "evil.example"})
    assert response.status_code == 400
    assert response.json()["code"] == "bad_request"


@pytest.mark.parametrize(("error", "status"), [(Http404(), 404), (PermissionDenied(), 403), (ValueError(), 500)])
def test_people_get_pages(client, error, status):
    Raise.error = error
    response = client.get("/raise-outside")
    assert response.status_code == status
    assert response["Content-Type"].split(";")[0] == "text/html"


def test_a_database_that_is_away_is_503_for_people_too(client):
    Raise.error = OperationalError()
    response = client.get("/raise-outside")
    assert response.status_code == 503
    assert response["Retry-After"] == "5"
