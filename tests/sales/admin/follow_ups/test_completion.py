"""Completing in the admin: what both forms start with, what they ask, and what is said before it is saved."""

from datetime import date, time, timedelta
from decimal import Decimal

import pytest

from athena.accounts.models import local_today
from sales.models import Activity, CadenceEnrolment, FollowUp, Lead
from sales.services.follow_ups import cadences, follow_ups
from tests.rights.forms import untouched


@pytest.fixture
def lead(make_lead, rep):
    return make_lead(assigned_to=rep, quote_amount=Decimal("4200.50"), estimated_value=Decimal(3900))


@pytest.fixture
def plan(rep, lead):
    def make(**values):
        return follow_ups.create(
            by=rep, lead_id=lead.pk, **{
                "follow_up_type": "call", "scheduled_date": local_today(rep), "scheduled_time": time(10),
                "notes": "Ask for the route", **values,
            },
        )  # fmt: skip

    return make


@pytest.fixture
def client(browse, rep):
    return browse(rep)


def url_of(plan):
    return f"/admin/sales/followup/{plan.pk}/complete/"


def complete(client, plan, **values):
    return client.post(url_of(plan), {**untouched(client.get(url_of(plan)).content.decode()), **values})


def errors_of(answer):
    assert answer.status_code == 200
    return dict(answer.context["form"].errors)


def test_both_forms_start_with_the_same(client, plan):
    full = untouched(client.get(url_of(plan())).content.decode())
    body = client.get("/admin/").content.decode()
    short = untouched(body[body.index("<form", body.index("/complete/") - 60) : body.index('class="outcomes"')])
    shared = full.keys() & short.keys() - {"next", "csrfmiddlewaretoken"}
    assert {"schedule_next", "next_follow_up_days", "next_follow_up_time", "notes", "no_next_reason"} <= shared
    assert {name: full[name] for name in shared} == {name: short[name] for name in shared}
    assert (full["schedule_next"], full["next_follow_up_days"], full["next_follow_up_time"]) == ("on", "3", "10:00")


@pytest.mark.parametrize(
    ("typed", "day", "clock", "notes"),
    [
        ({"next_follow_up_date": "2099-01-05"}, date(2099, 1, 5), time(10), "Ask for the route"),
        ({"next_follow_up_date": "2099-01-05", "next_follow_up_time": "16:30"}, date(2099, 1, 5), time(16, 30), None),
        ({"next_follow_up_date": "2099-01-05", "next_follow_up_time": ""}, date(2099, 1, 5), None, None),
        ({"next_follow_up_time": "16:30", "next_follow_up_notes": "Send it"}, None, time(16, 30), "Send it"),
        ({"schedule_next": "", "next_follow_up_notes": "Send it"}, None, time(10), "Send it"),  # it is not lost
        ({"outcome": "rescheduled", "next_follow_up_date": "2099-01-05"}, date(2099, 1, 5), time(10), None),
    ],
)
def test_the_next_step(client, plan, typed, day, clock, notes):
    values = {"outcome": "successful", **typed}
    done = plan()
    form = {**untouched(client.get(url_of(done)).content.decode()), **values}
    if not form["schedule_next"]:
        del form["schedule_next"]
    assert client.post(url_of(done), form).status_code == 302
    following = FollowUp.objects.open().get()
    assert following.scheduled_time == clock
    assert following.notes == (notes or "Ask for the route")
    assert day in (None, following.scheduled_date)


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"outcome": "rescheduled"}, "next_follow_up_date"),
        ({"next_follow_up_date": "2020-01-05"}, "next_follow_up_date"),
        ({"schedule_next": None}, "no_next_reason"),
        ({"next_follow_up_date": "2099-01-05", "close": "won", "booked_value": "5"}, "close"),
        ({"close": "lost"}, "lost_reason"),
        ({"close": "won", "booked_value": ""}, "booked_value"),
        ({"close": "won", "booked_value": "-1"}, "booked_value"),
    ],
)
def test_what_is_asked_before_anything_is_saved(client, plan, typed, field):
    done = plan()
    form = {**untouched(client.get(url_of(done)).content.decode()), "outcome": "successful", "notes": "Typed", **typed}
    answer = client.post(url_of(done), {name: value for name, value in form.items() if value is not None})
    assert list(errors_of(answer)) == [field]
    assert "Typed" in answer.content.decode()
    assert (FollowUp.objects.open().get(), Activity.objects.count()) == (done, 0)


def test_an_open_lead_is_left_without_a_next_step_only_for_a_reason(client, lead, plan):
    only = plan()
    assert "nothing else is planned for it" in client.get(url_of(only)).content.decode()
    body = {"outcome": "no_answer"}
    assert list(errors_of(client.post(url_of(only), body))) == ["no_next_reason"]
    other = plan()
    assert client.post(url_of(only), body).status_code == 302  # something else is planned
    assert client.post(url_of(other), body | {"no_next_reason": "They write in May"}).status_code == 302
    lead.refresh_from_db()
    assert (lead.is_open, FollowUp.objects.open().count()) == (True, 0)


def test_the_last_step_of_a_cadence_is_followed_by_nothing_so_it_is_asked(client, rep, lead, make_user):
    from sales.models import Cadence, CadenceStep

    cadence = Cadence.objects.create(name="Two calls")
    for day in (0, 2):
        CadenceStep.objects.create(cadence=cadence, day=day, follow_up_type="call")
    cadences.enroll(by=rep, lead_id=lead.pk, cadence_id=cadence.pk)
    assert client.post(url_of(FollowUp.objects.open().get()), {"outcome": "no_answer"}).status_code == 302
    last = FollowUp.objects.open().get()
    assert list(errors_of(client.post(url_of(last), {"outcome": "no_answer"}))) == ["no_next_reason"]
    assert CadenceEnrolment.objects.running().exists()


def test_winning_proposes_the_quote_and_a_person_confirms(client, lead, plan):
    first = plan()
    assert untouched(client.get(url_of(first)).content.decode())["booked_value"] == "4200.50"
    asked = complete(client, first, outcome="successful", close="won", booked_value="")
    assert untouched(asked.content.decode())["booked_value"] == "4200.50"
    assert complete(client, first, outcome="successful", close="won", booked_value="0").status_code == 302
    lead.refresh_from_db()
    assert (lead.status, lead.booked_value) == ("won", 0)


def test_the_leads_form_proposes_the_quote_or_the_estimate(client, rep, lead, make_lead):
    estimated, unknown = make_lead(assigned_to=rep, estimated_value=Decimal(3900)), make_lead(assigned_to=rep)
    for row, proposed in ((lead, "4200.50"), (estimated, "3900.00"), (unknown, "")):
        url = f"/admin/sales/lead/{row.pk}/change/"
        form = untouched(client.get(url).content.decode()) | {"status": "won", "notes": "Typed"}
        asked = client.post(url, form)
        assert list(asked.context["adminform"].form.errors) == ["booked_value"]
        again = untouched(asked.content.decode())
        assert (again["booked_value"], again["notes"], Lead.objects.get(pk=row.pk).status) == (proposed, "Typed", "new")
        assert client.post(url, again | {"booked_value": proposed or "1"}).status_code == 302
        assert Lead.objects.get(pk=row.pk).booked_value == Decimal(proposed or 1)


def test_a_new_lead_that_is_won_is_asked_too(client):
    url = "/admin/sales/lead/add/"
    form = untouched(client.get(url).content.decode()) | {
        "company_name": "Choir",
        "status": "won",
        "quote_amount": "70",
    }
    asked = client.post(url, form)
    assert client.post(url, untouched(asked.content.decode())).status_code == 302
    assert Lead.objects.get().booked_value == 70


def test_a_quote_is_logged_and_corrected_with_its_amount(client, rep, lead):
    url = f"/admin/sales/activity/add/?lead={lead.pk}&activity_type=quote&direction=outbound"
    form = untouched(client.get(url).content.decode()) | {"amount": "3999.90", "valid_until": "2099-01-05"}
    assert client.post(url, form).status_code == 302
    lead.refresh_from_db()
    assert (lead.status, lead.quote_amount, lead.quote_valid_until) == ("quoted", Decimal("3999.90"), date(2099, 1, 5))
    page = f"/admin/sales/activity/{Activity.objects.get(activity_type='quote').pk}/change/"
    shown = untouched(client.get(page).content.decode())
    assert (shown["amount"], shown["valid_until"]) == ("3999.9", "2099-01-05")
    client.post(page, shown | {"amount": "3000"})
    lead.refresh_from_db()
    assert (lead.quote_amount, lead.quote_valid_until) == (3000, date(2099, 1, 5))
    now = untouched(client.get(page).content.decode())
    assert client.post(page, now | {"activity_type": "note"}).status_code == 302
    lead.refresh_from_db()
    assert (lead.status, lead.quote_amount) == ("new", Decimal("4200.50"))
    refused = client.post(page, untouched(client.get(page).content.decode()) | {"amount": "5"})
    assert dict(refused.context["adminform"].form.errors) == {"amount": ["Only a quote can have this."]}


def test_a_completed_quote_takes_its_amount(client, lead, plan):
    quote = plan(follow_up_type="quote")
    assert complete(client, quote, outcome="successful", amount="3999.90", valid_until="2099-01-05").status_code == 302
    lead.refresh_from_db()
    assert (lead.status, lead.quote_amount) == ("quoted", Decimal("3999.90"))
    assert "amount" not in untouched(client.get(url_of(plan())).content.decode())


def test_cancelling_says_first_which_leads_are_left_without_a_next_step(client, rep, lead, plan, make_lead):
    busy = make_lead(assigned_to=rep, company_name="Busy")
    both = [follow_ups.create(by=rep, lead_id=busy.pk, follow_up_type="call",
                              scheduled_date=local_today(rep) + timedelta(days=1)) for _ in range(2)]  # fmt: skip
    last = plan()
    form = {"action": "cancel_selected", "_selected_action": [last.pk, both[0].pk]}
    asked = client.post("/admin/sales/followup/", form)
    assert [row.pk for row in asked.context["unplanned_leads"]] == [lead.pk]
    assert FollowUp.objects.open().count() == 3
    client.post("/admin/sales/followup/", form | {"step": "confirm", "reason": "They called off"})
    assert list(FollowUp.objects.open()) == [both[1]]
    last.refresh_from_db()
    assert (last.cancel_reason, last.cancelled_by) == ("They called off", rep)
