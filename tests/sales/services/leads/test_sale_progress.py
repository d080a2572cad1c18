"""Activities and completed follow-ups advance a lead's status and quote; correcting them takes that back."""

from dataclasses import dataclass, replace
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
    def log_activity(activity_type="call", direction="outbound", **fields):
        return activities.log(by=rep, lead_id=lead.pk, activity_type=activity_type, direction=direction, **fields)

    return log_activity


@pytest.fixture
def correct(rep):
    return lambda activity, **changes: activities.correct(by=rep, activity_id=activity.pk, changes=changes)


@dataclass(frozen=True)
class Progress:
    """How far the sale of a lead has come."""

    status: str
    is_contacted: bool = False
    is_qualified: bool = False
    is_quoted: bool = False
    quote_amount: Decimal | None = None
    quote_valid_until: date | None = None


def read_progress(lead):
    lead.refresh_from_db()
    return Progress(
        status=lead.status,
        is_contacted=lead.first_contacted_at is not None,
        is_qualified=lead.qualified_at is not None,
        is_quoted=lead.quoted_at is not None,
        quote_amount=lead.quote_amount,
        quote_valid_until=lead.quote_valid_until,
    )


NEW = Progress("new")
CONTACTED = Progress("contacted", is_contacted=True)
QUOTED = Progress("quoted", is_contacted=True, is_qualified=True, is_quoted=True)


def quoted(amount, valid_until=None):
    return replace(QUOTED, quote_amount=Decimal(amount), quote_valid_until=valid_until)


@pytest.mark.parametrize("direction", ["outbound", "inbound", None])
@pytest.mark.parametrize("kind", TYPES)
def test_the_status_of_a_new_lead_after_an_activity(rep, lead, log, kind, direction):
    activity = log(kind, direction)
    if kind == "quote" and direction != "inbound":
        assert read_progress(lead) == QUOTED
    else:
        assert read_progress(lead) == (CONTACTED if kind in CONTACTS and direction == "outbound" else NEW)
    changes = list(FieldChange.objects.filter(field="status").values_list("new", "by", "activity"))
    entries = Activity.objects.filter(activity_type="status_change").values_list("data__to", flat=True)
    assert changes == ([] if lead.status == "new" else [(lead.status, rep.pk, activity.pk)])
    assert list(entries) == [status for status, *_ in changes]
    assert lead.version > 1
    assert lead.first_contacted_at == (activity.occurred_at if lead.status != "new" else None)


@pytest.mark.parametrize("outcome", ["successful", "no_answer", "voicemail", "rescheduled", "lost"])
@pytest.mark.parametrize("kind", ["call", "email", "meeting", "quote", "other"])
def test_the_status_of_a_new_lead_after_a_completed_follow_up(rep, lead, kind, outcome):
    follow_up = follow_ups.create(by=rep, lead_id=lead.pk, follow_up_type=kind, scheduled_date=local_today(rep))
    follow_ups.complete(by=rep, follow_up_id=follow_up.pk, completion_input=CompletionInput(outcome=outcome))
    assert read_progress(lead) == (NEW if kind == "other" or outcome == "no_answer" else CONTACTED)


def test_a_completed_quote_with_an_amount_is_a_quote(rep, lead):
    follow_up = follow_ups.create(by=rep, lead_id=lead.pk, follow_up_type="quote", scheduled_date=local_today(rep))
    valid_until = date(2027, 3, 1)
    follow_ups.complete(
        by=rep,
        follow_up_id=follow_up.pk,
        completion_input=CompletionInput(outcome="successful", amount=Decimal("4200.50"), valid_until=valid_until),
    )
    assert read_progress(lead) == quoted("4200.50", valid_until)
    data = Activity.objects.get(activity_type="quote").data
    assert data == {"outcome": "successful", "amount": 4200.5, "valid_until": "2027-03-01"}


@pytest.mark.parametrize("status", ["contacted", "qualified", "quoted", "won", "lost"])
def test_a_status_never_moves_back_and_a_closed_lead_stays_closed(rep, make_lead, status):
    closing_values = {"won": {"booked_value": 900}, "lost": {"lost_reason_id": "price"}}
    lead = make_lead(assigned_to=rep, status=status, **closing_values.get(status, {}))
    activities.log(by=rep, lead_id=lead.pk, activity_type="call", direction="outbound")
    lead.refresh_from_db()
    assert lead.status == status
    activities.log(by=rep, lead_id=lead.pk, activity_type="quote", amount=Decimal(700))
    lead.refresh_from_db()
    assert lead.status == (status if status in closing_values else "quoted")
    assert lead.quote_amount == Decimal(700)


def test_the_latest_quote_becomes_the_leads_quote(lead, log):
    now = timezone.now()
    log("quote", amount=Decimal(4200), valid_until=date(2027, 1, 5), occurred_at=now - timedelta(days=3))
    log("quote", amount=Decimal(3900), occurred_at=now - timedelta(days=1))
    log("quote", amount=Decimal(5000), occurred_at=now - timedelta(days=2))
    assert read_progress(lead) == quoted(3900)
    assert lead.quoted_at == lead.first_contacted_at == now - timedelta(days=3)
    for wrong_values, field in (
        ({"activity_type": "call", "amount": Decimal(1)}, "amount"),
        ({"activity_type": "note", "valid_until": date(2027, 1, 1)}, "valid_until"),
        ({"activity_type": "quote", "valid_until": date(2027, 1, 1)}, "amount"),
    ):
        with pytest.raises(errors.Invalid) as refused:
            log(**wrong_values)
        assert list(refused.value.fields) == [field]


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
def test_a_corrected_contact_makes_the_lead_new_again(rep, lead, log, correct, corrections):
    call = log()
    assert read_progress(lead) == CONTACTED
    for changes in corrections:
        correct(call, **changes)
    assert read_progress(lead) == NEW
    correct(call, activity_type="meeting", direction="outbound")
    assert read_progress(lead) == CONTACTED
    assert lead.first_contacted_at == Activity.objects.get(pk=call.pk).occurred_at
    changes = list(FieldChange.objects.filter(field="status").order_by("pk").values_list("old", "new"))
    assert all(next_old == new for (_, new), (next_old, _) in pairwise(changes)), changes


def test_another_contact_keeps_the_lead_contacted(lead, log, correct):
    first, second = log(), log("email")
    correct(first, direction="inbound")
    assert read_progress(lead) == CONTACTED
    assert lead.first_contacted_at == second.occurred_at
    correct(second, direction="inbound")
    assert read_progress(lead) == NEW


def test_a_correction_restores_the_quote_before_it(lead, log, correct):
    lead.quote_amount = Decimal(100)
    lead.save()
    log("call")
    first = log("quote", amount=Decimal(4200), valid_until=date(2027, 1, 5))
    second = log("quote", amount=Decimal(3900), valid_until=date(2027, 1, 8))
    correct(second, amount=Decimal(3950))
    assert read_progress(lead) == quoted(3950, date(2027, 1, 8))
    correct(second, activity_type="note")
    assert Activity.objects.get(pk=second.pk).data == {}
    assert read_progress(lead) == quoted(4200, date(2027, 1, 5))
    correct(first, amount=None, valid_until=None)
    assert read_progress(lead) == quoted(100)
    correct(first, activity_type="note")
    assert read_progress(lead) == replace(CONTACTED, quote_amount=Decimal(100))
    with pytest.raises(errors.Invalid):
        correct(first, amount=Decimal(5))


def test_a_correction_keeps_values_that_a_user_set_later(rep, lead, log, correct):
    call, quote = log("call"), log("quote", amount=Decimal(4200), valid_until=date(2027, 1, 5))
    leads.update(by=rep, lead_id=lead.pk, changes={"status": "qualified", "quote_amount": Decimal(4000)})
    correct(quote, amount=Decimal(4100), valid_until=date(2027, 1, 6))
    lead.refresh_from_db()
    assert lead.status == "qualified"
    assert lead.quote_amount == 4000
    assert lead.quote_valid_until == date(2027, 1, 6)
    correct(quote, activity_type="note")
    correct(call, activity_type="note")
    assert read_progress(lead) == Progress(
        "qualified", is_contacted=True, is_qualified=True, quote_amount=Decimal(4000)
    )
    log("quote", amount=Decimal(5000))
    lead.refresh_from_db()
    assert lead.status == "quoted"
    assert lead.quote_amount == Decimal(5000)


def test_a_correction_rescores_the_lead_and_does_not_change_a_closed_one(rep, lead, log, correct):
    call = log()
    leads.update(by=rep, lead_id=lead.pk, changes={"status": "lost", "lost_reason": "price"})
    version_before = Lead.objects.get(pk=lead.pk).version
    correct(call, direction="inbound")
    lead.refresh_from_db()
    assert lead.status == "lost"
    assert lead.version > version_before


def test_after_a_merge_the_kept_leads_own_status_stays(rep, manager, make_lead, lead, log, correct):
    other = make_lead(assigned_to=rep, company_name="Other")
    call = activities.log(by=rep, lead_id=other.pk, activity_type="call", direction="outbound")
    leads.update(by=rep, lead_id=lead.pk, changes={"status": "contacted"})
    merging.merge_leads(by=manager, lead_id=lead.pk, duplicate_ids=[other.pk])
    correct(call, direction="inbound")
    lead.refresh_from_db()
    assert lead.status == "contacted"
