"""Completing follow-ups in the admin: initial values of both forms, what they require, and their warnings."""

from datetime import date, time, timedelta
from decimal import Decimal

import pytest

from athena.accounts.models import local_today
from sales.models import Activity, Cadence, CadenceEnrolment, CadenceStep, FollowUp, Lead
from sales.services.follow_ups import cadences, follow_ups
from tests.rights.forms import untouched


@pytest.fixture
def lead(make_lead, rep):
    return make_lead(assigned_to=rep, quote_amount=Decimal("4200.50"), estimated_value=Decimal(3900))


@pytest.fixture
def plan(rep, lead):
    def make(**values):
        return follow_ups.create(
            by=rep,
            lead_id=lead.pk,
            **{
                "follow_up_type": "call",
                "scheduled_date": local_today(rep),
                "scheduled_time": time(10),
                "notes": "Ask for the route",
                **values,
            },
        )

    return make


@pytest.fixture
def client(browse, rep):
    return browse(rep)


def get_completion_url(plan):
    return f"/admin/sales/followup/{plan.pk}/complete/"


def complete(client, plan, **values):
    return client.post(
        get_completion_url(plan), {**untouched(client.get(get_completion_url(plan)).content.decode()), **values}
    )


def get_errors(answer):
    assert answer.status_code == 200
    return dict(answer.context["form"].errors)


def test_both_forms_have_the_same_initial_values(client, plan):
    full_form = untouched(client.get(get_completion_url(plan())).content.decode())
    body = client.get("/admin/").content.decode()
    short_form = untouched(body[body.index("<form", body.index("/complete/") - 60) : body.index('class="outcomes"')])
    shared = full_form.keys() & short_form.keys() - {"next", "csrfmiddlewaretoken"}

    assert {"schedule_next", "next_follow_up_days", "next_follow_up_time", "notes", "no_next_reason"} <= shared
    assert {name: full_form[name] for name in shared} == {name: short_form[name] for name in shared}
    assert full_form["schedule_next"] == "on"
    assert full_form["next_follow_up_days"] == "3"
    assert full_form["next_follow_up_time"] == "10:00"


@pytest.mark.parametrize(
    ("typed", "day", "clock", "notes"),
    [
        ({"next_follow_up_date": "2099-01-05"}, date(2099, 1, 5), time(10), "Ask for the route"),
        ({"next_follow_up_date": "2099-01-05", "next_follow_up_time": "16:30"}, date(2099, 1, 5), time(16, 30), None),
        ({"next_follow_up_date": "2099-01-05", "next_follow_up_time": ""}, date(2099, 1, 5), None, None),
        ({"next_follow_up_time": "16:30", "next_follow_up_notes": "Send it"}, None, time(16, 30), "Send it"),
        ({"schedule_next": "", "next_follow_up_notes": "Send it"}, None, time(10), "Send it"),  # notes are kept
        ({"outcome": "rescheduled", "next_follow_up_date": "2099-01-05"}, date(2099, 1, 5), time(10), None),
    ],
)
def test_the_next_follow_up_gets_what_was_typed(client, plan, typed, day, clock, notes):
    values = {"outcome": "successful", **typed}
    follow_up = plan()
    form = {**untouched(client.get(get_completion_url(follow_up)).content.decode()), **values}
    if not form["schedule_next"]:
        del form["schedule_next"]

    assert client.post(get_completion_url(follow_up), form).status_code == 302

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
def test_nothing_is_saved_until_the_form_is_valid(client, plan, typed, field):
    follow_up = plan()
    form = {
        **untouched(client.get(get_completion_url(follow_up)).content.decode()),
        "outcome": "successful",
        "notes": "Typed",
        **typed,
    }
    answer = client.post(
        get_completion_url(follow_up), {name: value for name, value in form.items() if value is not None}
    )

    assert list(get_errors(answer)) == [field]
    assert "Typed" in answer.content.decode()
    assert FollowUp.objects.open().get() == follow_up
    assert Activity.objects.count() == 0


def test_leaving_an_open_lead_without_a_next_step_needs_a_reason(client, lead, plan):
    only = plan()
    assert "nothing else is planned for it" in client.get(get_completion_url(only)).content.decode()

    body = {"outcome": "no_answer"}
    assert list(get_errors(client.post(get_completion_url(only), body))) == ["no_next_reason"]

    other = plan()
    assert client.post(get_completion_url(only), body).status_code == 302  # something else is planned
    assert client.post(get_completion_url(other), body | {"no_next_reason": "They write in May"}).status_code == 302

    lead.refresh_from_db()
    assert lead.is_open is True
    assert FollowUp.objects.open().count() == 0


def test_the_last_step_of_a_cadence_needs_a_reason_for_no_next_step(client, rep, lead, make_user):
    cadence = Cadence.objects.create(name="Two calls")
    for day in (0, 2):
        CadenceStep.objects.create(cadence=cadence, day=day, follow_up_type="call")
    cadences.enroll(by=rep, lead_id=lead.pk, cadence_id=cadence.pk)

    assert client.post(get_completion_url(FollowUp.objects.open().get()), {"outcome": "no_answer"}).status_code == 302

    last = FollowUp.objects.open().get()
    assert list(get_errors(client.post(get_completion_url(last), {"outcome": "no_answer"}))) == ["no_next_reason"]
    assert CadenceEnrolment.objects.running().exists()


def test_winning_proposes_the_quote_amount_and_the_user_confirms_it(client, lead, plan):
    first = plan()
    assert untouched(client.get(get_completion_url(first)).content.decode())["booked_value"] == "4200.50"

    form_page = complete(client, first, outcome="successful", close="won", booked_value="")
    assert untouched(form_page.content.decode())["booked_value"] == "4200.50"
    assert complete(client, first, outcome="successful", close="won", booked_value="0").status_code == 302

    lead.refresh_from_db()
    assert lead.status == "won"
    assert lead.booked_value == 0


def test_the_lead_form_proposes_the_quote_or_the_estimate(client, rep, lead, make_lead):
    estimated, unknown = make_lead(assigned_to=rep, estimated_value=Decimal(3900)), make_lead(assigned_to=rep)
    for row, proposed in ((lead, "4200.50"), (estimated, "3900.00"), (unknown, "")):
        url = f"/admin/sales/lead/{row.pk}/change/"
        form = untouched(client.get(url).content.decode()) | {"status": "won", "notes": "Typed"}
        form_page = client.post(url, form)
        assert list(form_page.context["adminform"].form.errors) == ["booked_value"]
        again = untouched(form_page.content.decode())
        assert again["booked_value"] == proposed
        assert again["notes"] == "Typed"
        assert Lead.objects.get(pk=row.pk).status == "new"
        assert client.post(url, again | {"booked_value": proposed or "1"}).status_code == 302
        assert Lead.objects.get(pk=row.pk).booked_value == Decimal(proposed or 1)


def test_a_new_lead_that_is_won_needs_a_won_value_too(client):
    url = "/admin/sales/lead/add/"
    form = untouched(client.get(url).content.decode()) | {
        "company_name": "Choir",
        "status": "won",
        "quote_amount": "70",
    }
    form_page = client.post(url, form)

    assert client.post(url, untouched(form_page.content.decode())).status_code == 302
    assert Lead.objects.get().booked_value == 70


def test_a_quote_is_logged_and_corrected_with_its_amount(client, rep, lead):
    url = f"/admin/sales/activity/add/?lead={lead.pk}&activity_type=quote&direction=outbound"
    form = untouched(client.get(url).content.decode()) | {"amount": "3999.90", "valid_until": "2099-01-05"}
    assert client.post(url, form).status_code == 302

    lead.refresh_from_db()
    assert lead.status == "quoted"
    assert lead.quote_amount == Decimal("3999.90")
    assert lead.quote_valid_until == date(2099, 1, 5)

    page = f"/admin/sales/activity/{Activity.objects.get(activity_type='quote').pk}/change/"
    initial = untouched(client.get(page).content.decode())
    assert initial["amount"] == "3999.9"
    assert initial["valid_until"] == "2099-01-05"

    client.post(page, initial | {"amount": "3000"})
    lead.refresh_from_db()
    assert lead.quote_amount == 3000
    assert lead.quote_valid_until == date(2099, 1, 5)

    current = untouched(client.get(page).content.decode())
    assert client.post(page, current | {"activity_type": "note"}).status_code == 302

    lead.refresh_from_db()
    assert lead.status == "new"
    assert lead.quote_amount == Decimal("4200.50")

    refused = client.post(page, untouched(client.get(page).content.decode()) | {"amount": "5"})
    assert dict(refused.context["adminform"].form.errors) == {"amount": ["Only a quote can have this."]}


def test_a_completed_quote_takes_its_amount(client, lead, plan):
    quote = plan(follow_up_type="quote")
    assert complete(client, quote, outcome="successful", amount="3999.90", valid_until="2099-01-05").status_code == 302

    lead.refresh_from_db()
    assert lead.status == "quoted"
    assert lead.quote_amount == Decimal("3999.90")
    assert "amount" not in untouched(client.get(get_completion_url(plan())).content.decode())


def test_before_canceling_leads_left_without_a_next_step_are_listed(client, rep, lead, plan, make_lead):
    busy = make_lead(assigned_to=rep, company_name="Busy")
    busy_plans = [
        follow_ups.create(
            by=rep, lead_id=busy.pk, follow_up_type="call", scheduled_date=local_today(rep) + timedelta(days=1)
        )
        for _ in range(2)
    ]
    last = plan()
    form = {"action": "cancel_selected", "_selected_action": [last.pk, busy_plans[0].pk]}
    form_page = client.post("/admin/sales/followup/", form)

    assert [row.pk for row in form_page.context["unplanned_leads"]] == [lead.pk]
    assert FollowUp.objects.open().count() == 3

    client.post("/admin/sales/followup/", form | {"step": "confirm", "reason": "They called off"})
    assert list(FollowUp.objects.open()) == [busy_plans[1]]

    last.refresh_from_db()
    assert last.cancel_reason == "They called off"
    assert last.cancelled_by == rep
