"""What activities say of how far a sale has come, and that a correction takes it back."""

from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest
from django.utils import timezone

from athena.accounts.models import local_today
from sales import errors
from sales.models import Activity, FieldChange, Lead
from sales.services import activities
from sales.services.follow_ups import follow_ups
from sales.services.follow_ups.completion import CompletionInput
from sales.services.leads import leads, merging

TYPES = ("call", "email", "meeting", "quote", "note", "other", "quote_requested")
CONTACTS = ("call", "email", "meeting")


@pytest.fixture
def lead(make_lead, rep):
    return make_lead(assigned_to=rep)


@pytest.fixture
def log(rep, lead):
    def make(activity_type="call", direction="outbound", **more):
        return activities.log(by=rep, lead_id=lead.pk, activity_type=activity_type, direction=direction, **more)

    return make


@pytest.fixture
def correct(rep):
    return lambda activity, **changes: activities.correct(by=rep, activity_id=activity.pk, changes=changes)


def state(lead):
    lead.refresh_from_db()
    reached = (lead.first_contacted_at, lead.qualified_at, lead.quoted_at)
    return lead.status, tuple(at is not None for at in reached), lead.quote_amount, lead.quote_valid_until


NEW = ("new", (False, False, False), None, None)
CONTACTED = ("contacted", (True, False, False), None, None)


def quoted(amount, until=None):
    return "quoted", (True, True, True), Decimal(amount), until


@pytest.mark.parametrize("direction", ["outbound", "inbound", None])
@pytest.mark.parametrize("kind", TYPES)
def test_the_status_of_a_new_lead_after_an_activity(rep, lead, log, kind, direction):
    activity = log(kind, direction)
    if kind == "quote" and direction != "inbound":
        assert state(lead) == ("quoted", (True, True, True), None, None)
    else:
        assert state(lead) == (CONTACTED if kind in CONTACTS and direction == "outbound" else NEW)
    changes = list(FieldChange.objects.filter(field="status").values_list("new", "by", "activity"))
    entries = Activity.objects.filter(activity_type="status_change").values_list("data__to", flat=True)
    assert changes == ([] if lead.status == "new" else [(lead.status, rep.pk, activity.pk)])
    assert list(entries) == [status for status, *_ in changes]
    assert (lead.version > 1, lead.first_contacted_at) == (
        True, activity.occurred_at if lead.status != "new" else None,
    )  # fmt: skip


@pytest.mark.parametrize("outcome", ["successful", "no_answer", "voicemail", "rescheduled", "lost"])
@pytest.mark.parametrize("kind", ["call", "email", "meeting", "quote", "other"])
def test_the_status_of_a_new_lead_after_a_completed_follow_up(rep, lead, kind, outcome):
    plan = follow_ups.create(by=rep, lead_id=lead.pk, follow_up_type=kind, scheduled_date=local_today(rep))
    follow_ups.complete(by=rep, follow_up_id=plan.pk, completion_input=CompletionInput(outcome=outcome))
    assert state(lead) == (NEW if kind == "other" or outcome == "no_answer" else CONTACTED)


def test_a_completed_quote_with_an_amount_is_a_quote(rep, lead):
    plan = follow_ups.create(by=rep, lead_id=lead.pk, follow_up_type="quote", scheduled_date=local_today(rep))
    until = date(2027, 3, 1)
    follow_ups.complete(
        by=rep,
        follow_up_id=plan.pk,
        completion_input=CompletionInput(outcome="successful", amount=Decimal("4200.50"), valid_until=until),
    )
    assert state(lead) == quoted("4200.50", until)
    data = Activity.objects.get(activity_type="quote").data
    assert data == {"outcome": "successful", "amount": 4200.5, "valid_until": "2027-03-01"}


@pytest.mark.parametrize("status", ["contacted", "qualified", "quoted", "won", "lost"])
def test_a_status_never_moves_back_and_a_closed_lead_stays_closed(rep, make_lead, status):
    ending = {"won": {"booked_value": 900}, "lost": {"lost_reason_id": "price"}}
    lead = make_lead(assigned_to=rep, status=status, **ending.get(status, {}))
    activities.log(by=rep, lead_id=lead.pk, activity_type="call", direction="outbound")
    lead.refresh_from_db()
    assert lead.status == status
    activities.log(by=rep, lead_id=lead.pk, activity_type="quote", amount=Decimal(700))
    lead.refresh_from_db()
    assert (lead.status, lead.quote_amount) == (status if status in ending else "quoted", Decimal(700))


def test_the_latest_quote_becomes_the_leads_quote(lead, log):
    now = timezone.now()
    log("quote", amount=Decimal(4200), valid_until=date(2027, 1, 5), occurred_at=now - timedelta(days=3))
    log("quote", amount=Decimal(3900), occurred_at=now - timedelta(days=1))
    log("quote", amount=Decimal(5000), occurred_at=now - timedelta(days=2))
    assert state(lead) == quoted(3900)
    assert lead.quoted_at == lead.first_contacted_at == now - timedelta(days=3)
    for wrong, name in (
        ({"activity_type": "call", "amount": Decimal(1)}, "amount"),
        ({"activity_type": "note", "valid_until": date(2027, 1, 1)}, "valid_until"),
        ({"activity_type": "quote", "valid_until": date(2027, 1, 1)}, "amount"),
    ):
        with pytest.raises(errors.Invalid) as refused:
            log(**wrong)
        assert list(refused.value.fields) == [name]


@pytest.mark.parametrize(
    "corrections",
    [
        [{"direction": "inbound"}],
        [{"activity_type": "note"}],
        [{"activity_type": "note"}, {"activity_type": "call"}, {"direction": None}],
        [{"notes": "x"}, {"direction": "inbound"}],
        [{"occurred_at": timezone.now() - timedelta(days=2)}, {"activity_type": "quote_requested"}],
    ],
)
def test_a_correction_takes_a_contact_back(rep, lead, log, correct, corrections):
    call = log()
    assert state(lead) == CONTACTED
    for changes in corrections:
        correct(call, **changes)
    assert state(lead) == NEW
    correct(call, activity_type="meeting", direction="outbound")
    assert state(lead) == CONTACTED
    assert lead.first_contacted_at == Activity.objects.get(pk=call.pk).occurred_at
    changes = list(FieldChange.objects.filter(field="status").order_by("pk").values_list("old", "new"))
    assert all(old == new for (_, old), (new, _) in pairwise(changes)), changes


def test_another_contact_keeps_the_lead_contacted(lead, log, correct):
    first, second = log(), log("email")
    correct(first, direction="inbound")
    assert state(lead) == CONTACTED
    assert lead.first_contacted_at == second.occurred_at
    correct(second, direction="inbound")
    assert state(lead) == NEW


def test_a_correction_takes_a_quote_back_to_the_one_before(lead, log, correct):
    lead.quote_amount = Decimal(100)
    lead.save()
    log("call")
    first = log("quote", amount=Decimal(4200), valid_until=date(2027, 1, 5))
    second = log("quote", amount=Decimal(3900), valid_until=date(2027, 1, 8))
    correct(second, amount=Decimal(3950))
    assert state(lead) == quoted(3950, date(2027, 1, 8))
    correct(second, activity_type="note")
    assert Activity.objects.get(pk=second.pk).data == {}
    assert state(lead) == quoted(4200, date(2027, 1, 5))
    correct(first, amount=None, valid_until=None)
    assert state(lead) == quoted(100)
    correct(first, activity_type="note")
    assert state(lead) == ("contacted", (True, False, False), Decimal(100), None)
    with pytest.raises(errors.Invalid):
        correct(first, amount=Decimal(5))


def test_values_that_a_person_set_since_stay(rep, lead, log, correct):
    call, quote = log("call"), log("quote", amount=Decimal(4200), valid_until=date(2027, 1, 5))
    leads.update(by=rep, lead_id=lead.pk, changes={"status": "qualified", "quote_amount": Decimal(4000)})
    correct(quote, amount=Decimal(4100), valid_until=date(2027, 1, 6))
    lead.refresh_from_db()
    assert (lead.status, lead.quote_amount, lead.quote_valid_until) == ("qualified", 4000, date(2027, 1, 6))
    correct(quote, activity_type="note")
    correct(call, activity_type="note")
    assert state(lead) == ("qualified", (True, True, False), Decimal(4000), None)
    log("quote", amount=Decimal(5000))
    assert state(lead)[:1] + state(lead)[2:3] == ("quoted", Decimal(5000))


def test_a_correction_rescores_the_lead_and_does_not_change_a_closed_one(rep, lead, log, correct):
    call = log()
    leads.update(by=rep, lead_id=lead.pk, changes={"status": "lost", "lost_reason": "price"})
    version = Lead.objects.get(pk=lead.pk).version
    correct(call, direction="inbound")
    lead.refresh_from_db()
    assert (lead.status, lead.version > version) == ("lost", True)


def test_after_a_merge_the_kept_leads_own_status_stays(rep, manager, make_lead, lead, log, correct):

    other = make_lead(assigned_to=rep, company_name="Other")
    call = activities.log(by=rep, lead_id=other.pk, activity_type="call", direction="outbound")
    leads.update(by=rep, lead_id=lead.pk, changes={"status": "contacted"})
    merging.merge_leads(by=manager, lead_id=lead.pk, duplicate_ids=[other.pk])
    correct(call, direction="inbound")
    lead.refresh_from_db()
    assert lead.status == "contacted"
