"""The preview of a rule change shows what saving it then does."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from sales import errors
from sales.models import Lead, LeadScoreHistory, LeadScoringRule, ScoringRun
from sales.queries.scoring.scoring_preview import get_rules_with_change, preview_rules
from sales.scoring import rule_checks
from sales.services.scoring import scoring_rules, scoring_runs

SIXTY_POINTS = {"points": 60}


@pytest.fixture
def repeat_client(db):
    """The only rule: 30 points for repeat clients."""
    LeadScoringRule.objects.exclude(rule_name="Repeat Client").delete()
    return LeadScoringRule.objects.get()


@pytest.fixture
def scored_leads(repeat_client, make_lead, rep, manager):
    """Four repeat clients with 30 points, and two other leads without; besides, a closed and an archived lead."""
    leads = [make_lead(assigned_to=rep, is_repeat=number < 4, company_name=f"Choir {number}") for number in range(6)]
    make_lead(assigned_to=rep, is_repeat=True, status="won", score=30)
    make_lead(assigned_to=rep, is_repeat=True, archived_at="2026-01-01T00:00Z", score=30)
    scoring_runs.start_run(by=manager, reason="First")
    scoring_runs.process_batches()
    return leads


def read_rows():
    models = (Lead, LeadScoringRule, LeadScoreHistory, ScoringRun)
    return [list(model.objects.order_by("pk").values()) for model in models]


def test_a_preview_counts_what_would_change(scored_leads, repeat_client, manager):
    preview = preview_rules(manager, get_rules_with_change(SIXTY_POINTS, repeat_client.pk))

    assert preview.lead_count == 6
    assert preview.changed == 4
    assert preview.hot_score == 50
    assert preview.becoming_hot == 4
    assert preview.no_longer_hot == 0
    assert preview.histogram_before == [2, 0, 0, 4, 0, 0, 0, 0, 0, 0]
    assert preview.histogram_after == [2, 0, 0, 0, 0, 0, 4, 0, 0, 0]
    assert preview.highest_count == 4
    assert [sample.score_before for sample in preview.samples] == [30] * 4
    assert [sample.explanation.score for sample in preview.samples] == [60] * 4
    assert preview.samples[0].explanation.rules[0].points == 60


def test_saving_does_what_the_preview_shows(scored_leads, repeat_client, manager):
    scoring_rules.update_rule(by=manager, rule_id=repeat_client.pk, changes=SIXTY_POINTS)
    scoring_runs.process_batches()

    assert list(Lead.objects.open().order_by("pk").values_list("score", flat=True)) == [60] * 4 + [0] * 2


def test_a_rule_that_is_switched_off_makes_leads_no_longer_hot(scored_leads, repeat_client, manager):
    scoring_rules.update_rule(by=manager, rule_id=repeat_client.pk, changes=SIXTY_POINTS)
    scoring_runs.process_batches()

    preview = preview_rules(manager, get_rules_with_change({"is_active": False}, repeat_client.pk))

    assert preview.changed == 4
    assert preview.becoming_hot == 0
    assert preview.no_longer_hot == 4
    assert preview.histogram_after[0] == 6


def test_a_new_rule_is_added_to_the_others(scored_leads, manager):
    new_rule = {
        "rule_name": "Choirs",
        "rule_type": "attribute",
        "condition_field": "company_name",
        "condition_operator": "contains",
        "condition_value": "choir",
        "points": 100,
    }

    preview = preview_rules(manager, get_rules_with_change(new_rule, None))

    assert preview.changed == 6
    assert preview.becoming_hot == 6
    assert preview.histogram_after[9] == 6
    assert {rule.rule_name for rule in preview.samples[0].explanation.rules} == {"Choirs", "Repeat Client"}


def test_a_preview_writes_nothing(scored_leads, repeat_client, manager):
    before = read_rows()

    with CaptureQueriesContext(connection) as captured:
        preview_rules(manager, get_rules_with_change(SIXTY_POINTS, repeat_client.pk))

    assert {query["sql"].split()[0] for query in captured} == {"SELECT"}
    assert read_rows() == before


def test_only_leads_that_the_user_may_read_count(scored_leads, repeat_client, stranger, make_user, make_lead):
    other_manager = make_user("boss", role="manager", team=stranger.team)
    visible_lead = make_lead(assigned_to=stranger, is_repeat=True, score=30)

    preview = preview_rules(other_manager, get_rules_with_change(SIXTY_POINTS, repeat_client.pk))

    assert preview.lead_count == 1
    assert preview.changed == 1
    assert preview.becoming_hot == 1
    assert sum(preview.histogram_before) == 1
    assert [sample.lead for sample in preview.samples] == [visible_lead]


def test_the_samples_are_the_ten_leads_that_change_most(repeat_client, manager, make_lead):
    leads = [make_lead(is_repeat=True, score=number) for number in range(15)]

    preview = preview_rules(manager, get_rules_with_change({}, repeat_client.pk))

    assert [sample.lead.pk for sample in preview.samples] == [lead.pk for lead in leads[:10]]


def test_the_number_of_queries_does_not_depend_on_the_leads(
    repeat_client, manager, make_lead, django_assert_num_queries
):
    for _ in range(12):
        make_lead(is_repeat=True)
    with CaptureQueriesContext(connection) as for_twelve_leads:
        preview_rules(manager, get_rules_with_change(SIXTY_POINTS, repeat_client.pk))
    for _ in range(30):
        make_lead(is_repeat=True)

    with django_assert_num_queries(len(for_twelve_leads)):
        preview_rules(manager, get_rules_with_change(SIXTY_POINTS, repeat_client.pk))


def test_the_histogram_names_the_scores_of_each_bar(repeat_client, manager, make_lead):
    make_lead(score=9)
    make_lead(score=10)
    make_lead(score=100)

    bars = preview_rules(manager, []).bars

    assert [bar.scores for bar in bars] == [
        "0 to 9",
        "10 to 19",
        "20 to 29",
        "30 to 39",
        "40 to 49",
        "50 to 59",
        "60 to 69",
        "70 to 79",
        "80 to 89",
        "90 to 100",
    ]
    assert [bar.before for bar in bars] == [1, 1, 0, 0, 0, 0, 0, 0, 0, 1]
    assert [bar.after for bar in bars] == [3, 0, 0, 0, 0, 0, 0, 0, 0, 0]


def test_without_leads_and_rules_nothing_changes(repeat_client, manager):
    preview = preview_rules(manager, [])

    assert preview.lead_count == 0
    assert preview.changed == 0
    assert preview.histogram_before == [0] * 10
    assert preview.samples == []
    assert preview.highest_count == 1


def test_an_invalid_change_has_no_preview(repeat_client):
    with pytest.raises(errors.Invalid):
        get_rules_with_change({"points": 101}, repeat_client.pk)


def test_a_rule_that_does_not_exist_has_no_preview(repeat_client):
    with pytest.raises(errors.NotFound):
        get_rules_with_change(SIXTY_POINTS, 999)


def test_more_active_rules_than_allowed_have_no_preview(repeat_client, manager, monkeypatch):
    monkeypatch.setattr(rule_checks, "MAX_ACTIVE_RULES", 1)
    other = LeadScoringRule(rule_name="Other", is_active=True)

    with pytest.raises(errors.TooManyRules):
        preview_rules(manager, [repeat_client, other])
