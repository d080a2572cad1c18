"""A rehearsed rule change tells what saving it then does."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from sales import errors
from sales.models import Lead, LeadScoreHistory, LeadScoringRule, ScoringRun
from sales.queries.scoring.scoring_preview import get_rules_with_change, preview_rules
from sales.services.scoring import scoring_rules, scoring_runs

HOTTER = {"points": 60}


@pytest.fixture
def repeat_client(db):
    LeadScoringRule.objects.exclude(rule_name="Repeat Client").delete()
    return LeadScoringRule.objects.get()


@pytest.fixture
def scored(repeat_client, make_lead, rep, manager):
    """Four repeat clients with 30 points, two others without, one closed and one archived."""
    leads = [make_lead(assigned_to=rep, is_repeat=number < 4, company_name=f"Choir {number}") for number in range(6)]
    make_lead(assigned_to=rep, is_repeat=True, status="won", score=30)
    make_lead(assigned_to=rep, is_repeat=True, archived_at="2026-01-01T00:00Z", score=30)
    scoring_runs.start_run(by=manager, reason="First")
    scoring_runs.process_batches()
    return leads


def test_it_tells_what_saving_does(scored, repeat_client, manager):
    told = preview_rules(manager, get_rules_with_change(HOTTER, repeat_client.pk))
    assert (told.lead_count, told.changed, told.hot_score, told.becoming_hot, told.no_longer_hot) == (6, 4, 50, 4, 0)
    assert told.histogram_before == [2, 0, 0, 4, 0, 0, 0, 0, 0, 0]
    assert told.histogram_after == [2, 0, 0, 0, 0, 0, 4, 0, 0, 0]
    assert told.highest_count == 4
    assert [(sample.score_before, sample.explanation.score) for sample in told.samples] == [(30, 60)] * 4
    assert told.samples[0].explanation.rules[0].points == 60
    scoring_rules.update_rule(by=manager, rule_id=repeat_client.pk, changes=HOTTER)
    scoring_runs.process_batches()
    assert list(Lead.objects.open().order_by("pk").values_list("score", flat=True)) == [60] * 4 + [0] * 2
    back = preview_rules(manager, get_rules_with_change({"is_active": False}, repeat_client.pk))
    assert (back.changed, back.becoming_hot, back.no_longer_hot, back.histogram_after[0]) == (4, 0, 4, 6)


def test_a_new_rule_is_rehearsed_beside_the_others(scored, manager):
    new = {
        "rule_name": "Choirs", "rule_type": "attribute", "condition_field": "company_name",
        "condition_operator": "contains", "condition_value": "choir", "points": 100,
    }  # fmt: skip
    told = preview_rules(manager, get_rules_with_change(new, None))
    assert (told.changed, told.becoming_hot, told.histogram_after[9]) == (6, 6, 6)
    assert {line.rule_name for line in told.samples[0].explanation.rules} == {"Choirs", "Repeat Client"}


def test_it_writes_nothing(scored, repeat_client, manager):
    def all_rows():
        return [
            list(model.objects.order_by("pk").values())
            for model in (Lead, LeadScoringRule, LeadScoreHistory, ScoringRun)
        ]

    before = all_rows()
    with CaptureQueriesContext(connection) as captured:
        preview_rules(manager, get_rules_with_change(HOTTER, repeat_client.pk))
    assert {query["sql"].split()[0] for query in captured} == {"SELECT"}
    assert all_rows() == before


def test_it_is_about_leads_that_one_may_read(scored, repeat_client, stranger, make_user, make_lead):
    elsewhere = make_user("boss", role="manager", team=stranger.team)
    theirs = make_lead(assigned_to=stranger, is_repeat=True, score=30)
    told = preview_rules(elsewhere, get_rules_with_change(HOTTER, repeat_client.pk))
    assert (told.lead_count, told.changed, told.becoming_hot, sum(told.histogram_before)) == (1, 1, 1, 1)
    assert [sample.lead for sample in told.samples] == [theirs]


def test_ten_samples_those_that_change_most(repeat_client, manager, make_lead):
    leads = [make_lead(is_repeat=True, score=number) for number in range(15)]
    told = preview_rules(manager, get_rules_with_change({}, repeat_client.pk))
    assert [sample.lead.pk for sample in told.samples] == [lead.pk for lead in leads[:10]]


def test_its_cost_does_not_depend_on_how_many_leads(repeat_client, manager, make_lead, django_assert_num_queries):
    for _ in range(12):
        make_lead(is_repeat=True)
    with CaptureQueriesContext(connection) as first:
        preview_rules(manager, get_rules_with_change(HOTTER, repeat_client.pk))
    for _ in range(30):
        make_lead(is_repeat=True)
    with django_assert_num_queries(len(first)):
        preview_rules(manager, get_rules_with_change(HOTTER, repeat_client.pk))


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


def test_without_leads_and_without_rules(repeat_client, manager):
    told = preview_rules(manager, [])
    assert (told.lead_count, told.changed, told.histogram_before, told.samples) == (0, 0, [0] * 10, [])
    assert told.highest_count == 1


def test_a_change_that_can_not_be_saved_can_not_be_rehearsed(repeat_client):
    with pytest.raises(errors.Invalid):
        get_rules_with_change({"points": 101}, repeat_client.pk)
    with pytest.raises(errors.NotFound):
        get_rules_with_change(HOTTER, 999)
