"""Inquiries from web sites are neither lost nor doubled, and only allowed sites can send them."""

from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

import pytest
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from athena.api.throttle_rates import Rate
from notifications.models import Notification
from sales import errors
from sales.models import Activity, Inquiry, IntakeForm, Lead, LeadSource
from sales.services.leads import intake, intake_forms, leads

URL, SITE = "/api/v1/intake/leads", "https://www.coaches.example"
TRIP = {
    "contact_name": "Dana Ruiz",
    "company_name": "Lincoln Band",
    "email": "Dana@lincoln.example",
    "phone": "(617) 555-0123",
    "pickup_at": "2027-05-07T08:30",
    "return_at": "2027-05-07T22:00:00-04:00",
    "pickup_location": "Boston",
    "dropoff_location": "New York",
    "notes": "With instruments\nand two stops",
    "utm_source": "google",
    "utm_campaign": "spring",
}
NUMBERS = {"estimated_passengers": 48}


@pytest.fixture(autouse=True)
def _unthrottled(settings):
    settings.THROTTLES = dict.fromkeys(settings.THROTTLES)


@pytest.fixture
def form(manager):
    source = LeadSource.objects.create(name="Web", channel="web_form")
    intake_form = IntakeForm(name="Web site", allowed_origins=SITE, source=source)
    intake_forms.save(by=manager, form=intake_form)
    return intake_form


@pytest.fixture
def send(form):
    def post(values=None, **extra_values):
        body = {"key": form.key, **({**TRIP, **NUMBERS} if values is None else values), **extra_values}
        return APIClient().post(URL, body, format="json")

    return post


@pytest.fixture
def send_page(form):
    def post(values=None, extra_values=None, **headers):
        body = {"key": form.key, **(TRIP if values is None else values), **(extra_values or {})}
        return Client(headers=headers).post(URL, urlencode(body), content_type="application/x-www-form-urlencoded")

    return post


def test_an_inquiry_of_a_new_client_becomes_a_lead_with_all_values(send, form):
    response = send()
    assert response.status_code == 202, response.content
    lead, inquiry, activity = Lead.objects.get(), Inquiry.objects.get(), Activity.objects.get()
    assert response.json() == {"reference": inquiry.reference}
    assert inquiry.form == form
    assert inquiry.lead == lead
    for name in TRIP.keys() - {"pickup_at", "return_at"}:
        assert getattr(lead, name) == TRIP[name]
    assert lead.pickup_at == datetime(2027, 5, 7, 12, 30, tzinfo=UTC)
    assert lead.return_at == datetime(2027, 5, 8, 2, tzinfo=UTC)
    assert lead.estimated_passengers == 48
    assert lead.source == form.source
    assert lead.last_source == form.source
    assert lead.last_utm_source == "google"
    assert lead.assigned_to is None
    assert activity.activity_type == "quote_requested"
    assert activity.direction == "inbound"
    assert activity.user is None
    assert activity.description == "Inquiry from Web site"
    assert activity.data == {"reference": inquiry.reference, "form": "Web site", "email": "dana@lincoln.example"}
    assert "Estimated passengers: 48" in activity.notes.splitlines()
    assert "Pickup at: Fri 7 May 2027, 08:30 EDT" in activity.notes.splitlines()
    assert lead.last_activity_at == activity.occurred_at
    assert lead.score > 0


def test_an_identical_inquiry_within_a_day_is_the_same_one(send):
    first, second = send().json(), send().json()
    assert second == first
    assert Lead.objects.count() == 1
    assert Activity.objects.count() == 1
    assert Inquiry.objects.count() == 1
    Inquiry.objects.update(received_at=timezone.now() - timedelta(hours=25))
    assert send().json() != first
    assert Lead.objects.count() == 1
    assert Activity.objects.count() == 2


@pytest.mark.parametrize(
    "values", [{"contact_name": "D", "email": "DANA@lincoln.example"}, {"company_name": "X", "phone": "617.555.0123"}]
)
def test_an_inquiry_joins_the_open_lead_with_the_same_email_or_phone(send, rep, values):
    lead = leads.create(by=rep, values={name: TRIP[name] for name in ("contact_name", "email", "phone")})
    Notification.objects.all().delete()
    values_before = Lead.objects.values("contact_name", "company_name", "email", "phone", "source", "utm_source").get()
    response = send(values, notes="And a second bus", utm_source="bing", source="web")
    assert response.status_code == 202
    activity = Activity.objects.get(activity_type="quote_requested")
    lead.refresh_from_db()
    assert Lead.objects.values(*values_before).get() == values_before
    assert lead.last_utm_source == "bing"
    assert lead.last_source.name == "Web"
    assert activity.lead == lead
    assert activity.direction == "inbound"
    assert lead.last_activity_at == activity.occurred_at
    assert activity.notes.splitlines()[-3:] == ["Notes: And a second bus", "Source: web", "Utm source: bing"]
    notification = Notification.objects.get()
    assert notification.kind == "inquiry_received"
    assert notification.recipient == rep
    assert notification.context["lead_id"] == lead.pk
    assert "And a second bus" in notification.context["said"]


def test_a_closed_lead_is_not_joined(send, rep):
    lead = leads.create(by=rep, values={"contact_name": "Dana", "email": TRIP["email"]})
    leads.update(by=rep, lead_id=lead.pk, changes={"status": "lost", "lost_reason": "price"})
    send()
    assert Lead.objects.open().get().is_repeat is False
    leads.update(by=rep, lead_id=lead.pk, changes={"status": "won", "booked_value": 900})
    assert Lead.objects.count() == 2


def test_an_inquiry_sets_a_known_source_and_otherwise_the_forms_source(send, form):
    fair = LeadSource.objects.create(name="Trade Fair")
    LeadSource.objects.create(name="Old", is_active=False)
    for number, (name, source) in enumerate({"trade fair": fair, "Old": form.source, "Nobody": form.source}.items()):
        send({"contact_name": "D", "email": f"{number}@x.example", "source": name})
        assert Lead.objects.latest("id").source == source


@pytest.mark.parametrize(
    ("change", "fields"),
    [
        ({"contact_name": "", "company_name": ""}, {"contact_name"}),
        ({"email": "", "phone": ""}, {"email"}),
        ({"email": "nobody"}, {"email"}),
        ({"estimated_passengers": "48"}, {"estimated_passengers"}),
        ({"pickup_at": "2027-05-07"}, {"pickup_at"}),
        ({"pickup_at": "2027-05-07 08:30"}, {"pickup_at"}),
        ({"pickup_at": "1999-05-07T08:30"}, {"pickup_at"}),
        ({"return_at": "2027-05-07T08:29"}, {"return_at"}),
        ({"colour": "red"}, {"colour"}),
        ({"score": 99}, {"score"}),
        ({"key": "nothing"}, {"key"}),
        ({"key": "nothing", "email": "nobody"}, {"email"}),
        ({"key": 5}, {"key"}),
    ],
)
def test_errors_name_the_fields_and_nothing_is_written(send, change, fields):
    response = send({**TRIP, **NUMBERS, **change})
    assert response.status_code == 400
    assert set(response.json()) == fields
    assert not Lead.objects.exists()


def test_an_inactive_form_receives_nothing(send, form, client):
    IntakeForm.objects.update(is_active=False)
    assert send().status_code == 400
    assert client.get(f"/intake/{form.key}/").status_code == 404


def test_an_inquiry_with_the_trap_filled_in_gets_a_reference_and_is_dropped(send):
    response = send(website="https://spam.example")
    assert response.status_code == 202
    assert set(response.json()) == {"reference"}
    assert not Lead.objects.exists()


def test_a_visitor_is_throttled(send, send_page, settings):
    settings.THROTTLES = {**settings.THROTTLES, "intake": Rate(2, 86_400)}
    statuses = [send().status_code for _ in range(2)]
    response, page = send(), send_page({**TRIP, **NUMBERS})
    assert statuses == [202, 202]
    assert response.status_code == 429
    assert page.status_code == 429
    assert response.json()["code"] == "throttled"
    assert page["Content-Type"] == "text/html; charset=utf-8"
    assert response["Retry-After"].isdigit()
    assert page["Retry-After"].isdigit()


class TestOtherSites:
    def test_an_allowed_site_may_send_and_read_the_response(self, form):
        body = {"key": form.key, **TRIP}
        response = APIClient().post(URL, body, headers={"Origin": SITE})
        assert response.status_code == 202
        assert response["Access-Control-Allow-Origin"] == SITE
        assert "Origin" in response["Vary"]
        assert "Access-Control-Allow-Credentials" not in response
        refused = APIClient().post(URL, {"key": form.key}, headers={"Origin": SITE})
        assert refused.status_code == 400
        assert refused["Access-Control-Allow-Origin"] == SITE

    @pytest.mark.parametrize(
        "origin", ["https://evil.example", "null", f"{SITE}.evil.example", "http://www.coaches.example"]
    )
    def test_another_site_is_refused(self, form, origin):
        response = APIClient().post(URL, {"key": form.key, **TRIP}, headers={"Origin": origin})
        assert response.status_code == 403
        assert response.json()["code"] == "origin_not_allowed"
        assert "Access-Control-Allow-Origin" not in response
        assert not Lead.objects.exists()

    def test_a_preflight_request_is_answered_for_allowed_sites(self, form):
        def send_preflight(origin):
            return APIClient().options(URL, headers={"Origin": origin, "Access-Control-Request-Method": "POST"})

        response = send_preflight(SITE)
        assert response["Access-Control-Allow-Origin"] == SITE
        assert response["Access-Control-Allow-Methods"] == "POST"
        assert response["Access-Control-Allow-Headers"] == "Content-Type"
        assert "Access-Control-Allow-Origin" not in send_preflight("https://evil.example")
        IntakeForm.objects.update(is_active=False)
        assert "Access-Control-Allow-Origin" not in send_preflight(SITE)

    def test_athenas_own_page_may_always_send(self, send_page):
        assert send_page(origin="http://testserver").status_code == 303


class TestPages:
    def test_only_allowed_sites_may_embed_the_form_and_it_needs_no_script(self, client, form):
        response = client.get(f"/intake/{form.key}/?utm_source=google&utm_nothing=1&utm_term=%3Cb%3E")
        policy = response["Content-Security-Policy"]
        assert response.status_code == 200
        assert f"frame-ancestors 'self' {SITE}" in policy
        assert "script-src 'self'" in policy
        assert "X-Frame-Options" not in response
        page = response.content.decode()
        assert '<input type="hidden" name="utm_source" value="google">' in page
        assert '<input type="hidden" name="utm_term" value="&lt;b&gt;">' in page
        assert "utm_nothing" not in page
        assert "<script" not in page
        assert " style=" not in page

    def test_an_unknown_key_is_not_found(self, client, form):
        for key in ("x", form.key + "x", "%00"):
            assert client.get(f"/intake/{key}/").status_code == 404, key

    def test_a_sent_form_leads_to_the_thank_you_page(self, client, form, send_page):
        response = send_page(extra_values={"estimated_passengers": "48", "website": ""})
        reference = Inquiry.objects.get().reference
        assert response.status_code == 303
        assert response["Location"] == f"/intake/{form.key}/thanks/?reference={reference}"
        page = client.get(response["Location"])
        assert page.status_code == 200
        assert reference in page.content.decode()
        assert Lead.objects.get().estimated_passengers == 48

    def test_a_sent_form_leads_to_the_sites_own_thank_you_page_if_it_has_one(self, client, form, send_page):
        IntakeForm.objects.update(thank_you_url=f"{SITE}/thanks?a=1")
        response = send_page()
        assert response.status_code == 303
        assert response["Location"] == f"{SITE}/thanks?a=1"
        assert f"form-action 'self' {SITE}" in client.get(f"/intake/{form.key}/")["Content-Security-Policy"]

    def test_a_wrong_form_comes_back_with_errors_and_all_typed_values(self, send_page):
        values = {**TRIP, "email": "dana at lincoln", "estimated_passengers": "about 40", "notes": "a\r\n<b>"}
        response = send_page(values)
        page = response.content.decode()
        assert response.status_code == 400
        assert f"frame-ancestors 'self' {SITE}" in response["Content-Security-Policy"]
        for value in ("dana at lincoln", "about 40", "2027-05-07T08:30", "(617) 555-0123", "google"):
            assert f'value="{value}"' in page
        assert "a\n&lt;b&gt;</textarea>" in page
        assert "This is not an email address." in page
        assert "A whole number is required." in page
        assert not Lead.objects.exists()

    @pytest.mark.parametrize(
        ("body", "status"),
        [(b"key=a&key=b", 400), (b"key=%FF", 400), (b"a=1&" * 200, 400), (b"key=nothing", 400)],
    )
    def test_an_unreadable_form_is_answered_with_a_page(self, db, body, status):
        response = Client().post(URL, body, content_type="application/x-www-form-urlencoded")
        assert response.status_code == status
        assert response["Content-Type"] == "text/html; charset=utf-8"
        assert "Your request was not sent" in response.content.decode()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("allowed_origins", "www.example.com"),
        ("allowed_origins", "https://www.example.com/path"),
        ("allowed_origins", "https://a.example;script-src *"),
        ("allowed_origins", "*"),
        ("thank_you_url", "javascript:alert(1)"),
        ("thank_you_url", "/thanks"),
    ],
)
def test_a_form_with_an_unsafe_address_is_refused(manager, form, field, value):
    setattr(form, field, value)
    with pytest.raises(errors.Invalid) as refused:
        intake_forms.save(by=manager, form=form)
    assert set(refused.value.fields) == {field}


def test_only_managers_save_forms(rep, form):
    with pytest.raises(errors.NotAllowed):
        intake_forms.save(by=rep, form=form)


def test_references_are_easy_to_read_out():
    assert all(set(intake.make_reference()) <= set(intake._ALPHABET) for _ in range(50))
