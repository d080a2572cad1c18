"""Merging leads: no row is lost, and histories and counts still add up."""

import os
from datetime import UTC, date, datetime

import pytest
from django.apps import apps
from django.db import models, transaction
from django.db.models import F, Sum
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from athena.accounts.models import User
from sales import errors
from sales.models import (
    Activity,
    Cadence,
    CadenceEnrolment,
    CadenceStep,
    FieldChange,
    FollowUp,
    Lead,
    LeadScoreHistory,
    LeadSearch,
    LeadTransfer,
    NotDuplicate,
)
from sales.services import activities
from sales.services.follow_ups import cadences, follow_ups
from sales.services.follow_ups.completion import CompletionInput
from sales.services.leads import leads, merging
from sales.services.ownership import transfers

EXAMPLES = int(os.environ.get("MERGE_EXAMPLES", "12"))
PICKUP = datetime(2027, 5, 8, 13, tzinfo=UTC)


@pytest.fixture
def band(rep):
    return leads.create(by=rep, values={"company_name": "Lincoln Band", "phone": "617 555 0123"})


@pytest.fixture
def twin(colleague):
    return leads.create(
        by=colleague,
        values={
            "contact_name": "Dana Ruiz",
            "email": "Dana@lincoln.example",
            "phone": "617 555 0199",
            "pickup_at": PICKUP,
            "estimated_passengers": 60,
            "estimated_value": 6000,
            "is_repeat": True,
        },
    )


def test_everything_moves_and_the_empty_fields_are_filled(manager, rep, colleague, band, twin):
    note = activities.log(by=colleague, lead_id=twin.pk, activity_type="email", direction="inbound", notes="Hello")
    planned = follow_ups.create(by=colleague, lead_id=twin.pk, follow_up_type="call", scheduled_date=date(2027, 1, 5))
    done = follow_ups.create(by=colleague, lead_id=twin.pk, follow_up_type="call", scheduled_date=date(2027, 1, 4))
    follow_ups.complete(by=colleague, follow_up_id=done.pk, completion_input=CompletionInput(outcome="successful"))
    leads.update(by=colleague, lead_id=twin.pk, changes={"notes": "By the gym"})
    twin.refresh_from_db()
    twins_score, bands_version = twin.score, band.version

    kept = merging.merge_leads(by=manager, lead_id=band.pk, duplicate_ids=[twin.pk])

    assert kept.company_name == "Lincoln Band"
    assert kept.contact_name == "Dana Ruiz"
    assert kept.email == "Dana@lincoln.example"
    assert kept.phone == "617 555 0123"
    assert kept.notes == "By the gym"
    assert kept.email_normalised == "dana@lincoln.example"
    assert kept.phone_normalised == "+16175550123"
    assert kept.pickup_at == PICKUP
    assert kept.estimated_passengers == 60
    assert kept.is_repeat is True
    assert kept.assigned_to == rep
    assert kept.follow_up_count == 1
    assert kept.status == "new"
    planned.refresh_from_db()
    assert planned.lead == kept
    assert planned.assigned_to == colleague
    assert planned.is_open is True
    assert kept.next_follow_up_date == planned.due_at
    assert kept.first_contacted_at is not None
    assert kept.score > 0
    assert kept.version > bands_version
    assert {note.pk} < set(Activity.objects.filter(lead=kept).values_list("pk", flat=True))
    twin.refresh_from_db()
    assert twin.merged_into == kept
    assert twin.score == twins_score
    assert twin.next_follow_up_date is None
    assert twin.archived_at is not None
    assert not Lead.objects.visible_to(colleague).filter(pk=twin.pk).exists()
    assert not Activity.objects.filter(lead=twin).exists()
    assert Lead.objects.search("dana@lincoln").visible_to(manager).get() == kept
    assert LeadSearch.objects.filter(lead=twin).exists()


@pytest.mark.parametrize("kept_is_enrolled", [True, False])
def test_one_cadence_keeps_running(manager, rep, band, twin, kept_is_enrolled):
    cadence = Cadence.objects.create(name="New inquiry")
    CadenceStep.objects.create(cadence=cadence, day=0, follow_up_type="call")
    third = leads.create(by=rep, values={"company_name": "Lincoln Band", "email": "d@lincoln.example"})
    enrolled_leads = [twin, third, *([band] if kept_is_enrolled else [])]
    enrolments = [cadences.enroll(by=None, lead_id=lead.pk, cadence_id=cadence.pk) for lead in enrolled_leads]
    merging.merge_leads(by=manager, lead_id=band.pk, duplicate_ids=[twin.pk, third.pk])
    (running,) = CadenceEnrolment.objects.running()
    assert running.lead_id == band.pk
    assert running == (enrolments[-1] if kept_is_enrolled else enrolments[0])
    stopped = CadenceEnrolment.objects.exclude(pk=running.pk)
    assert set(stopped.values_list("lead", "stop_reason")) == {(band.pk, "Merged into Lincoln Band")}


def test_a_merge_is_recorded(manager, band, twin):
    FieldChange.objects.all().delete()
    merging.merge_leads(by=manager, lead_id=band.pk, duplicate_ids=[twin.pk])
    rows = {row.field: (row.lead_id, row.old, row.new, row.by) for row in FieldChange.objects.all()}
    assert rows == {
        "merged": (band.pk, None, {"lead_id": twin.pk, "name": "Dana Ruiz"}, manager),
        "archived": (twin.pk, False, True, manager),
        "contact_name": (band.pk, "", "Dana Ruiz", manager),
        "email": (band.pk, "", "Dana@lincoln.example", manager),
        "pickup_at": (band.pk, None, PICKUP.isoformat(), manager),
        "estimated_passengers": (band.pk, None, 60, manager),
        "estimated_value": (band.pk, None, 6000.0, manager),
        "is_repeat": (band.pk, False, True, manager),
    }
    reason = LeadScoreHistory.objects.filter(lead=band).latest("id").reason
    assert reason == "Merged: Dana Ruiz"


def test_the_oldest_duplicate_fills_first_and_conflicting_values_are_left_out(manager, rep, band):
    leads.update(by=rep, lead_id=band.pk, changes={"return_at": PICKUP})
    first = leads.create(by=rep, values={"contact_name": "First", "pickup_at": PICKUP.replace(day=20)})
    second = leads.create(by=rep, values={"contact_name": "Second", "pickup_at": PICKUP.replace(day=1)})
    kept = merging.merge_leads(by=manager, lead_id=band.pk, duplicate_ids=[second.pk, first.pk])
    assert kept.contact_name == "First"
    assert kept.pickup_at == PICKUP.replace(day=1)


def test_leads_merged_into_a_duplicate_move_with_it(manager, band, twin, make_lead):
    oldest = make_lead(assigned_to=manager)
    merging.merge_leads(by=manager, lead_id=twin.pk, duplicate_ids=[oldest.pk])
    merging.merge_leads(by=manager, lead_id=band.pk, duplicate_ids=[twin.pk])
    assert set(Lead.objects.filter(merged_into=band)) == {twin, oldest}


@pytest.mark.parametrize("kept_is_closed", [True, False])
def test_a_refused_merge_changes_nothing(manager, rep, stranger, band, twin, make_lead, kept_is_closed):
    invisible = make_lead(assigned_to=stranger)
    closed = make_lead(assigned_to=rep, status="won")
    leads_with_a_closed_one = (closed.pk, [band.pk]) if kept_is_closed else (band.pk, [twin.pk, closed.pk])
    cases = [
        (rep, (band.pk, [twin.pk]), errors.NotAllowed),
        (manager, (band.pk, [twin.pk, band.pk]), errors.Invalid),
        (manager, (band.pk, []), errors.Invalid),
        (manager, (band.pk, [twin.pk, invisible.pk]), errors.NotFound),
        (manager, (band.pk, [twin.pk, 999_999]), errors.NotFound),
        (manager, (invisible.pk, [twin.pk]), errors.NotFound),
        (manager, leads_with_a_closed_one, errors.LeadClosed),
    ]
    rows_before = list(Lead.objects.order_by("pk").values())
    for by, (kept_id, duplicate_ids), error in cases:
        with pytest.raises(error), transaction.atomic():
            merging.merge_leads(by=by, lead_id=kept_id, duplicate_ids=duplicate_ids)
    assert list(Lead.objects.order_by("pk").values()) == rows_before
    assert not FieldChange.objects.filter(field="merged").exists()


def test_a_merged_lead_cannot_be_restored(manager, band, twin):
    merging.merge_leads(by=manager, lead_id=band.pk, duplicate_ids=[twin.pk])
    with pytest.raises(errors.LeadMerged):
        leads.restore(by=manager, lead_id=twin.pk)


def test_a_preview_shows_the_filled_fields_and_writes_nothing(manager, band, twin):
    rows_before = list(Lead.objects.order_by("pk").values())
    changes = merging.preview_merge(by=manager, lead_id=band.pk, duplicate_ids=[twin.pk])
    assert list(Lead.objects.order_by("pk").values()) == rows_before
    kept = merging.merge_leads(by=manager, lead_id=band.pk, duplicate_ids=[twin.pk])
    assert {name: leads.json_value(kept, name) for name in changes} == {name: new for name, (_, new) in changes.items()}
    assert set(changes) == {
        "contact_name",
        "email",
        "pickup_at",
        "estimated_passengers",
        "estimated_value",
        "is_repeat",
    }


def test_every_table_that_points_to_leads_moves_or_is_declared_to_stay():
    """Compares with all foreign keys to leads, so that a new table is not forgotten."""
    foreign_keys = {
        (model, field.name)
        for model in apps.get_models()
        for field in model._meta.concrete_fields
        if field.is_relation and field.related_model is Lead
    }
    moved_keys = {(field.model, field.name) for field in merging.list_moved_keys()}
    unmoved_keys = {(model, name) for model, name in foreign_keys if model in merging.UNMOVED_MODELS}
    one_to_one_keys = {
        (model, name) for model, name in foreign_keys if isinstance(model._meta.get_field(name), models.OneToOneField)
    }
    assert moved_keys | one_to_one_keys | unmoved_keys == foreign_keys
    assert {(Activity, "lead"), (FollowUp, "lead"), (FieldChange, "lead"), (Lead, "merged_into")} <= moved_keys
    assert {LeadScoreHistory, LeadTransfer, NotDuplicate} == merging.UNMOVED_MODELS
    assert one_to_one_keys == {(LeadSearch, "lead"), (Lead, "repeat_of")}


# Each step is an action and the indexes of two of six leads.
ACTIONS = st.sampled_from(["merge", "log", "plan", "complete", "transfer", "change"])
STEPS = st.lists(st.tuples(ACTIONS, st.integers(0, 5), st.integers(0, 5)), min_size=3, max_size=14)


def do_step(action, lead_id, other_id, people):
    manager, rep, colleague = people
    match action:
        case "merge":
            merging.merge_leads(by=manager, lead_id=lead_id, duplicate_ids=[other_id])
        case "log":
            activities.log(by=manager, lead_id=lead_id, activity_type="quote_requested", direction="inbound")
        case "plan":
            follow_ups.create(by=manager, lead_id=lead_id, follow_up_type="call", scheduled_date=date(2027, 1, 5))
        case "complete":
            follow_up = FollowUp.objects.open().filter(lead=lead_id, assigned_to=manager).first()
            if follow_up is not None:
                follow_ups.complete(
                    by=manager, follow_up_id=follow_up.pk, completion_input=CompletionInput(outcome="successful")
                )
        case "transfer":
            receiver = rep if Lead.objects.get(pk=lead_id).assigned_to_id != rep.pk else colleague
            transfers.transfer(by=manager, leads=Lead.objects.filter(pk=lead_id), to_user_id=receiver.pk)
        case "change":
            leads.update(by=manager, lead_id=lead_id, changes={"estimated_passengers": 10 + other_id * 20})


def list_rows():
    """The model and primary key of each row that belongs to a lead."""
    return {
        (model, pk)
        for model in (Activity, FollowUp, FieldChange, LeadScoreHistory, LeadTransfer)
        for pk in model.objects.values_list("pk", flat=True)
    }


@pytest.mark.django_db
@settings(max_examples=EXAMPLES, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(steps=STEPS)
def test_after_random_merges_every_row_has_its_lead_and_every_history_adds_up(people, steps):
    with transaction.atomic():
        check_random_merges(people, steps)
        transaction.set_rollback(True)


@pytest.fixture
def people(manager, rep, colleague):
    return manager, rep, colleague


def check_random_merges(people: tuple[User, ...], steps) -> None:
    manager, rep, _ = people
    lead_ids = [
        leads.create(by=manager, values={"company_name": f"Band {number}", "assigned_to": rep.pk}).pk
        for number in range(6)
    ]
    for action, first, second in steps:
        rows_before = list_rows()
        try:
            do_step(action, lead_ids[first], lead_ids[second], people)
        except (errors.NotFound, errors.Invalid):
            continue
        assert rows_before <= list_rows(), "a row was lost"
    for lead in Lead.objects.all():
        history = list(LeadScoreHistory.objects.filter(lead=lead).order_by("id"))
        assert lead.score == sum(row.points_changed for row in history)
        assert [row.old_score for row in history] == [0, *(row.new_score for row in history)][: len(history)]
        transfer_rows = list(LeadTransfer.objects.filter(lead=lead).order_by("id"))
        assert [row.from_user_id for row in transfer_rows[1:]] == [row.to_user_id for row in transfer_rows[:-1]]
        completed_count = FollowUp.objects.filter(lead=lead, completed=True).count()
        next_due_at = (
            FollowUp.objects.open().filter(lead=lead).order_by("due_at").values_list("due_at", flat=True).first()
        )
        assert lead.next_follow_up_date == next_due_at
        if lead.merged_into_id is None:
            assert lead.follow_up_count == completed_count
        else:
            assert not any(model.objects.filter(lead=lead).exists() for model in (Activity, FollowUp))
            assert set(FieldChange.objects.filter(lead=lead).values_list("field", flat=True)) == {"archived"}
            assert Lead.objects.get(pk=lead.merged_into_id).merged_into_id is None
    merges = FieldChange.objects.filter(field="merged").values_list("new", flat=True)
    assert sorted(merge["lead_id"] for merge in merges) == sorted(
        Lead.objects.exclude(merged_into=None).values_list("pk", flat=True)
    )
    assert not Activity.objects.exclude(follow_up=None).exclude(follow_up__lead=F("lead")).exists()
    points = LeadScoreHistory.objects.aggregate(all=Sum("points_changed"))["all"] or 0
    assert points == Lead.objects.aggregate(all=Sum("score"))["all"]


@pytest.fixture
def three_leads(rep, band, twin, make_lead):
    """A lead of each of two owners, and a third lead with the first one's phone that no test dismisses."""
    return band, twin, make_lead(company_name="Other band", assigned_to=rep, phone=band.phone)


@pytest.mark.parametrize("order", [1, -1], ids=["older lead first", "newer lead first"])
def test_leads_that_are_dismissed_are_remembered_once(rep, three_leads, order):
    first, second, _ = three_leads
    lead, other = (first, second)[::order]
    merging.dismiss_duplicate(by=rep, lead_id=lead.pk, other_id=other.pk)
    merging.dismiss_duplicate(by=rep, lead_id=other.pk, other_id=lead.pk)
    row = NotDuplicate.objects.get()
    assert row.first == first
    assert row.second == second
    assert row.by == rep


def test_the_owner_of_either_lead_may_dismiss(rep, colleague, three_leads):
    first, second, other = three_leads
    merging.dismiss_duplicate(by=colleague, lead_id=first.pk, other_id=second.pk)
    assert NotDuplicate.objects.filter(by=colleague).count() == 1
    with pytest.raises(errors.NotYourLead):
        merging.dismiss_duplicate(by=colleague, lead_id=first.pk, other_id=other.pk)
    assert NotDuplicate.objects.count() == 1


def test_a_lead_is_not_dismissed_as_its_own_duplicate(rep, band):
    with pytest.raises(errors.Invalid):
        merging.dismiss_duplicate(by=rep, lead_id=band.pk, other_id=band.pk)
    assert not NotDuplicate.objects.exists()


def test_a_lead_that_is_not_visible_cannot_be_dismissed(stranger, make_lead, three_leads):
    first, _, _ = three_leads
    own = make_lead(assigned_to=stranger)
    with pytest.raises(errors.NotFound):
        merging.dismiss_duplicate(by=stranger, lead_id=own.pk, other_id=first.pk)
    with pytest.raises(errors.NotFound):
        merging.dismiss_duplicate(by=None, lead_id=own.pk, other_id=0)
    assert not NotDuplicate.objects.exists()
