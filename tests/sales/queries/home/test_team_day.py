"""A manager's home page: their people, the pipeline and the bookings, and nothing of other teams."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
import time_machine
from django.core.cache import cache
from django.test import override_settings

from athena.accounts.roles import Role
from notifications.models import Delivery, Notification
from sales.models import FollowUp, LeadSource, ScoringRun, SourceSpend
from sales.queries.home.team_day import Bookings, MonthlyBookings, PipelineStage, TeamMember, get_team_day

NOW = datetime(2026, 3, 31, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def frozen():
    with time_machine.travel(NOW, tick=False):
        yield


def plan_call(lead, assignee, day="2026-03-30"):
    FollowUp.objects.create(lead=lead, assigned_to=assignee, follow_up_type="call", scheduled_date=day)


def test_people_with_the_most_overdue_follow_ups_come_first(make_lead, manager, rep, colleague, stranger, leaver):
    for user, count in ((rep, 1), (colleague, 2), (leaver, 1), (stranger, 5)):
        for _ in range(count):
            plan_call(make_lead(assigned_to=user, status="quoted"), user)
    plan_call(make_lead(assigned_to=rep, status="won"), rep, "2026-03-31")
    plan_call(make_lead(assigned_to=rep, archived_at=NOW), rep)
    assert get_team_day(manager).people == [
        TeamMember(colleague.pk, "Tom", True, 2, 2),
        TeamMember(leaver.pk, "Gone", False, 1, 1),
        TeamMember(rep.pk, "Maria", True, 1, 1),
    ]


def test_the_pipeline_and_counts_are_of_the_leads_that_the_manager_may_read(
    make_lead, make_user, manager, rep, stranger
):
    make_lead(assigned_to=rep, estimated_value=Decimal(100))
    make_lead(assigned_to=rep, status="quoted", estimated_value=Decimal("50.50"), quote_valid_until=date(2026, 4, 2))
    make_lead(status="quoted", score=70)
    make_lead(assigned_to=stranger, estimated_value=Decimal(1000), score=99)

    team = get_team_day(manager)

    assert team.pipeline == [
        PipelineStage("new", "New", 1, Decimal(100)),
        PipelineStage("contacted", "Contacted", 0, Decimal(0)),
        PipelineStage("qualified", "Qualified", 0, Decimal(0)),
        PipelineStage("quoted", "Quoted", 2, Decimal("50.50")),
    ]
    assert team.counts == {"unowned": 1, "unplanned": 3, "uncontacted": 1, "stale": 0, "expiring": 1}
    company = get_team_day(make_user("chief", Role.MANAGER))
    assert company.counts["uncontacted"] == 2
    assert company.pipeline[0].value == Decimal(1100)


def test_bookings_are_compared_with_last_month_by_now(make_lead, manager, rep):
    """On 31 March, February "by then" is all of February: it has no 31st."""

    def won(day, value):
        make_lead(assigned_to=rep, status="won", closed_at=f"{day}T10:00Z", booked_value=value)

    for day, value in (("2026-01-31", 1), ("2026-02-01", 10), ("2026-02-28", 100), ("2026-03-01", 1000)):
        won(day, value)
    assert get_team_day(manager).bookings == MonthlyBookings(
        this_month=Bookings(1, Decimal(1000)),
        last_month_by_now=Bookings(2, Decimal(110)),
        last_month=Bookings(2, Decimal(110)),
    )
    with time_machine.travel("2026-03-15T12:00Z", tick=False):
        assert get_team_day(manager).bookings.last_month_by_now == (1, Decimal(10))


def test_response_time_and_top_sources_are_recent(make_lead, manager, rep):
    fair, ads = (LeadSource.objects.create(name=name) for name in ("Fair", "Ads"))
    SourceSpend.objects.create(source=ads, month=date(2026, 3, 1), amount=310)
    at = {"assigned_to": rep, "created_at": "2026-03-30T10:00Z"}
    for source, hours in ((fair, 1), (ads, 2), (ads, 6)):
        make_lead(**at, source=source, first_contacted_at=f"2026-03-30T{10 + hours}:00Z", status="contacted")
    make_lead(**at | {"created_at": "2025-12-01T10:00Z"}, source=fair)
    won = {"status": "won", "closed_at": NOW, "won_at": NOW, "booked_value": Decimal(930)}
    make_lead(**at, source=ads, first_contacted_at="2026-03-30T20:00Z", **won)

    recent = get_team_day(manager).recent

    assert recent.first_contact_hours == 4
    first, second = recent.sources
    assert (first.name, second.name) == ("Ads", "Fair")
    assert (first.leads, second.leads) == (3, 1)
    assert (first.won, second.won) == (1, 0)
    assert (first.spend, second.spend) == (Decimal("310.00"), Decimal(0))
    assert (first.roi, second.roi) == (2.0, None)


def test_failed_runs_of_the_last_week(manager):
    for day, state in (("2026-03-30", "failed"), ("2026-03-30", "done"), ("2026-03-01", "failed")):
        ScoringRun.objects.create(state=state, rule_set_version=1, finished_at=f"{day}T10:00Z")
    assert get_team_day(manager).failed_runs == 1


def test_failed_deliveries_of_the_last_week_to_the_managers_people(manager, rep, stranger):
    for number, (who, day, state) in enumerate(
        [
            (rep, "2026-03-30", "dead"),
            (rep, "2026-03-30", "sent"),
            (rep, "2026-03-01", "dead"),
            (stranger, "2026-03-30", "dead"),
        ]
    ):
        told = Notification.objects.create(kind="lead_assigned", recipient=who, dedupe_key=str(number))
        Delivery.objects.create(notification=told, channel="email", state=state, ended_at=f"{day}T10:00Z")
    assert get_team_day(manager).failed_deliveries == 1


def test_the_number_of_queries_is_fixed(make_lead, manager, rep, django_assert_num_queries):
    with django_assert_num_queries(10):
        get_team_day(manager)
    for _ in range(5):
        plan_call(make_lead(assigned_to=rep), rep)
    with django_assert_num_queries(10):
        get_team_day(manager)


@override_settings(CACHES={"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}})
def test_recent_figures_are_computed_once_in_a_few_minutes(make_lead, manager):
    for hours in (2, 4):
        make_lead(created_at=NOW - timedelta(hours=5), first_contacted_at=NOW - timedelta(hours=5 - hours))
        team = get_team_day(manager)
        assert team.recent.first_contact_hours == 2
        assert team.recent.as_of == NOW
        assert team.counts["unowned"] == hours // 2
    cache.clear()
    assert get_team_day(manager).recent.first_contact_hours == 3


@time_machine.travel("2026-03-31T01:00Z", tick=False)
def test_recent_figures_go_by_the_companys_date(make_lead, manager):
    """It is still Monday the 30th where the company is: the last 30 days begin on 28 February there."""
    evening = datetime(2026, 2, 28, 12, tzinfo=UTC)
    make_lead(created_at=evening, first_contacted_at=evening + timedelta(hours=7))

    assert get_team_day(manager).recent.first_contact_hours == 7


@time_machine.travel("2026-04-01T01:00Z", tick=False)
def test_the_month_begins_where_the_manager_is(make_lead, manager, rep):
    """It is April in UTC, and still March where the manager is."""
    manager.time_zone = "America/New_York"
    manager.save()
    make_lead(assigned_to=rep, status="won", closed_at="2026-03-02T12:00Z", booked_value=5)

    assert get_team_day(manager).bookings.this_month == Bookings(1, Decimal(5))
