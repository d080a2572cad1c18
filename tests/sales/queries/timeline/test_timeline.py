"""The timeline against a naive pass over all tables, page by page, and while rows arrive."""

import json
from dataclasses import asdict
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from sales.models import Activity, FieldChange, FollowUp, Lead, LeadScoreHistory, LeadSource
from sales.queries.timeline.entry_kinds import KINDS
from sales.queries.timeline.timeline import Actor, Timeline
from sales.services import activities
from sales.services.follow_ups import follow_ups
from sales.services.follow_ups.completion import CompletionInput
from sales.services.leads import leads
from sales.services.ownership import transfers
from tests.sales.queries import demo_tables

EMAIL = Activity.Type.EMAIL.label.lower()


def read_pages(timeline, size, between=lambda: None):
    """All entries, read a page at a time; `between` is called after each page."""
    position, entries = None, []
    while page := timeline.read_entries(size, position):
        entries += page
        position = page[-1].position
        between()
    return entries


def get_keys(entries):
    return [(entry.kind, entry.id) for entry in entries]


def find_events_naively(tables, lead):
    """Kind, id and time of everything that happened to the lead, from every row of every table; newest first."""
    events = [("created", lead.pk, lead.created_at)]
    for row in tables.FollowUp:
        if row.lead_id == lead.pk:
            events.append(("follow_up_planned", row.pk, row.created_at))
            if row.completed:
                events.append(("follow_up_done", row.pk, row.completed_at))
            if row.cancelled_at:
                events.append(("follow_up_cancelled", row.pk, row.cancelled_at))
    for row in tables.Activity:
        is_shown = row.activity_type not in ("transfer", "status_change") and not row.follow_up_id
        if row.lead_id == lead.pk and is_shown:
            events.append(("activity", row.pk, row.occurred_at))
    for row in tables.FieldChange:
        if row.lead_id == lead.pk:
            kind = {"status": "status", "follow_up": "follow_up_changed"}.get(row.field, "field_change")
            events.append((kind, row.pk, row.at))
    events += [("score", row.pk, row.changed_at) for row in tables.LeadScoreHistory if row.lead_id == lead.pk]
    events += [("transfer", row.pk, row.transferred_at) for row in tables.LeadTransfer if row.lead_id == lead.pk]
    return sorted(events, key=lambda event: (event[2], KINDS.index(event[0]), event[1]), reverse=True)


def test_it_equals_a_naive_pass_over_the_demo(db):
    tables = demo_tables.load(40)
    kinds = set()
    for lead in tables.Lead:
        timeline = Timeline(lead.pk)
        events = [(entry.kind, entry.id, entry.at) for entry in read_pages(timeline, 7)]
        newest_first = timeline.read_entries(200)
        oldest_first = timeline.read_entries(200, newest_first[-1].position, backwards=True)
        assert events == find_events_naively(tables, lead)
        assert oldest_first[::-1] == newest_first[:-1]
        kinds |= {kind for kind, _, _ in events}
    assert kinds == set(KINDS) - {"correction", "follow_up_changed", "merge"}


@pytest.fixture
def lead(rep, colleague, manager):
    """A lead to which something of each kind happened, by the services."""
    source = LeadSource.objects.create(name="Fair")
    lead = leads.create(by=rep, values={"company_name": "Band", "estimated_value": Decimal(900)})
    email = {"activity_type": "email", "direction": "inbound", "description": "They wrote", "notes": "Dates"}
    activity = activities.log(by=rep, lead_id=lead.pk, **email)
    activities.correct(by=rep, activity_id=activity.pk, changes={"notes": "Other dates"})
    plan = {"by": rep, "lead_id": lead.pk, "follow_up_type": "call", "scheduled_date": date(2026, 12, 1)}
    done, canceled = follow_ups.create(**plan, notes="Ask"), follow_ups.create(**plan)
    follow_ups.update(by=rep, follow_up_id=done.pk, changes={"scheduled_date": date(2026, 12, 2), "notes": "Ask again"})
    follow_ups.complete(
        by=rep, follow_up_id=done.pk, completion_input=CompletionInput(outcome="no_answer", notes="Nobody there")
    )
    follow_ups.cancel(by=rep, follow_up_id=canceled.pk, reason="They called")
    leads.update(by=rep, lead_id=lead.pk, changes={"source": source.pk})
    leads.update(by=rep, lead_id=lead.pk, changes={"status": "lost", "lost_reason": "price"})
    selection = Lead.objects.filter(pk=lead.pk)
    transfers.transfer(by=manager, leads=selection, to_user_id=colleague.pk, reason="On holiday", notes="Until May")
    FieldChange.objects.create(lead=lead, field="merged", new={"lead_id": 99, "name": "Band, too"}, by=manager)
    return lead


def test_each_event_is_described_once(lead):
    entries = Timeline(lead.pk).read_entries(200)
    assert {entry.kind for entry in entries} == set(KINDS)
    assert {entry.title for entry in entries if entry.kind == "score"} == {"Score 0 → 10 (+10)"}

    descriptions = [(entry.kind, entry.title, entry.detail) for entry in entries if entry.kind != "score"]
    assert sorted(descriptions) == sorted(
        [
            ("created", "Lead created", "Source: Fair"),
            ("activity", f"They wrote ({EMAIL}, inbound)", "Other dates"),
            ("correction", "Corrected: They wrote", "notes: Dates → Other dates"),
            ("follow_up_planned", "Call follow-up planned for Tue 1 Dec 2026", "For Maria · Ask"),
            ("follow_up_planned", "Call follow-up planned for Tue 1 Dec 2026", "For Maria"),
            (
                "follow_up_changed",
                "Call follow-up of Tue 1 Dec 2026 rescheduled and reworded",
                "Tue 1 Dec 2026 → Wed 2 Dec 2026 · Ask → Ask again",
            ),
            ("follow_up_done", "Call follow-up completed: no answer", "Nobody there"),
            ("follow_up_cancelled", "Call follow-up of Tue 1 Dec 2026 canceled", "They called"),
            ("field_change", "Source changed", "nothing → Fair"),
            ("field_change", "Lost reason changed", "nothing → Price"),
            ("status", "Status changed from New to Lost", ""),
            ("transfer", "Lead transferred from Maria to Tom", "On holiday · Until May"),
            ("merge", "Merged with Band, too", ""),
        ]
    )


def test_actors_and_data_for_programs(lead, rep, manager):
    entries = {entry.kind: entry for entry in Timeline(lead.pk).read_entries(200)}
    assert entries["transfer"].actor == Actor(manager.pk, "Manager")
    assert entries["created"].actor == Actor(rep.pk, "Maria")
    assert entries["follow_up_cancelled"].actor == Actor(rep.pk, "Maria")
    assert entries["status"].data == {"field": "status", "old": "new", "new": "lost"}
    assert entries["score"].data["points_changed"] == 10


def test_pages_of_the_api_hold_the_same_entries(lead):
    timeline = Timeline(lead.pk, ["transfer"])
    (entry,) = timeline.read_entries(200)
    (row,) = timeline.read(200)

    assert row == asdict(entry)
    assert list(row) == ["kind", "id", "at", "actor", "title", "detail", "data"]
    assert timeline.get_position(row) == entry.position


@pytest.mark.parametrize(
    ("field", "value", "title", "detail"),
    [
        ("estimated_value", Decimal("1250.5"), "Estimated value changed", "nothing → $1,250.50"),
        ("is_repeat", True, "Is repeat changed", "no → yes"),
        ("trip_type", "one_way", "Trip type changed", "nothing → One way"),
        ("notes", "x" * 200, "Notes changed", f"nothing → {'x' * 119}…"),
        (
            "pickup_at",
            datetime(2026, 7, 1, 14, 30, tzinfo=UTC),
            "Pickup at changed",
            "nothing → Wed 1 Jul 2026, 10:30",
        ),
        ("quote_valid_until", date(2026, 6, 1), "Quote valid until changed", "nothing → Mon 1 Jun 2026"),
    ],
)
def test_values_read_as_people_write_them(rep, make_lead, field, value, title, detail):
    lead = make_lead(assigned_to=rep)
    leads.update(by=rep, lead_id=lead.pk, changes={field: value})
    (entry,) = Timeline(lead.pk, ["field_change"]).read_entries(50)

    assert entry.title == title
    assert entry.detail == detail


def test_pages_neither_skip_nor_repeat_while_rows_arrive(rep, make_lead):
    """Even if many things happen at the same time, and new rows come before, at or after the end of a page."""
    lead, now = make_lead(assigned_to=rep, created_at="2026-01-01T00:00Z"), timezone.now() - timedelta(days=2)

    def let_something_happen(at):
        Activity.objects.create(lead=lead, activity_type="note", occurred_at=at)
        FieldChange.objects.create(lead=lead, field="notes", at=at)
        LeadScoreHistory.objects.create(lead=lead, old_score=1, new_score=2, points_changed=1, changed_at=at)
        plan = {"follow_up_type": "call", "scheduled_date": "2026-01-01", "created_at": at}
        FollowUp.objects.create(lead=lead, assigned_to=rep, **plan)

    for at in (now, now, now, now - timedelta(hours=1), now - timedelta(hours=1)):
        let_something_happen(at)
    before = get_keys(Timeline(lead.pk).read_entries(200))
    for size in (1, 3):
        entries = read_pages(Timeline(lead.pk), size, lambda: let_something_happen(now + timedelta(days=1)))
        keys = get_keys(entries)
        assert len(keys) == len(set(keys))
        assert [key for key in keys if key in before] == before


def test_one_query_for_any_length(rep, make_lead):
    lead, counts = make_lead(assigned_to=rep), []
    for _ in range(2):
        with CaptureQueriesContext(connection) as captured:
            Timeline(lead.pk).read_entries(51)
        counts.append(len(captured))
        Activity.objects.bulk_create(Activity(lead=lead, activity_type="note", user=rep) for _ in range(300))
    assert counts == [1, 1]


@pytest.mark.postgres  # EXPLAIN is PostgreSQL's
def test_a_long_timeline_is_read_by_its_index_and_no_further_than_the_page(rep, make_lead):
    busy_lead = make_lead(assigned_to=rep)
    for lead in (busy_lead, *(make_lead() for _ in range(20))):
        count = 3000 if lead == busy_lead else 5
        Activity.objects.bulk_create(Activity(lead=lead, activity_type="note") for _ in range(count))
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE activities")
    with CaptureQueriesContext(connection) as captured:
        Timeline(busy_lead.pk).read_entries(51)
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {captured[0]['sql']}")
        (output,) = cursor.fetchone()
    (plan,) = json.loads(output) if isinstance(output, str) else output
    scans = [node for node in walk_nodes(plan["Plan"]) if node.get("Relation Name") == "activities"]

    assert [(scan["Index Name"], scan["Actual Rows"]) for scan in scans] == [("idx_activities_lead", 51)]


def walk_nodes(plan):
    yield plan
    for part in plan.get("Plans", []):
        yield from walk_nodes(part)
