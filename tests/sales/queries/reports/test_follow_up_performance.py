"""Follow-up performance, against numbers that were computed by hand."""

from dataclasses import asdict
from datetime import UTC, datetime, timedelta

import pytest

from athena.accounts.models import local_today
from athena.accounts.roles import Role
from sales import errors
from sales.models import FollowUp, Lead
from sales.queries.reports.follow_up_performance import compute_follow_up_performance, compute_follow_up_table
from sales.queries.reports.period import Period
from sales.queries.reports.scope import Scope
from sales.services.follow_ups import follow_ups
from sales.services.follow_ups.completion import CompletionInput
from sales.services.ownership import transfers


@pytest.fixture
def history(rep, colleague, stranger, make_lead):
    """Maria: 3 completed (2 on time), 1 overdue, 1 to come, 1 canceled. Tom and Otto: one open each. Returns today."""
    lead, today = make_lead(assigned_to=rep), local_today(rep)

    def plan(assignee, days, kind="call", **fields):
        day = today + timedelta(days=days)
        dates = {"scheduled_date": day, "first_scheduled_date": day}
        FollowUp.objects.create(lead=lead, assigned_to=assignee, follow_up_type=kind, **(dates | fields))

    def at(days, hour=12):
        return datetime.combine(today + timedelta(days=days), datetime.min.time(), UTC) + timedelta(hours=hour)

    late = {"first_scheduled_date": today - timedelta(days=5)}
    plan(rep, -9, completed=True, completed_at=at(-9, 23), outcome="successful")
    plan(rep, -8, "email", completed=True, completed_at=at(-9), outcome="no_answer")
    plan(rep, -3, completed=True, completed_at=at(-3), outcome="successful", **late)
    plan(rep, -2)
    plan(rep, 2)
    plan(rep, -1, cancelled_at=at(-1))
    plan(colleague, 1)
    plan(stranger, 1)
    return today


def test_the_totals(history, rep):
    report = compute_follow_up_performance(rep)
    assert report["total_follow_ups"] == 5
    assert report["completed"] == 3
    assert report["pending"] == 2
    assert report["overdue"] == 1
    assert report["cancelled"] == 1
    assert report["completion_rate"] == 60.0
    assert report["on_time_rate"] == 66.67
    assert report["outcomes"] == {"no_answer": 1, "successful": 2}


def test_by_user_and_by_type(history, rep):
    report = compute_follow_up_performance(rep)
    assert report["by_user"] == [
        {
            "user_id": rep.pk,
            "full_name": "Maria",
            "total": 5,
            "completed": 3,
            "pending": 2,
            "overdue": 1,
            "cancelled": 1,
            "completion_rate": 60.0,
            "on_time_rate": 66.67,
        }
    ]
    assert report["by_type"] == [
        {
            "follow_up_type": "call",
            "total": 4,
            "completed": 2,
            "pending": 2,
            "overdue": 1,
            "cancelled": 1,
            "completion_rate": 50.0,
            "on_time_rate": 50.0,
        },
        {
            "follow_up_type": "email",
            "total": 1,
            "completed": 1,
            "pending": 0,
            "overdue": 0,
            "cancelled": 0,
            "completion_rate": 100.0,
            "on_time_rate": 100.0,
        },
    ]


def test_the_answer_has_no_other_keys(history, rep):
    assert set(compute_follow_up_performance(rep)) == {
        *("total_follow_ups", "completed", "pending", "overdue", "cancelled", "completion_rate", "on_time_rate"),
        *("outcomes", "by_user", "by_type"),
    }


def test_the_period_is_about_scheduled_dates_and_includes_both_ends(history, rep):
    day = history - timedelta(days=8)
    assert compute_follow_up_performance(rep, start_date=day, end_date=day)["total_follow_ups"] == 1
    assert compute_follow_up_performance(rep, start_date=day)["total_follow_ups"] == 4


def test_people_whose_numbers_a_user_may_read(history, colleague, manager, admin, make_user):
    without_team = make_user("boss", Role.MANAGER)
    users = (colleague, manager, admin, without_team)
    totals = {user: compute_follow_up_performance(user)["total_follow_ups"] for user in users}
    assert totals == {colleague: 1, manager: 6, admin: 7, without_team: 7}


def test_the_numbers_of_one_person(history, rep, colleague, stranger, manager):
    assert compute_follow_up_performance(manager, user_id=colleague.pk)["total_follow_ups"] == 1
    with pytest.raises(errors.NotAllowed):
        compute_follow_up_performance(rep, user_id=colleague.pk)
    with pytest.raises(errors.NotAllowed):
        compute_follow_up_performance(manager, user_id=stranger.pk)
    with pytest.raises(errors.NotFound):
        compute_follow_up_performance(manager, user_id=9999)


def test_work_counts_for_the_person_who_did_it(rep, colleague, stranger, manager, make_lead, make_user):
    """Completed work stays with its assignee; open follow-ups move with the lead. Nobody reads other teams' numbers."""
    lead, other_manager = make_lead(assigned_to=rep), make_user("far", manager.role, stranger.team)
    plan = {"by": rep, "lead_id": lead.pk, "follow_up_type": "call", "scheduled_date": local_today(rep)}
    first, *_ = [follow_ups.create(**plan) for _ in range(3)]
    follow_ups.complete(by=rep, follow_up_id=first.pk, completion_input=CompletionInput(outcome="successful"))
    transfers.transfer(by=manager, leads=Lead.objects.filter(pk=lead.pk), to_user_id=stranger.pk)

    def read_rows(user):
        rows = compute_follow_up_performance(user)["by_user"]
        return [(row["user_id"], row["completed"], row["pending"]) for row in rows]

    assert read_rows(rep) == read_rows(manager) == [(rep.pk, 1, 0)]
    assert read_rows(stranger) == read_rows(other_manager) == [(stranger.pk, 0, 2)]
    for user, other in ((other_manager, rep), (manager, stranger), (colleague, rep)):
        with pytest.raises(errors.NotAllowed):
            compute_follow_up_performance(user, user_id=other.pk)


def test_rates_of_nothing_are_zero(rep):
    report = compute_follow_up_performance(rep)
    assert report["completion_rate"] == 0.0
    assert report["on_time_rate"] == 0.0
    assert report["by_user"] == []


def test_on_time_is_by_the_assignees_calendar(make_user, desk, make_lead):
    assignee = make_user("kiri", team=desk, time_zone="Pacific/Auckland")
    FollowUp.objects.create(
        lead=make_lead(),
        assigned_to=assignee,
        follow_up_type="call",
        scheduled_date="2026-07-01",
        first_scheduled_date="2026-07-01",
        completed=True,
        completed_at="2026-07-01T12:30Z",  # 2 July, 00:30 in Auckland
        outcome="successful",
    )
    assert compute_follow_up_performance(assignee)["on_time_rate"] == 0.0


@pytest.mark.parametrize("by", ["person", "type", "outcome"])
def test_the_rows_of_a_table_add_up_to_the_same_totals(history, manager, by):
    report, table = compute_follow_up_performance(manager), compute_follow_up_table(manager, by=by)
    totals = asdict(table.totals)
    assert totals.pop("key") is None
    assert totals.pop("name") == "total"
    assert totals.pop("total") == report["total_follow_ups"]
    assert totals == {name: report[name] for name in totals}

    for name in ("total", "completed", "pending", "overdue", "cancelled"):
        assert sum(getattr(row, name) for row in table.rows) == getattr(table.totals, name)


def test_pending_and_canceled_follow_ups_have_no_outcome(history, manager):
    no_answer, successful, no_outcome = compute_follow_up_table(manager, by="outcome").rows
    assert no_answer.key == "no_answer"
    assert no_answer.name == "No answer"
    assert no_answer.total == 1
    assert successful.key == "successful"
    assert successful.name == "Successful"
    assert successful.total == 2
    assert no_outcome.key is None
    assert no_outcome.name == "no outcome"
    assert no_outcome.total == 3
    assert [row.pending for row in (no_answer, successful, no_outcome)] == [0, 0, 3]
    assert [row.cancelled for row in (no_answer, successful, no_outcome)] == [0, 0, 1]


def test_a_table_of_a_team_a_person_and_a_period(history, admin, manager, rep, stranger, desk):
    def list_names(user, by="person", period=None, **scope):
        return [row.name for row in compute_follow_up_table(user, period, Scope(**scope), by=by).rows]

    day = history - timedelta(days=8)
    assert list_names(admin) == ["Maria", "Otto", "Tom"]
    assert list_names(admin, team=desk.pk) == ["Maria", "Tom"]
    assert list_names(admin, person=stranger.pk) == ["Otto"]
    assert list_names(admin, team=desk.pk, person=stranger.pk) == []
    assert list_names(manager, person=stranger.pk) == []  # another team's
    assert list_names(rep, team=desk.pk) == ["Maria"]
    assert list_names(manager, "type", Period(day, day)) == [FollowUp.Type.EMAIL.label]
