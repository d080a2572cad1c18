"""Planning in the admin: snoozing, warnings, cadences, repeat trips and the calendar's address."""

from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine
from django.urls import reverse
from django.utils import timezone
from django.utils.html import escape

from athena.accounts.models import User
from sales.models import Cadence, CadenceEnrolment, CadenceStep, FollowUp, Lead
from sales.services.follow_ups import cadences, follow_ups

FORMSET = {"steps-TOTAL_FORMS": "3", "steps-INITIAL_FORMS": "0"}


@pytest.fixture
def lead(make_lead, rep):
    return make_lead(assigned_to=rep)


@pytest.fixture
def follow_up(rep, lead):
    return follow_ups.create(by=rep, lead_id=lead.pk, follow_up_type="call", scheduled_date=date(2027, 1, 5))


@pytest.fixture
def cadence(db):
    cadence = Cadence.objects.create(name="New inquiry")
    for day in (0, 2):
        CadenceStep.objects.create(cadence=cadence, day=day, follow_up_type="call")
    return cadence


def list_messages(response):
    return [(message.level_tag, str(message)) for message in response.context["messages"]]


def list_steps(cadence):
    return list(cadence.steps.values_list("day", "follow_up_type", "notes"))


def test_a_manager_defines_a_cadence_with_its_steps_and_changes_it(browse, manager):
    client = browse(manager)
    first_step = {"steps-0-day": "0", "steps-0-follow_up_type": "call", "steps-0-notes": "Say hello"}
    second_step = {"steps-1-day": "3", "steps-1-follow_up_type": "email"}
    body = {"name": "New inquiry", "is_active": "on", **FORMSET}
    same_day = client.post(reverse("admin:sales_cadence_add"), body | first_step | second_step | {"steps-1-day": "0"})
    assert same_day.status_code == 200
    assert Cadence.objects.count() == 0
    assert "Please correct the duplicate" in same_day.content.decode()
    assert client.post(reverse("admin:sales_cadence_add"), body | first_step | second_step).status_code == 302
    cadence = Cadence.objects.get()
    assert cadence.name == "New inquiry"
    assert list_steps(cadence) == [(0, "call", "Say hello"), (3, "email", "")]
    first, second = cadence.steps.all()
    url = reverse("admin:sales_cadence_change", args=[cadence.pk])
    keys = {
        "steps-0-id": first.pk,
        "steps-1-id": second.pk,
        "steps-0-cadence": cadence.pk,
        "steps-1-cadence": cadence.pk,
        "steps-INITIAL_FORMS": "2",
    }
    new_step = {"steps-2-day": "1", "steps-2-follow_up_type": "meeting", "steps-2-cadence": cadence.pk}
    changes = {"name": "Other", "steps-0-DELETE": "on", "steps-1-day": "4"}
    changed = client.post(url, body | first_step | second_step | keys | new_step | changes)
    cadence.refresh_from_db()
    assert changed.status_code == 302
    assert cadence.name == "Other"
    assert list_steps(cadence) == [(1, "meeting", ""), (4, "email", "")]


def test_selected_leads_are_enrolled_in_a_cadence(browse, rep, lead, cadence, make_lead):
    closed = make_lead(assigned_to=rep, status="won", company_name="Won already")
    client, url = browse(rep), reverse("admin:sales_lead_changelist")
    body = {"action": "cadence_selected", "_selected_action": [lead.pk, closed.pk]}
    page = client.post(url, body)
    assert page.status_code == 200
    assert "Day 0: Call, Day 2: Call" in page.content.decode()
    assert not CadenceEnrolment.objects.exists()
    done = client.post(url, body | {"step": "confirm", "cadence": cadence.pk}, follow=True)
    assert list_messages(done) == [
        ("error", "Won already: The lead is closed. Reopen it first."),
        ("success", "1 enrolled in the cadence."),
    ]
    assert CadenceEnrolment.objects.get().lead == lead


def test_a_leads_page_shows_its_cadence_and_stops_it(browse, rep, colleague, lead, cadence):
    cadences.enroll(by=rep, lead_id=lead.pk, cadence_id=cadence.pk)
    page, stop = (reverse(f"admin:sales_lead_{name}", args=[lead.pk]) for name in ("change", "stop_cadence"))
    assert "Running" in browse(rep).get(page).content.decode()
    assert stop in browse(rep).get(page).content.decode()
    assert stop not in browse(colleague).get(page).content.decode()
    assert list_messages(browse(rep).post(stop, follow=True)) == [
        ("success", "The lead is no longer enrolled in “New inquiry”. Its planned follow-ups stay.")
    ]
    assert list_messages(browse(rep).post(stop, follow=True)) == [("error", "The lead is not enrolled in a cadence.")]


def test_completing_a_step_shows_the_next_one(browse, rep, lead, cadence):
    with time_machine.travel("2026-11-23T15:00Z", tick=False):
        cadences.enroll(by=rep, lead_id=lead.pk, cadence_id=cadence.pk)
        url = reverse("admin:sales_followup_complete", args=[FollowUp.objects.get().pk])
        assert "step of the cadence “New inquiry” (day 0)" in browse(rep).get(url).content.decode()
        done = browse(rep).post(url, {"outcome": "no_answer", "next_follow_up_days": "3"}, follow=True)
    assert list_messages(done) == [("success", "Completed: Lincoln High School Band. Next: Call on Wed 25 Nov 2026.")]


def test_a_follow_up_is_completed_without_a_next_one_for_a_reason(browse, rep, follow_up):
    url = reverse("admin:sales_followup_complete", args=[follow_up.pk])
    body = {"outcome": "successful", "next_follow_up_days": "3", "no_next_reason": "They travel in May"}
    both = browse(rep).post(url, body | {"schedule_next": "on"})
    message = "A next follow-up is planned. Leave this empty, or don't plan one."
    assert both.context["form"].errors == {"no_next_reason": [message]}
    assert browse(rep).post(url, body).status_code == 302
    follow_up.refresh_from_db()
    assert follow_up.no_next_reason == "They travel in May"
    assert FollowUp.objects.count() == 1


@time_machine.travel("2026-11-23T15:00Z", tick=False)
def test_the_assignee_snoozes_a_follow_up(browse, rep, colleague, follow_up):
    url = reverse("admin:sales_followup_snooze", args=[follow_up.pk])
    page = browse(rep).get(reverse("admin:sales_followup_change", args=[follow_up.pk])).content.decode()
    assert page.count(f'formaction="{url}"') == 3
    assert list_messages(browse(rep).post(url, {"minutes": "120"}, follow=True)) == [
        ("success", "Maria is reminded on Mon 23 Nov 2026, 17:00.")
    ]
    assert FollowUp.objects.get().snoozed_until == timezone.now() + timedelta(hours=2)
    for wrong_body in ({}, {"minutes": "x"}, {"minutes": "7"}, {"minutes": "-30"}):
        assert list_messages(browse(rep).post(url, wrong_body, follow=True)) == [
            ("error", "until: Choose a time within the next 30 days.")
        ]
    assert browse(colleague).post(url, {"minutes": "30"}).status_code == 403


def test_a_date_after_the_pickup_shows_a_warning(browse, rep, lead, follow_up):
    Lead.objects.update(pickup_at=datetime(2027, 1, 4, 12, tzinfo=UTC))
    warning = ("warning", "The follow-up is after the pickup, which is on Mon 4 Jan 2027.")
    body = {"follow_up_type": "call", "scheduled_date": "2027-01-06", "lead": lead.pk}
    added = browse(rep).post(reverse("admin:sales_followup_add"), body, follow=True)
    assert list_messages(added)[0] == warning
    assert FollowUp.objects.count() == 2
    moved = browse(rep).post(reverse("admin:sales_followup_change", args=[follow_up.pk]), body, follow=True)
    assert list_messages(moved)[0] == warning


def test_a_repeat_lead_is_created_from_the_list_and_the_page(browse, rep, make_lead):
    won = make_lead(assigned_to=rep, status="won", pickup_at=timezone.now() - timedelta(days=130))
    make_lead(assigned_to=rep, company_name="Open Choir", pickup_at=timezone.now() - timedelta(days=1))
    client, url = browse(rep), reverse("admin:sales_lead_changelist")

    def list_names(plan):
        return [str(lead) for lead in client.get(f"{url}?plan={plan}").context["cl"].result_list]

    assert list_names("call_again") == [str(won)]
    assert list_names("trip_passed") == ["Open Choir"]
    assert "Unplanned (1)" in client.get(url).content.decode()
    page, repeat = (reverse(f"admin:sales_lead_{name}", args=[won.pk]) for name in ("change", "repeat"))
    assert repeat in client.get(page).content.decode()
    client.post(repeat)
    new = Lead.objects.get(repeat_of=won)
    assert repeat not in client.get(page).content.decode()
    assert "This lead repeats" in client.get(reverse("admin:sales_lead_change", args=[new.pk])).content.decode()
    assert list_messages(client.post(repeat, follow=True)) == [("error", "This trip already has a repeat lead.")]
    done = client.post(url, {"action": "repeat_selected", "_selected_action": [won.pk]}, follow=True)
    assert [level for level, _ in list_messages(done)] == ["error"]
    assert list_names("call_again") == []


def test_a_repeat_lead_is_linked_only_for_users_who_may_see_it(browse, rep, stranger, admin, make_lead):
    trip = {"company_name": "Harbor Choir", "pickup_at": timezone.now() - timedelta(days=130)}
    won = make_lead(assigned_to=rep, status="won", **trip)
    new = make_lead(assigned_to=stranger, company_name="Somebody else's name", repeat_of=won)
    page, repeat = (reverse(f"admin:sales_lead_{name}", args=[won.pk]) for name in ("change", "repeat"))
    admins_page, reps_page = (browse(user).get(page).content.decode() for user in (admin, rep))
    assert escape(str(new)) in admins_page
    assert escape(str(new)) not in reps_page
    assert repeat not in admins_page
    assert repeat not in reps_page


def test_the_address_of_the_calendar_can_be_renewed(browse, rep):
    url = reverse("admin:sales_followup_calendar")
    page = browse(rep).get(url)
    feed = page.context["feed"]
    assert "no-store" in page["Cache-Control"]
    assert feed.startswith(f"http://localhost:8080/api/v1/sales/follow-ups/calendar.ics?token={rep.pk}-")
    renewed = browse(rep).post(url).context["feed"]
    assert renewed != feed
    assert User.objects.get(pk=rep.pk).calendar_epoch == 1
