"""Rules and what they give, without services around them."""

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
    """A rule as a row, past the service. Given nothing: 10 points for a repeat client."""

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
    """An activity as a row, just now unless told."""

    def make(lead: Lead, activity_type: str = "call", **fields: object) -> Activity:
        return Activity.objects.create(lead=lead, activity_type=activity_type, **{"occurred_at": NOW} | fields)

    return make


@pytest.fixture
def completed(rep) -> Callable[..., FollowUp]:
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
def points_of(db: None) -> Callable[..., list[int]]:
    """The raw points of each lead by some rules (all there are, unless given), in the leads' order."""

    def points(leads: Iterable[Lead], rules: Iterable[LeadScoringRule] | None = None, now: datetime = NOW) -> list[int]:
        ids = [lead.pk for lead in leads]
        compiled = CompiledRule.compile_all(LeadScoringRule.objects.all() if rules is None else rules)
        rows = Lead.objects.filter(pk__in=ids).annotate(
            raw=build_raw_points(compiled, LeadSelection.from_ids(ids, now))
        )
        found = dict(rows.values_list("pk", "raw"))
        return [found[pk] for pk in ids]

    return points
