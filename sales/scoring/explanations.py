"""Why a lead has the score it has: what each active rule looked at and what it gave."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.db.models import BooleanField, Case, When

from sales.models import Lead
from sales.scoring.compiler import Compiled, clamp, raw_points
from sales.scoring.value_sources import Scope


@dataclass(frozen=True)
class Line:
    """One rule's part. `points`: what it gave, after fading and group, or where it does not match what it would.

    `outdone`: it matches, and gave nothing because another rule of its group gives more.
    """

    rule_id: int
    rule_name: str
    condition: str
    matched: bool
    value: Any
    points: int
    outdone: bool = False

    @property
    def seen(self) -> str:
        """The value, for people."""
        if isinstance(self.value, bool):
            return "yes" if self.value else "no"
        return "–" if self.value in (None, "") else str(self.value)


@dataclass(frozen=True)
class Explanation:
    """What the rules give a lead at a time; the points of the rules that match add up to `raw_points`."""

    score: int
    raw_points: int
    lines: list[Line]
    at: datetime

    @property
    def gave(self) -> list[Line]:
        return [line for line in self.lines if line.matched]

    @property
    def would_add(self) -> list[Line]:
        """What the lead lacks that would raise its score."""
        return [line for line in self.lines if not line.matched and line.points > 0]


def explain(rules: Iterable[Compiled], lead_id: int, now: datetime) -> Explanation:
    """The rules' answer for one lead, open or not, in one query. The lead must exist."""
    rules, scope = list(rules), Scope.of([lead_id], now)
    asked: dict[str, Any] = {"raw": raw_points(rules, scope)}
    for number, rule in enumerate(rules):
        asked[f"matched_{number}"] = Case(
            When(rule.matches(scope), then=True), default=False, output_field=BooleanField()
        )
        asked[f"value_{number}"] = rule.seen(scope)
        asked[f"points_{number}"] = rule.worth(scope)
    row = Lead.objects.filter(pk=lead_id).order_by().annotate(**asked).values(*asked).get()
    lines = [
        Line(
            rule_id=rule.rule.pk,
            rule_name=rule.rule.rule_name,
            condition=rule.condition,
            matched=row[f"matched_{number}"],
            value=row[f"value_{number}"],
            points=row[f"points_{number}"] if row[f"matched_{number}"] else rule.rule.points,
        )
        for number, rule in enumerate(rules)
    ]
    return Explanation(clamp(row["raw"]), row["raw"], _best_of_groups(rules, lines), now)


def _best_of_groups(rules: list[Compiled], lines: list[Line]) -> list[Line]:
    """Of a group's matching rules, all but the one with the most points gave nothing."""
    best: dict[str, int] = {}
    for number, (rule, line) in enumerate(zip(rules, lines, strict=True)):
        if rule.group and line.matched and (rule.group not in best or line.points > lines[best[rule.group]].points):
            best[rule.group] = number
    return [
        replace(line, points=0, outdone=True) if rule.group and line.matched and best[rule.group] != number else line
        for number, (rule, line) in enumerate(zip(rules, lines, strict=True))
    ]
