"""Whatever changes a follow-up leaves one item in the lead's story: old → new, by whom; and what was planned stays."""

from datetime import date, time

import pytest
from django.db import connection
from django.db.models import JSONField, Value
from django.test.utils import CaptureQueriesContext

from sales.models import FieldChange, FollowUp, Lead, LeadSource
from sales.queries.timeline.timeline import Timeline
from sales.services.follow_ups import follow_ups, reminders
from sales.services.leads import leads
from sales.services.ownership import handovers, transfers

DAY = date(2027, 1, 5)


@pytest.fixture
def lead(make_lead, rep):
    return make_lead(assigned_to=rep)


@pytest.fixture
def plan(rep, lead):
    return follow_ups.create(
        by=rep, lead_id=lead.pk, follow_up_type="call", scheduled_date=DAY, scheduled_time=time(10), notes="Ask"
    )


def told(lead, *kinds):
    """The newest first: what, the words, and who."""
    items = Timeline(lead.pk, kinds or ["follow_up_planned", "follow_up_changed", "follow_up_cancelled"]).read(100)
    return [(item["title"], item["detail"], item["actor"] and item["actor"]["full_name"]) for item in items]


PLANNED = ("Call follow-up planned for Tue 5 Jan 2027, 10:00", "For Maria · Ask", "Maria")


@pytest.mark.parametrize(
    ("changes", "title", "detail"),
    [
        ({"scheduled_date": date(2027, 1, 7)}, "rescheduled", "Tue 5 Jan 2027, 10:00 → Thu 7 Jan 2027, 10:00"),
        ({"scheduled_time": None}, "rescheduled", "Tue 5 Jan 2027, 10:00 → Tue 5 Jan 2027"),
        ({"scheduled_date": DAY, "notes": "Ask for the route"}, "reworded", "Ask → Ask for the route"),
        ({"follow_up_type": "meeting"}, "changed", "Call → Meeting"),
        ({"assigned_to": "tom"}, "reassigned", "Maria → Tom"),
        (
            {"assigned_to": "tom", "scheduled_date": date(2027, 1, 7)},
            "rescheduled and reassigned",
            "Tue 5 Jan 2027, 10:00 → Thu 7 Jan 2027, 10:00 · Maria → Tom",
        ),
        (
            {"assigned_to": "tom", "scheduled_time": None, "notes": "x"},
            "rescheduled, reassigned and reworded",
            "Tue 5 Jan 2027, 10:00 → Tue 5 Jan 2027 · Maria → Tom · Ask → x",
        ),
    ],
)
def test_a_change_is_one_item_and_the_plan_is_told_as_it_was(manager, colleague, lead, plan, changes, title, detail):
    changes = {**changes, **({"assigned_to": colleague.pk} if "assigned_to" in changes else {})}
    follow_ups.update(by=manager, follow_up_id=plan.pk, changes=changes)
    assert told(lead) == [(f"Call follow-up of Tue 5 Jan 2027, 10:00 {title}", detail, "Manager"), PLANNED]


def test_what_changes_nothing_leaves_nothing(rep, lead, plan):
    follow_ups.update(by=rep, follow_up_id=plan.pk, changes={"scheduled_date": DAY, "notes": "Ask"})
    assert told(lead) == [PLANNED]


@pytest.fixture
def foreign(rep, lead):
    """As another program writes it, or as there were before plans were kept."""
    return FollowUp.objects.create(
        lead=lead, follow_up_type="call", scheduled_date=DAY, scheduled_time=time(10), notes="Ask", assigned_to=rep
    )


@pytest.mark.parametrize("by_service", ["update", "transfer", "handover"])
def test_a_plan_that_was_not_kept_is_kept_before_it_changes(manager, rep, colleague, lead, foreign, by_service):
    planned = (*PLANNED[:2], None)
    assert told(lead) == [planned]
    if by_service == "update":
        changes = {
            "scheduled_date": date(2027, 1, 7),
            "assigned_to": colleague.pk,
            "notes": "x",
            "scheduled_time": None,
        }
        follow_ups.update(by=manager, follow_up_id=foreign.pk, changes=changes)
        planning_again = {"notes": "y", "scheduled_date": date(2027, 1, 9), "follow_up_type": "email"}
        follow_ups.update(by=manager, follow_up_id=foreign.pk, changes=planning_again)
    else:
        {"transfer": by_transfer, "handover": by_handover}[by_service](manager, rep, colleague, lead, foreign)
    reminders.fill_derived_columns()
    assert told(lead)[-1] == planned
    assert FollowUp.objects.get().assigned_to == colleague


def by_transfer(manager, rep, colleague, lead, plan):
    transfers.transfer(by=manager, leads=Lead.objects.filter(pk=lead.pk), to_user_id=colleague.pk)


def by_handover(manager, rep, colleague, lead, plan):
    handovers.hand_over(by=None, user_id=rep.pk, receivers=[colleague.pk])


@pytest.mark.parametrize(("give", "who"), [(by_transfer, "Manager"), (by_handover, None)])
def test_whoever_gets_it_with_the_lead_is_told_too(manager, rep, colleague, lead, plan, give, who):
    give(manager, rep, colleague, lead, plan)
    assert FollowUp.objects.get().assigned_to == colleague
    assert told(lead) == [("Call follow-up of Tue 5 Jan 2027, 10:00 reassigned", "Maria → Tom", who), PLANNED]


LOST = {"status": "lost", "lost_reason": "price"}
CANCELS = [
    (lambda by, lead, plan: follow_ups.cancel(by=by, follow_up_id=plan.pk, reason="They called"), "They called"),
    (lambda by, lead, plan: leads.archive(by=by, lead_id=lead.pk), "Lead archived"),
    (lambda by, lead, plan: leads.update(by=by, lead_id=lead.pk, changes=LOST), "Lead lost"),
]


@pytest.mark.parametrize(("cancel", "why"), CANCELS)
def test_whoever_cancels_it_is_named(manager, lead, plan, cancel, why):
    cancel(manager, lead, plan)
    assert told(lead)[0] == ("Call follow-up of Tue 5 Jan 2027, 10:00 canceled", why, "Manager")


def test_many_are_written_down_in_as_many_statements_as_one(manager, rep, colleague, make_lead, make_user, desk):
    counts = []
    for many, taker in ((1, colleague), (40, make_user("wei", team=desk))):
        keys = []
        for number in range(many):
            lead = make_lead(assigned_to=rep, company_name=f"{taker} {number}")
            follow_ups.create(by=rep, lead_id=lead.pk, follow_up_type="call", scheduled_date=DAY)
            keys.append(lead.pk)
        with CaptureQueriesContext(connection) as captured:
            transfers.transfer(by=manager, leads=Lead.objects.filter(pk__in=keys), to_user_id=taker.pk)
        counts.append(len(captured))
        assert FieldChange.objects.filter(lead__in=keys, field="follow_up", by=manager).count() == many
    assert counts[0] == counts[1]


def test_a_plan_by_plain_sql_and_an_erased_change_are_told_all_the_same(rep, lead, plan):
    follow_ups.update(by=rep, follow_up_id=plan.pk, changes={"notes": "x"})
    FieldChange.objects.update(old=None, new=None)
    FollowUp.objects.update(planned=None, notes="")
    assert told(lead) == [
        ("Follow-up changed", "", "Maria"), ("Call follow-up planned for Tue 5 Jan 2027, 10:00", "For Maria", "Maria")
    ]  # fmt: skip


def test_taken_in_has_its_author(rep, make_lead):
    lead = leads.create(by=rep, values={"company_name": "Band"})
    assert told(lead, "created") == [("Lead created", "", "Maria")]
    assert told(make_lead(), "created") == [("Lead created", "", None)]


def test_taken_in_tells_the_first_source_that_is_known(rep):
    fair, web = (LeadSource.objects.create(name=name) for name in ("Fair", "Web"))
    for first, words in ((fair, "Source: Fair"), (None, "Source: Web")):
        lead = leads.create(by=rep, values={"company_name": "Band", "source": first and first.pk})
        for source in (web, None, fair):
            leads.update(by=rep, lead_id=lead.pk, changes={"source": source and source.pk})
            assert told(lead, "created") == [("Lead created", words, "Maria")]
        FieldChange.objects.filter(lead=lead).update(old=Value(None, JSONField()))  # by another program
        assert told(lead, "created") == [("Lead created", "Source: Web", "Maria")]
