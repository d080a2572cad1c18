"""The timeline against a naive pass over all tables, page by page, and while rows arrive."""

import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from sales.models import Activity, FieldChange, FollowUp, Lead, LeadScoreHistory, LeadSource
from sales.queries.timeline.timeline import KINDS, Story
from sales.services import activities
from sales.services.follow_ups import follow_ups
from sales.services.follow_ups.completion import CompletionInput
from sales.services.leads import leads
from sales.services.ownership import transfers
from tests.sales.queries import demo_tables


def pages(story, size, between=lambda: None):
    """All items, read a page at a time."""
    place, found = None, []
    while page := story.read(size, place):
        found += page
        place = story.get_position(page[-1])
        between()
    return found


def naive(world, lead):
    """What happened to the lead, by looking at every row of every table."""
    told = [("created", lead.pk, lead.created_at)]
    for row in world.FollowUp:
        if row.lead_id == lead.pk:
            told.append(("follow_up_planned", row.pk, row.created_at))
            if row.completed:
                told.append(("follow_up_done", row.pk, row.completed_at))
            if row.cancelled_at:
                told.append(("follow_up_cancelled", row.pk, row.cancelled_at))
    for row in world.Activity:
        by_itself = row.activity_type not in ("transfer", "status_change") and not row.follow_up_id
        if row.lead_id == lead.pk and by_itself:
            told.append(("activity", row.pk, row.occurred_at))
    for row in world.FieldChange:
        if row.lead_id == lead.pk:
            kind = {"status": "status", "follow_up": "follow_up_changed"}.get(row.field, "field_change")
            told.append((kind, row.pk, row.at))
    told += [("score", row.pk, row.changed_at) for row in world.LeadScoreHistory if row.lead_id == lead.pk]
    told += [("transfer", row.pk, row.transferred_at) for row in world.LeadTransfer if row.lead_id == lead.pk]
    return sorted(told, key=lambda each: (each[2], KINDS.index(each[0]), each[1]), reverse=True)


def test_it_is_what_a_naive_pass_over_the_demo_tells(db):
    world = demo_tables.load(40)
    kinds = set()
    for lead in world.Lead:
        story = Story(lead.pk)
        told = [(item["kind"], item["id"], item["at"]) for item in pages(story, 7)]
        assert told == naive(world, lead)
        assert story.read(200, story.get_position(story.read(200)[-1]), backwards=True)[::-1] == story.read(200)[:-1]
        kinds |= {kind for kind, _, _ in told}
    assert kinds == set(KINDS) - {"correction", "follow_up_changed", "merge"}


@pytest.fixture
def lived(rep, colleague, manager):
    """A lead to which one thing of each kind happened, by the services."""
    source = LeadSource.objects.create(name="Fair")
    lead = leads.create(by=rep, values={"company_name": "Band", "estimated_value": Decimal(900)})
    log = activities.log(
        by=rep, lead_id=lead.pk, activity_type="email", direction="inbound", description="They wrote", notes="Dates"
    )
    activities.correct(by=rep, activity_id=log.pk, changes={"notes": "Other dates"})
    plan = {"by": rep, "lead_id": lead.pk, "follow_up_type": "call", "scheduled_date": date(2026, 12, 1)}
    done, cancelled = follow_ups.create(**plan, notes="Ask"), follow_ups.create(**plan)
    follow_ups.update(by=rep, follow_up_id=done.pk, changes={"scheduled_date": date(2026, 12, 2), "notes": "Ask again"})
    follow_ups.complete(
        by=rep, follow_up_id=done.pk, completion_input=CompletionInput(outcome="no_answer", notes="Nobody there")
    )
    follow_ups.cancel(by=rep, follow_up_id=cancelled.pk, reason="They called")
    leads.update(by=rep, lead_id=lead.pk, changes={"source": source.pk})
    leads.update(by=rep, lead_id=lead.pk, changes={"status": "lost", "lost_reason": "price"})
    these = Lead.objects.filter(pk=lead.pk)
    transfers.transfer(by=manager, leads=these, to_user_id=colleague.pk, reason="On holiday", notes="Until May")
    FieldChange.objects.create(lead=lead, field="merged", new={"lead_id": 99, "name": "Band, too"}, by=manager)
    return lead


def test_each_thing_is_told_once_in_words_for_people(lived):
    told = {(item["kind"], item["title"], item["detail"]) for item in Story(lived.pk).read(200)}
    scores = {each for each in told if each[0] == "score"}
    assert told - scores == {
        ("created", "Lead taken in", "Source: Fair"),
        ("activity", "They wrote (e-mail, inbound)", "Other dates"),
        ("correction", "Corrected: They wrote", "notes: Dates → Other dates"),
        ("follow_up_planned", "Call follow-up planned for Tue 1 Dec 2026", "For Maria · Ask"),
        ("follow_up_planned", "Call follow-up planned for Tue 1 Dec 2026", "For Maria"),
        (
            "follow_up_changed",
            "Call follow-up of Tue 1 Dec 2026 rescheduled and reworded",
            "Tue 1 Dec 2026 → Wed 2 Dec 2026 · Ask → Ask again",
        ),
        ("follow_up_done", "Call follow-up completed: no answer", "Nobody there"),
        ("follow_up_cancelled", "Call follow-up of Tue 1 Dec 2026 cancelled", "They called"),
        ("field_change", "Source changed", "nothing → Fair"),
        ("field_change", "Lost reason changed", "nothing → Price"),
        ("status", "Status changed from New to Lost", ""),
        ("transfer", "Lead transferred from Maria to Tom", "On holiday · Until May"),
        ("merge", "Merged with Band, too", ""),
    }
    assert {title for _, title, _ in scores} == {"Score 0 → 10 (+10)"}
    assert {item["kind"] for item in Story(lived.pk).read(200)} == set(KINDS)


def test_who_and_the_data_for_programs(lived, rep, manager):
    items = {item["kind"]: item for item in Story(lived.pk).read(200)}
    assert items["transfer"]["actor"] == {"id": manager.pk, "full_name": "Manager"}
    assert items["created"]["actor"] == items["follow_up_cancelled"]["actor"] == {"id": rep.pk, "full_name": "Maria"}
    assert items["status"]["data"] == {"field": "status", "old": "new", "new": "lost"}
    assert items["score"]["data"]["points_changed"] == 10
    assert set(items["activity"]) == {"kind", "id", "at", "actor", "title", "detail", "data"}
    assert Story(lived.pk, ["transfer"]).read(200) == [items["transfer"]]


def test_values_are_told_as_people_write_them(rep, make_lead):
    lead = make_lead(assigned_to=rep)
    changes = {
        "estimated_value": Decimal("1250.5"), "is_repeat": True, "trip_type": "one_way", "notes": "x" * 200,
        "pickup_at": datetime(2026, 7, 1, 14, 30, tzinfo=UTC), "quote_valid_until": date(2026, 6, 1),
    }  # fmt: skip
    leads.update(by=rep, lead_id=lead.pk, changes=changes)
    details = {item["title"]: item["detail"] for item in Story(lead.pk, ["field_change"]).read(50)}
    assert details == {
        "Estimated value changed": "nothing → $1,250.50",
        "Is repeat changed": "no → yes",
        "Trip type changed": "nothing → One way",
        "Notes changed": f"nothing → {'x' * 119}…",
        "Pickup at changed": "nothing → Wed 1 Jul 2026, 10:30",
        "Quote valid until changed": "nothing → Mon 1 Jun 2026",
    }


def test_pages_neither_skip_nor_repeat_while_rows_arrive(rep, make_lead):
    """Also where everything happens at the same moment, and what arrives lies before, at or after the page's end."""
    lead, at = make_lead(assigned_to=rep, created_at="2026-01-01T00:00Z"), timezone.now() - timedelta(days=2)

    def happen(moment):
        Activity.objects.create(lead=lead, activity_type="note", occurred_at=moment)
        FieldChange.objects.create(lead=lead, field="notes", at=moment)
        LeadScoreHistory.objects.create(lead=lead, old_score=1, new_score=2, points_changed=1, changed_at=moment)
        FollowUp.objects.create(
            lead=lead, assigned_to=rep, follow_up_type="call", scheduled_date="2026-01-01", created_at=moment
        )

    for moment in (at, at, at, at - timedelta(hours=1), at - timedelta(hours=1)):
        happen(moment)
    before = [(item["kind"], item["id"]) for item in Story(lead.pk).read(200)]
    for size in (1, 3):
        found = [
            (item["kind"], item["id"]) for item in pages(Story(lead.pk), size, lambda: happen(at + timedelta(days=1)))
        ]
        assert len(found) == len(set(found))
        assert [each for each in found if each in before] == before


def test_one_query_however_long_it_is(rep, make_lead):
    lead, counts = make_lead(assigned_to=rep), []
    for _ in range(2):
        with CaptureQueriesContext(connection) as captured:
            Story(lead.pk).read(51)
        counts.append(len(captured))
        Activity.objects.bulk_create(Activity(lead=lead, activity_type="note", user=rep) for _ in range(300))
    assert counts == [1, 1]


@pytest.mark.postgres  # EXPLAIN is PostgreSQL's
def test_a_long_story_is_read_by_its_index_no_further_than_the_page(rep, make_lead):
    busy = make_lead(assigned_to=rep)
    for lead in (busy, *(make_lead() for _ in range(20))):
        many = 3000 if lead == busy else 5
        Activity.objects.bulk_create(Activity(lead=lead, activity_type="note") for _ in range(many))
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE activities")
    with CaptureQueriesContext(connection) as captured:
        Story(busy.pk).read(51)
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {captured[0]['sql']}")
        (plan,) = json.loads(found) if isinstance(found := cursor.fetchone()[0], str) else found
    read = [node for node in nodes(plan["Plan"]) if node.get("Relation Name") == "activities"]
    assert [(node["Index Name"], node["Actual Rows"]) for node in read] == [("idx_activities_lead", 51)]


def nodes(plan):
    yield plan
    for part in plan.get("Plans", []):
        yield from nodes(part)
