"""The pages of errors: each has a way on, needs nothing, and gives back what was typed, but not to another site."""

import re

import pytest
from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.db import OperationalError
from django.http import Http404, HttpResponseNotAllowed
from django.test import Client
from django.urls import path

from athena.urls import handler400, handler403, handler404, handler500, urlpatterns  # noqa: F401
from sales import errors
from tests.athena.http.test_csp import Inline

ERROR: list[Exception] = []


def fail(request):
    raise ERROR[0]


def nothing_to_see(request):
    return HttpResponseNotAllowed(["POST"])


urlpatterns = [path("admin/fail/", fail), path("admin/nothing/", nothing_to_see), path("fail/", fail), *urlpatterns]
pytestmark = pytest.mark.urls(__name__)

RAISED = {
    "bad_request": (SuspiciousOperation("secret"), 400),
    "forbidden": (PermissionDenied("secret"), 403),
    "not_found": (Http404("secret"), 404),
    "too_large": (RequestDataTooBig("secret"), 413),
    "server_error": (ZeroDivisionError("secret"), 500),
    "unavailable": (OperationalError("secret"), 503),
}
AGAIN = {"server_error", "unavailable"}
TYPED = {
    "notes": "Two coaches\n<b>now</b>", "cadencestep_set-0-notes": "Call", "_draft": "0123456789", "seen": "{}",
    "csrfmiddlewaretoken": "stale", "owner": "7",
}  # fmt: skip
OURS = {"Origin": "http://testserver", "Referer": "http://testserver/admin/sales/lead/"}


@pytest.fixture
def client():
    return Client(raise_request_exception=False)


@pytest.fixture(params=RAISED)
def raised(request, monkeypatch):
    error, status = RAISED[request.param]
    monkeypatch.setattr(f"{__name__}.ERROR", [error])
    return request.param, status


def read(response, status):
    """A page of ours that the policy allows, with the number that is in the log."""
    page, found = response.content.decode(), Inline()
    found.feed(page)
    assert response.status_code == status
    assert response["Content-Type"] == "text/html; charset=utf-8"
    assert found.found == []
    assert f"{status} · {response['X-Request-ID']}" in page
    assert "secret" not in page
    assert "error_pages.css" in page
    return page


def fields(page):
    """What the page's form sends."""
    return dict(re.findall(r'<textarea name="([^"]+)" hidden>\n(.*?)</textarea>', page, re.DOTALL))


def test_each_error_of_the_admin_has_a_page_with_a_way_on_without_a_database(client, raised):
    """(Without the mark `django_db` any query fails.)"""
    name, status = raised
    page = read(client.get("/admin/fail/", headers=OURS), status)
    assert f'<meta name="athena-error" content="{name}">' in page
    assert 'href="/admin/"' in page
    assert 'href="/admin/sales/lead/"' in page
    assert ("Try again</a>" in page) == (name in AGAIN)
    assert "<form" not in page


def test_what_was_typed_comes_back(client, raised):
    name, status = raised
    page = read(client.post("/admin/fail/?x=1", TYPED, headers=OURS), status)
    if name == "too_large":  # Django reads no more of it
        assert "Go back: what you typed is still there." in page
        return
    assert "<dd>Two coaches\n&lt;b&gt;now&lt;/b&gt;</dd>" in page
    assert page.count("<dd>") == 3  # notes, the step's notes, the owner
    assert set(fields(page)) == set(TYPED) - {"csrfmiddlewaretoken"}
    assert ("Send again" in page) == (name in AGAIN)
    assert ('action="/admin/fail/?x=1"' in page) == ("<form" in page)


def test_the_halves_of_a_point_in_time_have_names(client, raised):
    typed = {"pickup_at_0": "2027-01-15", "pickup_at_1": "07:15", "notes": "Two coaches"}
    page = read(client.post("/admin/fail/", typed, headers=OURS), raised[1])
    labels = re.findall("<dt>(.*?)</dt>", page)
    assert labels == ([] if raised[0] == "too_large" else ["Pickup at date", "Pickup at time", "Notes"])


@pytest.mark.parametrize("headers", [{}, {"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site", **OURS}])
def test_another_sites_form_is_neither_shown_nor_sent_again(client, raised, headers):
    page = read(client.post("/admin/fail/", TYPED, headers=headers), raised[1])
    assert "coaches" not in page
    assert "<form" not in page


def test_a_password_is_never_shown(client, raised):
    page = read(client.post("/admin/fail/", {**TYPED, "new_password1": "hunter2"}, headers=OURS), raised[1])
    assert "hunter2" not in page
    assert "<form" not in page


def test_without_collected_files_the_page_is_still_there(client, raised, settings):
    settings.STORAGES = settings.STORAGES | {
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.ManifestStaticFilesStorage"}
    }
    read(client.get("/admin/fail/"), raised[1])


def test_outside_the_admin_the_page_does_not_lead_there(client, raised):
    page = read(client.get("/fail/"), raised[1])
    assert "/admin/" not in page


def test_what_a_service_said_is_the_advice(client, monkeypatch):
    error = PermissionDenied("secret")
    error.__cause__ = errors.NotYourLead()
    monkeypatch.setattr(f"{__name__}.ERROR", [error])
    assert "Only the lead&#x27;s owner or a manager may change this lead." in read(client.get("/admin/fail/"), 403)


def test_a_wrong_method_has_a_page(client):
    response = client.get("/admin/nothing/")
    assert "There is nothing to see here" in read(response, 405)
    assert response["Allow"] == "POST"


@pytest.fixture
def strict(client, rep):
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(rep)
    return strict


def token_of(page):
    return re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page)[1]


def test_a_form_with_an_old_token_can_be_sent_again(strict, make_lead, rep):
    values = {"company_name": "Choir", "notes": "Two coaches", "status": "new", "csrfmiddlewaretoken": "x" * 64}
    page = read(strict.post("/admin/sales/lead/add/", values, headers=OURS), 403)
    assert "Nothing was saved yet" in page
    again = strict.post("/admin/sales/lead/add/", fields(page) | {"csrfmiddlewaretoken": token_of(page)}, headers=OURS)
    assert again.status_code in (200, 302)
    assert rep.pk  # who is asked is the one who is logged in: no second token failure


def test_a_form_whose_login_has_ended_comes_back_and_other_requests_go_to_the_login(db):
    client = Client()
    page = read(client.post("/admin/sales/lead/add/", TYPED, headers=OURS), 401)
    assert "Two coaches" in page
    assert "Send again" in page
    for response in (client.post("/admin/sales/lead/add/", TYPED), client.get("/admin/sales/lead/add/", headers=OURS)):
        assert response.status_code == 302
        assert response["Location"] == "/admin/login/?next=/admin/sales/lead/add/"
