"""Counts the leads that match each scoring rule: all rules in one query, with the SQL that scores leads."""

from collections.abc import Iterable, Mapping, Sequence

from django.db.models import Count, Q, QuerySet
from django.utils import timezone

from athena.accounts.models import User
from sales.models import Lead, LeadScoringRule
from sales.scoring.compiler import CompiledRule
from sales.scoring.value_sources import LeadSelection

MAX_RULES_PER_QUERY = 500  # a row has at most 1,664 columns on PostgreSQL, 2,000 on SQLite


def count_matching_leads(user: User, rules: Iterable[LeadScoringRule]) -> dict[int, int]:
    """How many open leads match each rule now, by rule id, whether or not the rule is active.

    Counts the leads that `user` may read. Invalid rules are left out. Two queries for up to 500 rules.
    """
    compiled_rules = CompiledRule.compile_all(rules)
    counts: dict[int, int] = {}
    for start in range(0, len(compiled_rules), MAX_RULES_PER_QUERY):
        chunk = compiled_rules[start : start + MAX_RULES_PER_QUERY]
        _, counts_of_rules = count_matches(Lead.objects.visible_to(user).open(), chunk, {"open": Q()})
        counts |= {rule.rule.pk: count["open"] for rule, count in zip(chunk, counts_of_rules, strict=True)}
    return counts


def count_matches(
    leads: "QuerySet[Lead]", rules: Sequence[CompiledRule], conditions: Mapping[str, Q]
) -> tuple[dict[str, int], list[dict[str, int]]]:
    """Count the leads that fulfil each condition, by its name: among all leads, and among those that match each rule.

    Two queries.
    """
    selection = LeadSelection.spanning(leads, timezone.now())
    matches = [Q(), *(rule.matches(selection) for rule in rules)]
    aggregates = {
        f"{name}_{number}": Count("pk", filter=condition & match)
        for number, match in enumerate(matches)
        for name, condition in conditions.items()
    }
    row = leads.order_by().aggregate(**aggregates)
    of_all, *of_each_rule = [{name: row[f"{name}_{number}"] for name in conditions} for number in range(len(matches))]
    return of_all, of_each_rule
