"""Fixtures for scoring rules and the points that they give, without services."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime

import pytest
from model_bakery import baker

from sales.models import Activity, FollowUp, Lead, LeadScoringRule
from sales.scoring.compiler import CompiledRule, build_raw_points
from sales.scoring.value_sources import LeadSelection

NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)


@pytest.fixture
def make_rule(db: None) -> Callable[..., LeadScoringRule]:
    """Create a rule without the service; by default, 10 points for a repeat client."""

    def make(**fields: object) -> LeadScoringRule:
        values = {
            "rule_name": f"Rule {LeadScoringRule.objects.count()}",
            "rule_type": "attribute",
            "condition_field": "is_repeat",
            "condition_operator": "equals",
            "condition_value": "true",
            "points": 10,
        }
        return LeadScoringRule.objects.create(**values | fields)

    return make


@pytest.fixture
def no_rules(db: None) -> None:
    LeadScoringRule.objects.all().delete()


@pytest.fixture
def log(db: None) -> Callable[..., Activity]:
    """Create an activity without the service; by default it occurs at `NOW`."""

    def make(lead: Lead, activity_type: str = "call", **fields: object) -> Activity:
        return Activity.objects.create(lead=lead, activity_type=activity_type, **{"occurred_at": NOW} | fields)

    return make


@pytest.fixture
def complete(rep) -> Callable[..., FollowUp]:
    """Create a completed follow-up without the service."""

    def make(lead: Lead, outcome: str, at: datetime = NOW) -> FollowUp:
        return baker.make(
            FollowUp,
            lead=lead,
            follow_up_type="call",
            assigned_to=rep,
            completed=True,
            completed_at=at,
            completed_by=rep,
            outcome=outcome,
            cancelled_at=None,
        )

    return make


@pytest.fixture
def compute_points(db: None) -> Callable[..., list[int]]:
    """Compute the raw points of each lead, in the order of the leads; by default, with all rules."""

    def compute(
        leads: Iterable[Lead], rules: Iterable[LeadScoringRule] | None = None, now: datetime = NOW
    ) -> list[int]:
        ids = [lead.pk for lead in leads]
        compiled = CompiledRule.compile_all(LeadScoringRule.objects.all() if rules is None else rules)
        rows = Lead.objects.filter(pk__in=ids).annotate(
            raw=build_raw_points(compiled, LeadSelection.from_ids(ids, now))
        )
        raw_points = dict(rows.values_list("pk", "raw"))
        return [raw_points[pk] for pk in ids]

    return compute
