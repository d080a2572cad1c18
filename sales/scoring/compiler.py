"""Compiles scoring rules to one SQL expression. What a lead's score is, is defined here and nowhere else.

One lead, a batch, all leads and the explanation of a score use the same expression, on both database engines.
"""

from collections import defaultdict
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass

from django.db.models import Case, FloatField, Func, IntegerField, Q, Value, When
from django.db.models.expressions import Combinable
from django.db.models.functions import Cast, Coalesce, Floor, Greatest, Least, NullIf, Power

from athena.db import WholeDays
from sales import normalization
from sales.models import LeadScoringRule
from sales.scoring import rule_checks
from sales.scoring.fields import FIELDS, Field
from sales.scoring.value_sources import LeadSelection, RuleValue

MIN_SCORE, MAX_SCORE = 0, 100
_NO_MATCH = -100_000  # stands for NULL: SQLite's MAX returns NULL if one argument is NULL
_MAX_HALVINGS = 60  # after that nothing is left of 100 points, and PostgreSQL would raise "underflow"
_MAX_FUNCTION_ARGUMENTS = 100  # SQLite's MAX takes 127


@dataclass(frozen=True)
class CompiledRule:
    """A scoring rule with its field and its parsed value, ready to become SQL."""

    rule: LeadScoringRule
    field: Field
    value: RuleValue

    @classmethod
    def load_active(cls) -> "list[CompiledRule]":
        """The active rules, most points first. Callers that write scores must hold the rule lock."""
        return cls.compile_all(LeadScoringRule.objects.filter(is_active=True))

    @classmethod
    def compile_all(cls, rules: Iterable[LeadScoringRule]) -> "list[CompiledRule]":
        """The rules, without the invalid ones: only plain SQL can have written those."""
        return [cls._compile(rule) for rule in rules if not rule_checks.find_problems(rule_checks.get_values(rule))]

    @classmethod
    def _compile(cls, rule: LeadScoringRule) -> "CompiledRule":
        field = FIELDS[rule.rule_type, rule.condition_field]
        return cls(rule, field, rule_checks.parse_value(field, rule.condition_operator, rule.condition_value))

    @property
    def group(self) -> str:
        """The rule's group, without differences in case and spacing; "" for none."""
        return normalization.name_key(self.rule.group)

    @property
    def condition(self) -> str:
        """The condition for people, such as `Number of passengers: is more than 50`."""
        rule = self.rule
        text = f"{self.field.description}: {rule.get_condition_operator_display()} {rule.condition_value}"
        return f"{text}, in the last {rule.within_days} days" if rule.within_days else text

    def matches(self, selection: LeadSelection) -> Q:
        """The leads that match the rule's condition."""
        rule = self.rule
        return self.field.source.matches(selection, rule.condition_operator, self.value, rule.within_days)

    def lead_value(self, selection: LeadSelection) -> Combinable:
        """The value of each lead that the condition compares."""
        return self.field.source.value(selection, self.rule.within_days)

    def points_if_matched(self, selection: LeadSelection) -> Combinable:
        """The points for each lead, supposing it matches: halved every `half_life_days` since the latest event.

        Only whole days count, and halves are rounded up. A rule that matches because nothing has happened has no
        event to count days from, so it gives all its points.
        """
        rule = self.rule
        latest = self.field.source.latest(rule.within_days, selection.now) if rule.half_life_days else None
        if latest is None:
            return Value(rule.points)
        days = Cast(Greatest(WholeDays(latest, Value(selection.now)), 0), FloatField())
        halvings = Least(days / Value(float(rule.half_life_days or 1)), Value(float(_MAX_HALVINGS)))
        faded = Value(float(rule.points)) * Power(Cast(Value(0.5), FloatField()), halvings)
        return Coalesce(Cast(Floor(faded + Value(0.5)), IntegerField()), rule.points)

    def points(self, selection: LeadSelection, *, default: int = 0) -> Case:
        """The points that the rule gives to each lead; `default` where it does not match."""
        when = When(self.matches(selection), then=self.points_if_matched(selection))
        return Case(when, default=default, output_field=IntegerField())


def build_raw_points(rules: Iterable[CompiledRule], selection: LeadSelection) -> Combinable:
    """The sum of all rules' points for each lead, before it is limited to 0–100.

    Of a group only the matching rule with the most points counts.
    """
    groups: dict[Hashable, list[CompiledRule]] = defaultdict(list)
    for rule in rules:
        groups[rule.group or rule.rule.pk].append(rule)
    terms = [_build_group_points(group, selection) for group in groups.values()]
    if not terms:
        return Value(0, IntegerField())
    return Func(*terms, template="(%(expressions)s)", arg_joiner=" + ", output_field=IntegerField())


def build_score(rules: Iterable[CompiledRule], selection: LeadSelection) -> Combinable:
    """The score of each lead: its raw points, limited to 0–100."""
    return Least(Greatest(build_raw_points(rules, selection), MIN_SCORE), MAX_SCORE)


def clamp(raw_points: int) -> int:
    """Limit raw points to 0–100. `write_scores` does the same in SQL."""
    return max(MIN_SCORE, min(raw_points, MAX_SCORE))


def _build_group_points(group: Sequence[CompiledRule], selection: LeadSelection) -> Combinable:
    if len(group) == 1:
        return group[0].points(selection)
    best = _build_greatest([rule.points(selection, default=_NO_MATCH) for rule in group])
    return Coalesce(NullIf(best, Value(_NO_MATCH)), 0)


def _build_greatest(terms: Sequence[Combinable]) -> Combinable:
    """`Greatest` of any number of terms: nested, since SQLite limits its arguments, and Django wants at least two."""
    while len(terms) > 1:
        chunks = [
            terms[start : start + _MAX_FUNCTION_ARGUMENTS] for start in range(0, len(terms), _MAX_FUNCTION_ARGUMENTS)
        ]
        terms = [Greatest(*chunk) if len(chunk) > 1 else chunk[0] for chunk in chunks]
    return terms[0]
