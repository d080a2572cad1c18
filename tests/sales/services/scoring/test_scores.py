"""Scoring leads by the rules, and the history of their scores."""

from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from sales import errors
from sales.models import Activity, Lead, LeadScoreHistory, LeadScoringRule
from sales.services.scoring import scores


def list_score_changes(lead) -> list[tuple[int, int, int]]:
    """Old score, new score and difference, oldest first."""
    rows = LeadScoreHistory.objects.filter(lead=lead).order_by("changed_at", "id")
    return list(rows.values_list("old_score", "new_score", "points_changed"))


def read_columns(lead) -> tuple[int, int, int, bool]:
    """Score, raw points, version, and whether the score has ever been updated."""
    lead.refresh_from_db()
    return (lead.score, lead.score_raw, lead.version, lead.score_updated_at is not None)


def test_a_score_is_written_with_its_history_and_reason(make_lead, rep):
    lead = make_lead(estimated_passengers=60)
    activity = Activity.objects.create(lead=lead, activity_type="quote_requested")
    before = timezone.now()

    assert scores.rescore(lead_ids=[lead.pk], by=rep, reason="They asked", activity_id=activity.pk) == 1
    assert read_columns(lead) == (50, 50, 2, True)

    row = LeadScoreHistory.objects.get()
    assert row.lead == lead
    assert row.old_score == 0
    assert row.new_score == 50
    assert row.points_changed == 50
    assert row.reason == "They asked"
    assert row.user == rep
    assert row.activity == activity
    assert row.run is None
    assert row.changed_at == lead.score_updated_at
    assert abs(row.changed_at - before) < timedelta(minutes=5)
    assert lead.updated_at < before


def test_an_unchanged_score_is_not_written(make_lead):
    lead, other = make_lead(estimated_passengers=60), make_lead(estimated_passengers=60)
    assert [scores.rescore(lead_ids=[lead.pk], by=None, reason="Twice") for _ in range(2)] == [1, 0]
    assert read_columns(lead) == (30, 30, 2, True)
    assert list_score_changes(lead) == [(0, 30, 30)]
    assert read_columns(other) == (0, 0, 1, False)
    assert list_score_changes(other) == []


def test_points_beyond_the_limits_do_not_change_the_score(make_lead):
    LeadScoringRule.objects.exclude(rule_name="Repeat Client").delete()
    LeadScoringRule.objects.update(points=-10)
    lead = make_lead(is_repeat=True)

    assert scores.rescore(lead_ids=[lead.pk], by=None, reason="Below") == 0
    assert read_columns(lead) == (0, -10, 2, False)
    assert list_score_changes(lead) == []


def test_the_changes_in_the_history_add_up(make_lead):
    lead = make_lead()
    for passengers, is_repeat in ((60, False), (60, True), (30, True), (30, True), (None, False)):
        Lead.objects.filter(pk=lead.pk).update(estimated_passengers=passengers, is_repeat=is_repeat)
        scores.rescore(lead_ids=[lead.pk], by=None, reason="Changed")
    assert list_score_changes(lead) == [(0, 30, 30), (30, 60, 30), (60, 40, -20), (40, 0, -40)]
    assert read_columns(lead) == (0, 0, 5, True)


def test_a_closed_or_archived_lead_keeps_its_score(make_lead):
    leads = [
        make_lead(is_repeat=True, score=7, status="won"),
        make_lead(is_repeat=True, score=7, status="lost", lost_reason_id="price"),
        make_lead(is_repeat=True, score=7, archived_at=timezone.now()),
    ]
    assert scores.rescore(lead_ids=[lead.pk for lead in leads], by=None, reason="Late") == 0
    assert [read_columns(lead)[0] for lead in leads] == [7, 7, 7]


def test_many_leads_at_once(make_lead, django_assert_max_num_queries):
    Lead.objects.bulk_create(Lead(contact_name="A", is_repeat=True) for _ in range(250))
    with django_assert_max_num_queries(8):
        changed = scores.rescore(
            lead_ids=list(Lead.objects.order_by("?").values_list("pk", flat=True)), by=None, reason="Import"
        )
    assert changed == 250
    assert set(Lead.objects.values_list("score", flat=True)) == {30}


def test_scoring_a_lead_takes_three_statements(make_lead, django_assert_max_num_queries):
    lead = make_lead(is_repeat=True)
    for number in range(50):
        LeadScoringRule.objects.create(
            rule_name=f"Rule no. {number}",
            rule_type="activity",
            condition_field="call_count",
            condition_operator="at_most",
            condition_value=str(number),
            points=1,
        )
    with django_assert_max_num_queries(3):
        scores.rescore(lead_ids=[lead.pk], by=None, reason="Now")
    assert read_columns(lead)[0] == 80


def test_without_leads_nothing_is_written(db):
    assert scores.rescore(lead_ids=[], by=None, reason="Nothing") == 0


def test_invalid_rules_do_not_stop_scoring(make_lead):
    LeadScoringRule.objects.filter(rule_name="Large Group Size").update(condition_value="lots")
    LeadScoringRule.objects.filter(rule_name="Medium Budget").update(condition_field="password")
    lead = make_lead(estimated_passengers=60, estimated_value=6000)

    assert scores.rescore(lead_ids=[lead.pk], by=None, reason="Now") == 1
    assert read_columns(lead)[0] == 35


def test_inactive_rules_do_not_count(make_lead):
    LeadScoringRule.objects.filter(rule_name="Repeat Client").update(is_active=False)
    lead = make_lead(is_repeat=True)
    assert scores.rescore(lead_ids=[lead.pk], by=None, reason="Now") == 0


@pytest.mark.django_db(transaction=True)
def test_rescoring_needs_a_transaction():
    with pytest.raises(transaction.TransactionManagementError):
        scores.rescore(lead_ids=[1], by=None, reason="Alone")


def test_only_users_who_may_change_the_lead_recalculate_its_score(make_lead, rep, colleague, stranger, manager):
    lead = make_lead(is_repeat=True, assigned_to=rep)
    with pytest.raises(errors.NotFound):
        scores.recalculate_lead(by=stranger, lead_id=lead.pk)
    with pytest.raises(errors.NotYourLead):
        scores.recalculate_lead(by=colleague, lead_id=lead.pk)
    assert list_score_changes(lead) == []

    calculated = scores.recalculate_lead(by=rep, lead_id=lead.pk)
    assert calculated.score == 30
    assert calculated.score_raw == 30
    assert calculated.version == 2
    assert scores.recalculate_lead(by=manager, lead_id=lead.pk).score_updated_at == calculated.score_updated_at
    assert LeadScoreHistory.objects.values_list("reason", "user_id").get() == ("Manual recalculation", rep.pk)
