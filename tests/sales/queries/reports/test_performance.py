"""The performance report against figures worked out by hand."""

from datetime import UTC, datetime, timedelta

import pytest

from athena.accounts.models import local_today
from sales import errors
from sales.models import FollowUp, Lead
from sales.queries.reports.performance import BY, follow_up_performance, performance_table
from sales.queries.reports.period import Period
from sales.queries.reports.scope import Whose
from sales.services.follow_ups import follow_ups
from sales.services.follow_ups.completion import CompletionInput
from sales.services.ownership import transfers


@pytest.fixture
def history(rep, colleague, stranger, make_lead):
    """Of Maria: 3 completed (2 on time), 1 overdue, 1 to come, 1 cancelled. Of Tom and Otto one open each."""
    lead, today = make_lead(assigned_to=rep), local_today(rep)

    def plan(who, days, kind="call", **fields):
        fields.setdefault("first_scheduled_date", today + timedelta(days=days))
        FollowUp.objects.create(
            lead=lead, assigned_to=who, follow_up_type=kind, scheduled_date=today + timedelta(days=days), **fields
        )

    def at(days, hour=12):
        return datetime.combine(today + timedelta(days=days), datetime.min.time(), UTC) + timedelta(hours=hour)

    plan(rep, -9, completed=True, completed_at=at(-9, 23), outcome="successful")
    plan(rep, -8, "email", completed=True, completed_at=at(-9), outcome="no_answer")
    plan(
        rep, -3, completed=True, completed_at=at(-3), outcome="successful",
        first_scheduled_date=today - timedelta(days=5),
    )  # fmt: skip
    plan(rep, -2)
    plan(rep, 2)
    plan(rep, -1, cancelled_at=at(-1))
    plan(colleague, 1)
    plan(stranger, 1)
    return today


def test_figures(history, rep):
    report = follow_up_performance(rep)
    counts = {
        "total": 5, "completed": 3, "pending": 2, "overdue": 1, "cancelled": 1, "completion_rate": 60.0,
        "on_time_rate": 66.67,
    }  # fmt: skip
    email = {**counts, "total": 1, "completed": 1, "pending": 0, "overdue": 0, "cancelled": 0,
             "completion_rate": 100.0, "on_time_rate": 100.0}  # fmt: skip
    call = {**counts, "total": 4, "completed": 2, "completion_rate": 50.0, "on_time_rate": 50.0}
    whole = {**counts, "total_follow_ups": 5}
    del whole["total"]
    assert report == {
        **whole,
        "outcomes": {"no_answer": 1, "successful": 2},
        "by_user": [{"user_id": rep.pk, "full_name": "Maria", **counts}],
        "by_type": [{"follow_up_type": "call", **call}, {"follow_up_type": "email", **email}],
    }


def test_the_period_is_of_scheduled_dates_both_ends_included(history, rep):
    day = history - timedelta(days=8)
    assert follow_up_performance(rep, start_date=day, end_date=day)["total_follow_ups"] == 1
    assert follow_up_performance(rep, start_date=day)["total_follow_ups"] == 4


def test_scope(history, rep, colleague, stranger, manager, admin, make_user):
    from athena.accounts.roles import Role

    everywhere = make_user("boss", Role.MANAGER)
    totals = {u: follow_up_performance(u)["total_follow_ups"] for u in (colleague, manager, admin, everywhere)}
    assert totals == {colleague: 1, manager: 6, admin: 7, everywhere: 7}
    assert follow_up_performance(manager, user_id=colleague.pk)["total_follow_ups"] == 1
    with pytest.raises(errors.NotAllowed):
        follow_up_performance(rep, user_id=colleague.pk)
    with pytest.raises(errors.NotAllowed):
        follow_up_performance(manager, user_id=stranger.pk)
    with pytest.raises(errors.NotFound):
        follow_up_performance(manager, user_id=9999)


def test_work_counts_for_who_did_it_wherever_the_lead_is_now(rep, colleague, stranger, manager, make_lead, make_user):
    """Figures are of people: what somebody did stays theirs, what is open goes with the lead. Nobody reads others'."""
    lead, far = make_lead(assigned_to=rep), make_user("far", manager.role, stranger.team)
    plans = [follow_ups.create(by=rep, lead_id=lead.pk, follow_up_type="call", scheduled_date=local_today(rep))
             for _ in range(3)]  # fmt: skip
    follow_ups.complete(by=rep, follow_up_id=plans[0].pk, completion_input=CompletionInput(outcome="successful"))
    transfers.transfer(by=manager, leads=Lead.objects.filter(pk=lead.pk), to_user_id=stranger.pk)

    def figures(user):
        report = follow_up_performance(user)
        return [(row["user_id"], row["completed"], row["pending"]) for row in report["by_user"]]

    assert figures(rep) == figures(manager) == [(rep.pk, 1, 0)]
    assert figures(stranger) == figures(far) == [(stranger.pk, 0, 2)]
    for asker, other in ((far, rep), (manager, stranger), (colleague, rep)):
        with pytest.raises(errors.NotAllowed):
            follow_up_performance(asker, user_id=other.pk)


def test_nothing_is_no_division_by_zero(rep):
    report = follow_up_performance(rep)
    assert (report["completion_rate"], report["on_time_rate"], report["by_user"]) == (0.0, 0.0, [])


def test_on_time_is_by_the_assignees_calendar(make_user, desk, make_lead):
    abroad = make_user("kiri", team=desk, time_zone="Pacific/Auckland")
    FollowUp.objects.create(
        lead=make_lead(), assigned_to=abroad, follow_up_type="call", scheduled_date="2026-07-01", completed=True,
        first_scheduled_date="2026-07-01", completed_at="2026-07-01T12:30Z", outcome="successful",
    )  # fmt: skip
    assert follow_up_performance(abroad)["on_time_rate"] == 0.0  # 2 July 00:30 in Auckland


def test_as_a_table_the_rows_add_up_to_the_same_totals(history, manager):
    whole = follow_up_performance(manager)
    for by in BY:
        table = performance_table(manager, by=by)
        totals = table["totals"]
        assert totals == {"key": None, "name": "total", "total": whole["total_follow_ups"]} | {
            name: whole[name]
            for name in ("completed", "pending", "overdue", "cancelled", "completion_rate", "on_time_rate")
        }
        for name in ("total", "completed", "pending", "overdue", "cancelled"):
            assert sum(row[name] for row in table["rows"]) == totals[name]


def test_by_outcome_what_is_not_completed_has_none(history, manager):
    rows = performance_table(manager, by="outcome")["rows"]
    assert [(row["key"], row["name"], row["total"], row["pending"], row["cancelled"]) for row in rows] == [
        ("no_answer", "No answer", 1, 0, 0), ("successful", "Successful", 2, 0, 0), (None, "no outcome", 3, 3, 1),
    ]  # fmt: skip


def test_a_table_of_a_team_a_person_and_a_period(history, admin, manager, rep, colleague, stranger, desk):
    def names(user, by="person", period=None, **whose):
        return [row["name"] for row in performance_table(user, period, by=by, whose=Whose(**whose))["rows"]]

    assert names(admin) == ["Maria", "Otto", "Tom"]
    assert names(admin, team=desk.pk) == ["Maria", "Tom"]
    assert names(admin, person=stranger.pk) == ["Otto"]
    assert names(admin, team=desk.pk, person=stranger.pk) == []
    assert names(manager, person=stranger.pk) == []  # out of scope
    assert names(rep, team=desk.pk) == ["Maria"]
    day = history - timedelta(days=8)
    assert names(manager, "type", Period(day, day)) == ["Email"]
