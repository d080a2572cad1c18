"""Scoring rule effectiveness: whether leads that match a rule are won more often than others."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rest_framework import serializers

from athena.accounts.models import User
from athena.api.serializers import StrictSerializer
from athena.formatting import format_percent
from sales.queries.reports.rule_effectiveness import (
    RuleEffectivenessRow,
    compute_rule_effectiveness,
    compute_rule_effectiveness_table,
)
from sales.reports.report import Cell, Column, Endpoint, NumberColumn, Report, ReportChart, Series, write_ratio

VERDICTS = {
    "better": "Won more often",
    "worse": "Won less often",
    "unclear": "No clear difference",
    "too_few": "Too few leads to tell",
}
INCONCLUSIVE = ("unclear", "too_few")


class LiftSerializer(serializers.Serializer[Any]):
    lift = serializers.FloatField(
        allow_null=True,
        help_text="How many times as often matching leads are won as others. Null if no other lead is won.",
    )
    low = serializers.FloatField(help_text="The lower end of the exact 95% interval.")
    high = serializers.FloatField(allow_null=True, help_text="The upper end. Null if there is no limit.")
    p_value = serializers.FloatField(
        help_text="Of Fisher's exact test: the probability of a difference at least this large by chance."
    )


class RuleEffectivenessSerializer(serializers.Serializer[Any]):
    rule_id = serializers.IntegerField()
    rule_name = serializers.CharField()
    matches = serializers.IntegerField(help_text="Matching leads among those that you may read.")
    closed_with = serializers.IntegerField(help_text="Closed leads that match.")
    won_with = serializers.IntegerField()
    share_with = serializers.FloatField(allow_null=True, help_text="Percentage won of the closed leads that match.")
    closed_without = serializers.IntegerField(help_text="Closed leads that do not match.")
    won_without = serializers.IntegerField()
    share_without = serializers.FloatField(allow_null=True, help_text="Percentage won of the other closed leads.")
    lift = LiftSerializer(allow_null=True, help_text="Null if there are too few leads to tell a difference.")
    verdict = serializers.ChoiceField(list(VERDICTS))


def respond(user: User, params: Mapping[str, Any]) -> Any:
    return RuleEffectivenessSerializer(compute_rule_effectiveness(user), many=True).data


@dataclass(frozen=True)
class VerdictColumn(Column[RuleEffectivenessRow]):
    """The verdict in words; quiet if it is inconclusive."""

    heading: str

    def build_cell(self, row: RuleEffectivenessRow) -> Cell:
        text = VERDICTS[row.verdict] if row.verdict else ""
        return Cell(text, "quiet" if row.verdict in INCONCLUSIVE else self.css)


RULE_EFFECTIVENESS = Report[RuleEffectivenessRow](
    slug="rule-effectiveness",
    title="Scoring rule effectiveness",
    description="The win rate of closed leads that match an active rule, and of the other closed leads. Lift is the "
    "first rate divided by the second; “from” and “to” are the ends of its 95% confidence interval. A rule about "
    "something that comes with a sale anyway (a quote, a meeting) looks better than it is. Counts the leads that you "
    "may read and, with a period, that came in then.",
    scope_label="leads owned by",
    compute=compute_rule_effectiveness_table,
    columns=[
        NumberColumn("Matching leads", lambda row: row.matches),
        NumberColumn("Closed", lambda row: row.closed_with),
        NumberColumn("Win rate", lambda row: row.won_with_rate, format_percent),
        NumberColumn("Others closed", lambda row: row.closed_without),
        NumberColumn("Others’ win rate", lambda row: row.won_without_rate, format_percent),
        NumberColumn("Lift", lambda row: row.lift, write_ratio),
        NumberColumn("from", lambda row: row.lift_low, write_ratio),
        NumberColumn("to", lambda row: row.lift_high, write_ratio),
        VerdictColumn("Verdict"),
    ],
    chart=ReportChart(
        title="Win rate of closed leads",
        unit="Percent",
        series=[
            Series("Matching leads", lambda row: row.won_with_rate),
            Series("Other leads", lambda row: row.won_without_rate),
        ],
        write=format_percent,
    ),
    endpoint=Endpoint(
        description="Whether leads that match a scoring rule are won more often than others, among the leads that you "
        "may read. For managers.",
        parameters=StrictSerializer,
        response=RuleEffectivenessSerializer(many=True),
        permission="sales.view_leadscoringrule",
        respond=respond,
    ),
    row_page="admin:sales_leadscoringrule_change",
)
