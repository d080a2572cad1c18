"""Logging and correcting activities, and how both change the lead."""

from datetime import date, timedelta

import pytest
from django.utils import timezone

from sales import errors
from sales.models import Activity, FieldChange
from sales.services import activities
from sales.services.follow_ups import follow_ups
from sales.services.follow_ups.completion import CompletionInput
from sales.services.leads import leads


def test_an_inbound_activity_is_logged_and_rescores_the_lead(rep, make_lead):
    lead = make_lead(assigned_to=rep)
    activity = activities.log(by=rep, lead_id=lead.pk, activity_type="email", direction="inbound", notes="Yes please")
    lead.refresh_from_db()
    assert lead.score == 10
    assert lead.last_activity_at == activity.occurred_at
    assert lead.first_contacted_at is None
    history = lead.score_history.get()
    assert history.activity == activity
    assert history.user == rep
    assert history.new_score == 10


def test_the_first_contact_is_the_earliest_outbound_one(rep, make_lead):
    lead, now = make_lead(assigned_to=rep), timezone.now()
    for hours in (2, 5, 1):
        activities.log(
            by=rep,
            lead_id=lead.pk,
            activity_type="call",
            direction="outbound",
            occurred_at=now - timedelta(hours=hours),
        )
    activities.log(by=rep, lead_id=lead.pk, activity_type="note", occurred_at=now - timedelta(hours=9))
    lead.refresh_from_db()
    assert lead.first_contacted_at == now - timedelta(hours=5)
    assert lead.last_activity_at == now - timedelta(hours=1)


@pytest.mark.parametrize("kind", ["transfer", "status_change"])
def test_types_that_athena_logs_cannot_be_logged_by_hand(rep, make_lead, kind):
    lead = make_lead(assigned_to=rep)
    with pytest.raises(errors.Invalid):
        activities.log(by=rep, lead_id=lead.pk, activity_type=kind)
    assert Activity.objects.count() == 0


def test_an_activity_cannot_be_in_the_future(rep, make_lead):
    lead = make_lead(assigned_to=rep)
    with pytest.raises(errors.Invalid) as refused:
        activities.log(by=rep, lead_id=lead.pk, activity_type="call", occurred_at=timezone.now() + timedelta(days=1))
    assert list(refused.value.fields) == ["occurred_at"]


def test_only_users_who_may_change_the_lead_may_log_activities(rep, colleague, stranger, manager, make_lead):
    lead = make_lead(assigned_to=rep)
    with pytest.raises(errors.NotYourLead):
        activities.log(by=colleague, lead_id=lead.pk, activity_type="note")
    with pytest.raises(errors.NotFound):
        activities.log(by=stranger, lead_id=lead.pk, activity_type="note")
    assert activities.log(by=manager, lead_id=lead.pk, activity_type="note").user == manager


def correct(by, activity, **changes):
    return activities.correct(by=by, activity_id=activity.pk, changes=changes)


def test_a_correction_records_the_old_values_and_rescores(rep, make_lead):
    lead = make_lead(assigned_to=rep)
    log = activities.log(by=rep, lead_id=lead.pk, activity_type="email", direction="inbound", notes="Yes please")
    lead.refresh_from_db()
    version_before = lead.version
    correct(rep, log, direction="outbound", notes="Sent the offer")
    lead.refresh_from_db()
    log.refresh_from_db()
    assert log.direction == "outbound"
    assert log.notes == "Sent the offer"
    change = FieldChange.objects.get(lead=lead, field="activity")
    activity = {"id": log.pk, "was": "Email"}
    assert change.field == "activity"
    assert change.by == rep
    assert change.old == activity | {"direction": "inbound", "notes": "Yes please"}
    assert change.new == activity | {"direction": "outbound", "notes": "Sent the offer"}
    assert lead.score == 0
    assert lead.first_contacted_at == log.occurred_at
    assert lead.version > version_before
    assert sum(lead.score_history.values_list("points_changed", flat=True)) == 0
    assert lead.score_history.first().reason == "Corrected: Email"


def test_the_leads_derived_dates_follow_a_correction(rep, make_lead):
    lead, now = make_lead(assigned_to=rep), timezone.now()

    def log_call(hours_ago):
        occurred_at = now - timedelta(hours=hours_ago)
        return activities.log(
            by=rep, lead_id=lead.pk, activity_type="call", direction="outbound", occurred_at=occurred_at
        )

    early, late = log_call(hours_ago=9), log_call(hours_ago=2)
    correct(rep, early, direction="inbound")
    correct(rep, late, occurred_at=now - timedelta(hours=3))
    lead.refresh_from_db()
    assert lead.first_contacted_at == now - timedelta(hours=3)
    assert lead.last_activity_at == now - timedelta(hours=3)
    correct(rep, late, activity_type="note")
    lead.refresh_from_db()
    assert lead.first_contacted_at is None
    assert lead.last_activity_at == now - timedelta(hours=3)


def test_a_first_contact_set_by_a_status_stays(rep, make_lead):
    lead = make_lead(assigned_to=rep)
    contacted = leads.update(by=rep, lead_id=lead.pk, changes={"status": "contacted"}).first_contacted_at
    log = activities.log(by=rep, lead_id=lead.pk, activity_type="call", direction="outbound")
    correct(rep, log, direction="inbound")
    lead.refresh_from_db()
    assert lead.first_contacted_at == contacted


def test_only_the_author_and_managers_may_correct_an_activity(rep, colleague, stranger, manager, make_lead):
    lead = make_lead(assigned_to=rep)
    log = activities.log(by=rep, lead_id=lead.pk, activity_type="note")
    with pytest.raises(errors.NotYourActivity):
        correct(colleague, log, notes="x")
    with pytest.raises(errors.NotFound):
        correct(stranger, log, notes="x")
    assert correct(manager, log, notes="Seen").notes == "Seen"
    lead.assigned_to = colleague
    lead.save()
    assert correct(rep, log, notes="Mine").notes == "Mine"


def test_some_activities_and_values_cannot_be_corrected(rep, make_lead):
    lead = make_lead(assigned_to=rep)
    leads.update(by=rep, lead_id=lead.pk, changes={"status": "contacted"})
    follow_up = follow_ups.create(by=rep, lead_id=lead.pk, follow_up_type="call", scheduled_date=date(2026, 1, 5))
    follow_ups.complete(by=rep, follow_up_id=follow_up.pk, completion_input=CompletionInput(outcome="voicemail"))
    change_count = FieldChange.objects.count()
    for log in Activity.objects.filter(lead=lead):
        with pytest.raises(errors.NotLoggedByHand):
            correct(rep, log, notes="x")
    log = activities.log(by=rep, lead_id=lead.pk, activity_type="note")
    for wrong_values in (
        {"activity_type": "transfer"},
        {"lead": 1},
        {"user": None},
        {"occurred_at": timezone.now() + timedelta(days=1)},
    ):
        with pytest.raises(errors.Invalid):
            correct(rep, log, **wrong_values)
    correct(rep, log, notes="")
    assert FieldChange.objects.count() == change_count
    with pytest.raises(errors.NotFound):
        activities.correct(by=rep, activity_id=999_999, changes={})
