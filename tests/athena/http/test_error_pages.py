"""Error pages link to the admin, need no database, and return what was typed, but never to another site."""

import re

import pytest
from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.db import OperationalError
from django.http import Http404, HttpResponseNotAllowed
from django.test import Client
from django.urls import path

from athena.urls import handler400, handler403, handler404, handler500, urlpatterns  # noqa: F401
from sales import errors
from tests.athena.http.test_csp import BlockedContent

ERROR: list[Exception] = []


def fail(request):
    raise ERROR[0]


def allow_only_post(request):
    return HttpResponseNotAllowed(["POST"])


urlpatterns = [path("admin/fail/", fail), path("admin/nothing/", allow_only_post), path("fail/", fail), *urlpatterns]
pytestmark = pytest.mark.urls(__name__)

RAISED = {
    "bad_request": (SuspiciousOperation("secret"), 400),
    "forbidden": (PermissionDenied("secret"), 403),
    "not_found": (Http404("secret"), 404),
    "too_large": (RequestDataTooBig("secret"), 413),
    "server_error": (ZeroDivisionError("secret"), 500),
    "unavailable": (OperationalError("secret"), 503),
}
RETRYABLE = {"server_error", "unavailable"}
FORM_DATA = {
    "notes": "Two coaches\n<b>now</b>", "cadencestep_set-0-notes": "Call", "_draft": "0123456789", "seen": "{}",
    "csrfmiddlewaretoken": "stale", "owner": "7",
}  # fmt: skip
OWN_SITE_HEADERS = {"Origin": "http://testserver", "Referer": "http://testserver/admin/sales/lead/"}


@pytest.fixture
def client():
    return Client(raise_request_exception=False)


@pytest.fixture(params=RAISED)
def raised_error(request, monkeypatch):
    error, status = RAISED[request.param]
    monkeypatch.setattr(f"{__name__}.ERROR", [error])
    return request.param, status


def read_page(response, status):
    """The text of an error page. Checks its status, that it obeys the CSP and that it shows the id of the request."""
    page, blocked = response.content.decode(), BlockedContent()
    blocked.feed(page)
    assert response.status_code == status
    assert response["Content-Type"] == "text/html; charset=utf-8"
    assert blocked.blocked == []
    assert f"{status} · {response['X-Request-ID']}" in page
    assert "secret" not in page
    assert "error_pages.css" in page
    return page


def read_form_fields(page):
    """The hidden fields that the form of the page sends again."""
    return dict(re.findall(r'<textarea name="([^"]+)" hidden>\n(.*?)</textarea>', page, re.DOTALL))


def test_each_error_of_the_admin_has_a_page_with_links_that_needs_no_database(client, raised_error):
    """Without the mark `django_db`, any query fails."""
    name, status = raised_error
    page = read_page(client.get("/admin/fail/", headers=OWN_SITE_HEADERS), status)
    assert f'<meta name="athena-error" content="{name}">' in page
    assert 'href="/admin/"' in page
    assert 'href="/admin/sales/lead/"' in page
    assert ("Try again</a>" in page) == (name in RETRYABLE)
    assert "<form" not in page


def test_what_was_typed_is_shown(client, raised_error):
    name, status = raised_error
    page = read_page(client.post("/admin/fail/?x=1", FORM_DATA, headers=OWN_SITE_HEADERS), status)
    if name == "too_large":  # Django reads no more of it
        assert "Go back: what you typed is still there." in page
        return
    assert "<dd>Two coaches\n&lt;b&gt;now&lt;/b&gt;</dd>" in page
    assert page.count("<dd>") == 3  # notes, the step's notes, the owner
    assert set(read_form_fields(page)) == set(FORM_DATA) - {"csrfmiddlewaretoken"}
    assert ("Send again" in page) == (name in RETRYABLE)
    assert ('action="/admin/fail/?x=1"' in page) == ("<form" in page)


def test_the_date_and_the_time_of_a_datetime_have_labels(client, raised_error):
    data = {"pickup_at_0": "2027-01-15", "pickup_at_1": "07:15", "notes": "Two coaches"}
    page = read_page(client.post("/admin/fail/", data, headers=OWN_SITE_HEADERS), raised_error[1])
    labels = re.findall("<dt>(.*?)</dt>", page)
    assert labels == ([] if raised_error[0] == "too_large" else ["Pickup at date", "Pickup at time", "Notes"])


@pytest.mark.parametrize(
    "headers", [{}, {"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site", **OWN_SITE_HEADERS}]
)
def test_data_from_another_site_is_neither_shown_nor_sent_again(client, raised_error, headers):
    page = read_page(client.post("/admin/fail/", FORM_DATA, headers=headers), raised_error[1])
    assert "coaches" not in page
    assert "<form" not in page


def test_a_password_is_never_shown(client, raised_error):
    page = read_page(
        client.post("/admin/fail/", {**FORM_DATA, "new_password1": "hunter2"}, headers=OWN_SITE_HEADERS),
        raised_error[1],
    )
    assert "hunter2" not in page
    assert "<form" not in page


def test_the_page_needs_no_collected_static_files(client, raised_error, settings):
    settings.STORAGES = settings.STORAGES | {
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.ManifestStaticFilesStorage"}
    }
    page = read_page(client.get("/admin/fail/"), raised_error[1])
    assert "error_pages.css" in page


def test_outside_the_admin_the_page_does_not_link_to_it(client, raised_error):
    page = read_page(client.get("/fail/"), raised_error[1])
    assert "/admin/" not in page


def test_the_message_of_a_service_is_shown(client, monkeypatch):
    error = PermissionDenied("secret")
    error.__cause__ = errors.NotYourLead()
    monkeypatch.setattr(f"{__name__}.ERROR", [error])
    assert "Only the lead&#x27;s owner or a manager may change this lead." in read_page(client.get("/admin/fail/"), 403)


def test_a_wrong_method_has_a_page(client):
    response = client.get("/admin/nothing/")
    assert "There is nothing to see here" in read_page(response, 405)
    assert response["Allow"] == "POST"


@pytest.fixture
def csrf_client(client, rep):
    csrf_client = Client(enforce_csrf_checks=True)
    csrf_client.force_login(rep)
    return csrf_client


def find_csrf_token(page):
    return re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page)[1]


def test_a_form_with_an_old_token_can_be_sent_again(csrf_client, make_lead, rep):
    values = {"company_name": "Choir", "notes": "Two coaches", "status": "new", "csrfmiddlewaretoken": "x" * 64}
    page = read_page(csrf_client.post("/admin/sales/lead/add/", values, headers=OWN_SITE_HEADERS), 403)
    assert "Nothing was saved yet" in page
    second_response = csrf_client.post(
        "/admin/sales/lead/add/",
        read_form_fields(page) | {"csrfmiddlewaretoken": find_csrf_token(page)},
        headers=OWN_SITE_HEADERS,
    )
    assert second_response.status_code in (200, 302)
    assert rep.pk  # who is asked is the one who is logged in: no second token failure


def test_after_the_login_has_ended_a_form_is_shown_and_other_requests_go_to_the_login(db):
    client = Client()
    page = read_page(client.post("/admin/sales/lead/add/", FORM_DATA, headers=OWN_SITE_HEADERS), 401)
    assert "Two coaches" in page
    assert "Send again" in page
    for response in (
        client.post("/admin/sales/lead/add/", FORM_DATA),
        client.get("/admin/sales/lead/add/", headers=OWN_SITE_HEADERS),
    ):
        assert response.status_code == 302
        assert response["Location"] == "/admin/login/?next=/admin/sales/lead/add/"
