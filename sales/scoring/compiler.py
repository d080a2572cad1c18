"""Rules become one SQL expression: what a lead's score means is said here and nowhere else.

One lead, a batch, all leads and the explanation of a score all use it, on both engines.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import Case, FloatField, Func, IntegerField, Q, Value, When
from django.db.models.expressions import Combinable
from django.db.models.functions import Cast, Coalesce, Floor, Greatest, Least, NullIf, Power

from athena.db import WholeDays
from sales import normalization
from sales.models import LeadScoringRule
from sales.scoring import rule_checks
from sales.scoring.fields import FIELDS, Field
from sales.scoring.value_sources import Scope

LOWEST, HIGHEST = 0, 100
_NO_MATCH = -100_000  # stands for NULL, which SQLite's MAX would return instead of skipping it
_MOST_HALVINGS = 60  # beyond that nothing is left of 100 points, and PostgreSQL would raise "underflow"
_MOST_ARGUMENTS = 100


@dataclass(frozen=True)
class Compiled:
    """A rule that can be asked. `Compiled.all` leaves out the broken ones, which only plain SQL can have written."""

    rule: LeadScoringRule
    field: Field
    value: Any

    @classmethod
    def active(cls) -> "list[Compiled]":
        """The active rules, most points first. Whoever scores by them holds the rule lock."""
        return cls.all(LeadScoringRule.objects.filter(is_active=True))

    @classmethod
    def all(cls, rules: Iterable[LeadScoringRule]) -> "list[Compiled]":
        return [cls._of(rule) for rule in rules if not rule_checks.problems(rule_checks.values_of(rule))]

    @classmethod
    def _of(cls, rule: LeadScoringRule) -> "Compiled":
        field = FIELDS[rule.rule_type, rule.condition_field]
        return cls(rule, field, rule_checks.parse(field, rule.condition_operator, rule.condition_value))

    @property
    def group(self) -> str:
        return normalization.name_key(self.rule.group)

    @property
    def condition(self) -> str:
        """What it asks, for people: `How many passengers they expect: is more than 50`."""
        rule = self.rule
        asked = f"{self.field.sentence}: {rule.get_condition_operator_display()} {rule.condition_value}"
        return f"{asked}, in the last {rule.within_days} days" if rule.within_days else asked

    def matches(self, scope: Scope) -> Q:
        rule = self.rule
        return self.field.source.matches(scope, rule.condition_operator, self.value, rule.within_days)

    def seen(self, scope: Scope) -> Combinable:
        """The value that the rule looks at."""
        return self.field.source.value(scope, self.rule.within_days)

    def worth(self, scope: Scope) -> Combinable:
        """The points for a lead that matches, faded by age: halved every N whole days, halves rounded up.

        A rule that matches because nothing happened has nothing to fade by.
        """
        rule = self.rule
        latest = self.field.source.latest(rule.within_days, scope.now) if rule.half_life_days else None
        if latest is None:
            return Value(rule.points)
        days = Cast(Greatest(WholeDays(latest, Value(scope.now)), 0), FloatField())
        halvings = Least(days / Value(float(rule.half_life_days or 1)), Value(float(_MOST_HALVINGS)))
        faded = Value(float(rule.points)) * Power(Cast(Value(0.5), FloatField()), halvings)
        return Coalesce(Cast(Floor(faded + Value(0.5)), IntegerField()), rule.points)

    def points(self, scope: Scope, *, without: int = 0) -> Case:
        """What the rule gives to each lead; `without` where it does not match."""
        return Case(When(self.matches(scope), then=self.worth(scope)), default=without, output_field=IntegerField())


def raw_points(rules: Iterable[Compiled], scope: Scope) -> Combinable:
    """The sum of all rules' points, not yet held to 0–100. Of a group only the matching rule with the most counts."""
    groups: dict[Any, list[Compiled]] = defaultdict(list)
    for rule in rules:
        groups[rule.group or rule.rule.pk].append(rule)
    terms = [_term(group, scope) for group in groups.values()]
    return Func(*terms, template="(%(expressions)s)", arg_joiner=" + ", output_field=IntegerField()) if terms else _ZERO


def score(rules: Iterable[Compiled], scope: Scope) -> Combinable:
    """The score of each lead: `raw_points` held to 0–100."""
    return Least(Greatest(raw_points(rules, scope), LOWEST), HIGHEST)


def clamp(raw: int) -> int:
    """A score is a sum held to 0–100; `write` says the same in SQL."""
    return max(LOWEST, min(raw, HIGHEST))


def _term(group: list[Compiled], scope: Scope) -> Combinable:
    if len(group) == 1:
        return group[0].points(scope)
    best = _greatest([rule.points(scope, without=_NO_MATCH) for rule in group])
    return Coalesce(NullIf(best, Value(_NO_MATCH)), 0)


def _greatest(terms: list[Any]) -> Any:
    """SQLite's MAX takes 127 arguments, and Django's `Greatest` at least two."""
    while len(terms) > 1:
        parts = [terms[start : start + _MOST_ARGUMENTS] for start in range(0, len(terms), _MOST_ARGUMENTS)]
        terms = [Greatest(*part) if len(part) > 1 else part[0] for part in parts]
    return terms[0]


_ZERO = Value(0, IntegerField())
