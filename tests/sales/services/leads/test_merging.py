"""One lead of several: nothing is lost, everything adds up."""

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
        values={"contact_name": "Dana Ruiz", "email": "Dana@lincoln.example", "phone": "617 555 0199",
                "pickup_at": PICKUP, "estimated_passengers": 60, "estimated_value": 6000, "is_repeat": True},
    )  # fmt: skip


def test_everything_moves_and_the_empty_fields_are_filled(manager, rep, colleague, band, twin):
    note = activities.log(by=colleague, lead_id=twin.pk, activity_type="email", direction="inbound", notes="Hello")
    plan = follow_ups.create(by=colleague, lead_id=twin.pk, follow_up_type="call", scheduled_date=date(2027, 1, 5))
    done = follow_ups.create(by=colleague, lead_id=twin.pk, follow_up_type="call", scheduled_date=date(2027, 1, 4))
    follow_ups.complete(by=colleague, follow_up_id=done.pk, completion_input=CompletionInput(outcome="successful"))
    leads.update(by=colleague, lead_id=twin.pk, changes={"notes": "By the gym"})
    twin.refresh_from_db()
    before = {"twin": twin.score, "band": band.version}

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
    plan.refresh_from_db()
    assert plan.lead == kept
    assert plan.assigned_to == colleague
    assert plan.is_open is True
    assert kept.next_follow_up_date == plan.due_at
    assert kept.first_contacted_at is not None
    assert kept.score > 0
    assert kept.version > before["band"]
    assert {note.pk} < set(Activity.objects.filter(lead=kept).values_list("pk", flat=True))
    twin.refresh_from_db()
    assert twin.merged_into == kept
    assert twin.score == before["twin"]
    assert twin.next_follow_up_date is None
    assert twin.archived_at is not None
    assert not Lead.objects.visible_to(colleague).filter(pk=twin.pk).exists()
    assert not Activity.objects.filter(lead=twin).exists()
    assert Lead.objects.search("dana@lincoln").visible_to(manager).get() == kept
    assert LeadSearch.objects.filter(lead=twin).exists()


@pytest.mark.parametrize("kept_has_one", [True, False])
def test_one_cadence_keeps_running(manager, rep, band, twin, kept_has_one):
    cadence = Cadence.objects.create(name="New inquiry")
    CadenceStep.objects.create(cadence=cadence, day=0, follow_up_type="call")
    third = leads.create(by=rep, values={"company_name": "Lincoln Band", "email": "d@lincoln.example"})
    on_it = [twin, third, *([band] if kept_has_one else [])]
    started = [cadences.enroll(by=None, lead_id=lead.pk, cadence_id=cadence.pk).pk for lead in on_it]
    merging.merge_leads(by=manager, lead_id=band.pk, duplicate_ids=[twin.pk, third.pk])
    (running,) = CadenceEnrolment.objects.running()
    assert running.lead_id == band.pk
    assert running.pk == (started[-1] if kept_has_one else started[0])
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
    far = make_lead(assigned_to=stranger)
    closed = make_lead(assigned_to=rep, status="won")
    pair = (closed.pk, [band.pk]) if kept_is_closed else (band.pk, [twin.pk, closed.pk])
    cases = [
        (rep, (band.pk, [twin.pk]), errors.NotAllowed),
        (manager, (band.pk, [twin.pk, band.pk]), errors.Invalid),
        (manager, (band.pk, []), errors.Invalid),
        (manager, (band.pk, [twin.pk, far.pk]), errors.NotFound),
        (manager, (band.pk, [twin.pk, 999_999]), errors.NotFound),
        (manager, (far.pk, [twin.pk]), errors.NotFound),
        (manager, pair, errors.LeadClosed),
    ]
    before = list(Lead.objects.order_by("pk").values())
    for by, (kept, others), refused in cases:
        with pytest.raises(refused), transaction.atomic():
            merging.merge_leads(by=by, lead_id=kept, duplicate_ids=others)
    assert list(Lead.objects.order_by("pk").values()) == before
    assert not FieldChange.objects.filter(field="merged").exists()


def test_a_merged_lead_cannot_be_restored(manager, band, twin):
    merging.merge_leads(by=manager, lead_id=band.pk, duplicate_ids=[twin.pk])
    with pytest.raises(errors.LeadMerged):
        leads.restore(by=manager, lead_id=twin.pk)


def test_a_preview_shows_the_filled_fields_and_writes_nothing(manager, band, twin):
    before = list(Lead.objects.order_by("pk").values())
    changes = merging.preview_merge(by=manager, lead_id=band.pk, duplicate_ids=[twin.pk])
    assert list(Lead.objects.order_by("pk").values()) == before
    kept = merging.merge_leads(by=manager, lead_id=band.pk, duplicate_ids=[twin.pk])
    assert {name: leads.json_value(kept, name) for name in changes} == {name: new for name, (_, new) in changes.items()}
    assert set(changes) == {
        "contact_name", "email", "pickup_at", "estimated_passengers", "estimated_value", "is_repeat"
    }  # fmt: skip


def test_every_table_that_points_to_leads_moves_or_is_declared_to_stay():
    """Held against the columns that there are, so that a new table is not forgotten."""
    pointing = {
        (model, field.name)
        for model in apps.get_models()
        for field in model._meta.concrete_fields
        if field.is_relation and field.related_model is Lead
    }
    moving = {(field.model, field.name) for field in merging.list_moved_keys()}
    of_one = {
        (model, name) for model, name in pointing if isinstance(model._meta.get_field(name), models.OneToOneField)
    }
    assert moving | of_one | {(m, name) for m, name in pointing if m in merging.UNMOVED_MODELS} == pointing
    assert {(Activity, "lead"), (FollowUp, "lead"), (FieldChange, "lead"), (Lead, "merged_into")} <= moving
    assert {LeadScoreHistory, LeadTransfer, NotDuplicate} == merging.UNMOVED_MODELS
    assert of_one == {(LeadSearch, "lead"), (Lead, "repeat_of")}


STEPS = st.lists(st.tuples(st.sampled_from(["merge", "log", "plan", "complete", "transfer", "change"]),
                           st.integers(0, 5), st.integers(0, 5)), min_size=3, max_size=14)  # fmt: skip


def act(step, one, other, people):
    manager, rep, colleague = people
    match step:
        case "merge":
            merging.merge_leads(by=manager, lead_id=one, duplicate_ids=[other])
        case "log":
            activities.log(by=manager, lead_id=one, activity_type="quote_requested", direction="inbound")
        case "plan":
            follow_ups.create(by=manager, lead_id=one, follow_up_type="call", scheduled_date=date(2027, 1, 5))
        case "complete":
            plan = FollowUp.objects.open().filter(lead=one, assigned_to=manager).first()
            if plan is not None:
                follow_ups.complete(
                    by=manager, follow_up_id=plan.pk, completion_input=CompletionInput(outcome="successful")
                )
        case "transfer":
            to = rep if Lead.objects.get(pk=one).assigned_to_id != rep.pk else colleague
            transfers.transfer(by=manager, leads=Lead.objects.filter(pk=one), to_user_id=to.pk)
        case "change":
            leads.update(by=manager, lead_id=one, changes={"estimated_passengers": 10 + other * 20})


def rows():
    """Each row that belongs to a lead, by its table and key."""
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
    six = [leads.create(by=people[0], values={"company_name": f"Band {n}", "assigned_to": people[1].pk}).pk
           for n in range(6)]  # fmt: skip
    for step, one, other in steps:
        before = rows()
        try:
            act(step, six[one], six[other], people)
        except (errors.NotFound, errors.Invalid):
            continue
        assert before <= rows(), "no row is lost"
    for lead in Lead.objects.all():
        history = list(LeadScoreHistory.objects.filter(lead=lead).order_by("id"))
        assert lead.score == sum(row.points_changed for row in history)
        assert [row.old_score for row in history] == [0, *(row.new_score for row in history)][: len(history)]
        moves = list(LeadTransfer.objects.filter(lead=lead).order_by("id"))
        assert [row.from_user_id for row in moves[1:]] == [row.to_user_id for row in moves[:-1]]
        done = FollowUp.objects.filter(lead=lead, completed=True).count()
        due = FollowUp.objects.open().filter(lead=lead).order_by("due_at").values_list("due_at", flat=True).first()
        assert lead.next_follow_up_date == due
        if lead.merged_into_id is None:
            assert lead.follow_up_count == done
        else:
            assert not any(model.objects.filter(lead=lead).exists() for model in (Activity, FollowUp))
            assert set(FieldChange.objects.filter(lead=lead).values_list("field", flat=True)) == {"archived"}
            assert Lead.objects.get(pk=lead.merged_into_id).merged_into_id is None
    gone = FieldChange.objects.filter(field="merged").values_list("new", flat=True)
    assert sorted(row["lead_id"] for row in gone) == sorted(
        Lead.objects.exclude(merged_into=None).values_list("pk", flat=True)
    )
    assert not Activity.objects.exclude(follow_up=None).exclude(follow_up__lead=F("lead")).exists()
    points = LeadScoreHistory.objects.aggregate(all=Sum("points_changed"))["all"] or 0
    assert points == Lead.objects.aggregate(all=Sum("score"))["all"]


@pytest.fixture
def pair(rep, band, twin, make_lead):
    """Two leads of two people; a third one, which nobody decides about, has the same phone as both."""
    return band, twin, make_lead(company_name="Other band", assigned_to=rep, phone=band.phone)


@pytest.mark.parametrize("order", [1, -1], ids=["older lead first", "newer lead first"])
def test_leads_that_are_dismissed_are_remembered_once(rep, pair, order):
    first, second, _ = pair
    lead, other = (first, second)[::order]
    merging.dismiss_duplicate(by=rep, lead_id=lead.pk, other_id=other.pk)
    merging.dismiss_duplicate(by=rep, lead_id=other.pk, other_id=lead.pk)
    remembered = NotDuplicate.objects.get()
    assert remembered.first == first
    assert remembered.second == second
    assert remembered.by == rep


def test_the_owner_of_either_lead_may_dismiss(rep, colleague, pair):
    first, second, other = pair
    merging.dismiss_duplicate(by=colleague, lead_id=first.pk, other_id=second.pk)
    assert NotDuplicate.objects.filter(by=colleague).count() == 1
    with pytest.raises(errors.NotYourLead):
        merging.dismiss_duplicate(by=colleague, lead_id=first.pk, other_id=other.pk)
    assert NotDuplicate.objects.count() == 1


def test_a_lead_is_not_dismissed_as_its_own_duplicate(rep, band):
    with pytest.raises(errors.Invalid):
        merging.dismiss_duplicate(by=rep, lead_id=band.pk, other_id=band.pk)
    assert not NotDuplicate.objects.exists()


def test_a_lead_that_is_not_visible_cannot_be_dismissed(stranger, make_lead, pair):
    first, _, _ = pair
    own = make_lead(assigned_to=stranger)
    with pytest.raises(errors.NotFound):
        merging.dismiss_duplicate(by=stranger, lead_id=own.pk, other_id=first.pk)
    with pytest.raises(errors.NotFound):
        merging.dismiss_duplicate(by=None, lead_id=own.pk, other_id=0)
    assert not NotDuplicate.objects.exists()
