"""Each change of a follow-up is one timeline entry (old → new, by whom), and the entry of the original plan stays."""

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


def read_timeline(lead, *kinds):
    """Title, detail and actor's name of each entry, newest first."""
    entries = Timeline(lead.pk, kinds or ["follow_up_planned", "follow_up_changed", "follow_up_cancelled"]).read(100)
    return [(entry["title"], entry["detail"], entry["actor"] and entry["actor"]["full_name"]) for entry in entries]


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
def test_a_change_is_one_entry_and_the_plan_is_shown_as_it_was(manager, colleague, lead, plan, changes, title, detail):
    changes = {**changes, **({"assigned_to": colleague.pk} if "assigned_to" in changes else {})}
    follow_ups.update(by=manager, follow_up_id=plan.pk, changes=changes)
    assert read_timeline(lead) == [(f"Call follow-up of Tue 5 Jan 2027, 10:00 {title}", detail, "Manager"), PLANNED]


def test_an_update_that_changes_nothing_adds_no_entry(rep, lead, plan):
    follow_ups.update(by=rep, follow_up_id=plan.pk, changes={"scheduled_date": DAY, "notes": "Ask"})
    assert read_timeline(lead) == [PLANNED]


@pytest.fixture
def unrecorded(rep, lead):
    """A follow-up without a recorded plan, as another program or an old version wrote it."""
    return FollowUp.objects.create(
        lead=lead, follow_up_type="call", scheduled_date=DAY, scheduled_time=time(10), notes="Ask", assigned_to=rep
    )


@pytest.mark.parametrize("by_service", ["update", "transfer", "handover"])
def test_a_plan_that_was_not_recorded_is_recorded_before_it_changes(
    manager, rep, colleague, lead, unrecorded, by_service
):
    planned = (*PLANNED[:2], None)
    assert read_timeline(lead) == [planned]

    if by_service == "update":
        changes = {
            "scheduled_date": date(2027, 1, 7),
            "assigned_to": colleague.pk,
            "notes": "x",
            "scheduled_time": None,
        }
        follow_ups.update(by=manager, follow_up_id=unrecorded.pk, changes=changes)
        second_changes = {"notes": "y", "scheduled_date": date(2027, 1, 9), "follow_up_type": "email"}
        follow_ups.update(by=manager, follow_up_id=unrecorded.pk, changes=second_changes)
    else:
        {"transfer": reassign_by_transfer, "handover": reassign_by_handover}[by_service](
            manager, rep, colleague, lead, unrecorded
        )
    reminders.fill_derived_columns()
    assert read_timeline(lead)[-1] == planned
    assert FollowUp.objects.get().assigned_to == colleague


def reassign_by_transfer(manager, rep, colleague, lead, plan):
    transfers.transfer(by=manager, leads=Lead.objects.filter(pk=lead.pk), to_user_id=colleague.pk)


def reassign_by_handover(manager, rep, colleague, lead, plan):
    handovers.hand_over(by=None, user_id=rep.pk, receivers=[colleague.pk])


@pytest.mark.parametrize(("reassign", "actor"), [(reassign_by_transfer, "Manager"), (reassign_by_handover, None)])
def test_a_reassignment_together_with_the_lead_is_an_entry_too(manager, rep, colleague, lead, plan, reassign, actor):
    reassign(manager, rep, colleague, lead, plan)
    assert FollowUp.objects.get().assigned_to == colleague
    assert read_timeline(lead) == [
        ("Call follow-up of Tue 5 Jan 2027, 10:00 reassigned", "Maria → Tom", actor),
        PLANNED,
    ]


LOST = {"status": "lost", "lost_reason": "price"}
CANCELS = [
    (lambda by, lead, plan: follow_ups.cancel(by=by, follow_up_id=plan.pk, reason="They called"), "They called"),
    (lambda by, lead, plan: leads.archive(by=by, lead_id=lead.pk), "Lead archived"),
    (lambda by, lead, plan: leads.update(by=by, lead_id=lead.pk, changes=LOST), "Lead lost"),
]


@pytest.mark.parametrize(("cancel", "reason"), CANCELS)
def test_the_entry_of_a_cancellation_names_the_user(manager, lead, plan, cancel, reason):
    cancel(manager, lead, plan)
    assert read_timeline(lead)[0] == ("Call follow-up of Tue 5 Jan 2027, 10:00 canceled", reason, "Manager")


def test_forty_changes_take_as_many_statements_as_one(manager, rep, colleague, make_lead, make_user, desk):
    counts = []
    for lead_count, receiver in ((1, colleague), (40, make_user("wei", team=desk))):
        lead_ids = []
        for number in range(lead_count):
            lead = make_lead(assigned_to=rep, company_name=f"{receiver} {number}")
            follow_ups.create(by=rep, lead_id=lead.pk, follow_up_type="call", scheduled_date=DAY)
            lead_ids.append(lead.pk)
        with CaptureQueriesContext(connection) as captured:
            transfers.transfer(by=manager, leads=Lead.objects.filter(pk__in=lead_ids), to_user_id=receiver.pk)
        counts.append(len(captured))
        assert FieldChange.objects.filter(lead__in=lead_ids, field="follow_up", by=manager).count() == lead_count
    assert counts[0] == counts[1]


def test_a_plan_by_plain_sql_and_an_erased_change_still_have_entries(rep, lead, plan):
    follow_ups.update(by=rep, follow_up_id=plan.pk, changes={"notes": "x"})
    FieldChange.objects.update(old=None, new=None)
    FollowUp.objects.update(planned=None, notes="")
    assert read_timeline(lead) == [
        ("Follow-up changed", "", "Maria"),
        ("Call follow-up planned for Tue 5 Jan 2027, 10:00", "For Maria", "Maria"),
    ]


def test_the_entry_of_a_new_lead_names_its_author(rep, make_lead):
    lead = leads.create(by=rep, values={"company_name": "Band"})
    assert read_timeline(lead, "created") == [("Lead created", "", "Maria")]
    assert read_timeline(make_lead(), "created") == [("Lead created", "", None)]


def test_the_entry_of_a_new_lead_names_its_first_known_source(rep):
    fair, web = (LeadSource.objects.create(name=name) for name in ("Fair", "Web"))
    for first, detail in ((fair, "Source: Fair"), (None, "Source: Web")):
        lead = leads.create(by=rep, values={"company_name": "Band", "source": first and first.pk})
        for source in (web, None, fair):
            leads.update(by=rep, lead_id=lead.pk, changes={"source": source and source.pk})
            assert read_timeline(lead, "created") == [("Lead created", detail, "Maria")]
        FieldChange.objects.filter(lead=lead).update(old=Value(None, JSONField()))  # by another program
        assert read_timeline(lead, "created") == [("Lead created", "Source: Web", "Maria")]
