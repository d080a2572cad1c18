"""How many leads match each scoring rule: all rules are asked in one query, by the SQL that scores."""

from collections.abc import Iterable, Mapping, Sequence

from django.db.models import Count, Q, QuerySet
from django.utils import timezone

from athena.accounts.models import User
from sales.models import Lead, LeadScoringRule
from sales.scoring.compiler import CompiledRule
from sales.scoring.value_sources import LeadSelection

MAX_RULES_PER_QUERY = 500  # rules of one query; a row has at most 1,664 columns on PostgreSQL, 2,000 on SQLite


def count_matching_leads(user: User, rules: Iterable[LeadScoringRule]) -> dict[int, int]:
    """By the key of each rule, how many open leads match it as they are now, whether or not the rule is active.

    A broken rule is left out: it can't be asked. Of the leads that `user` may read. Two queries for 500 rules.
    """
    compiled, found = CompiledRule.compile_all(rules), dict[int, int]()
    for start in range(0, len(compiled), MAX_RULES_PER_QUERY):
        some = compiled[start : start + MAX_RULES_PER_QUERY]
        _, counts = count_matches(Lead.objects.visible_to(user).open(), some, {"open": Q()})
        found |= {rule.rule.pk: count["open"] for rule, count in zip(some, counts, strict=True)}
    return found


def count_matches(
    leads: "QuerySet[Lead]", rules: Sequence[CompiledRule], among: Mapping[str, Q]
) -> tuple[dict[str, int], list[dict[str, int]]]:
    """Of all the leads, and of those that match each rule: how many fulfil each condition of `among`, by its name."""
    scope = LeadSelection.spanning(leads, timezone.now())
    matches = [Q(), *(rule.matches(scope) for rule in rules)]
    asked = {
        f"{name}_{number}": Count("pk", filter=condition & match)
        for number, match in enumerate(matches)
        for name, condition in among.items()
    }
    found = leads.order_by().aggregate(**asked)
    of_all, *of_each = [{name: found[f"{name}_{number}"] for name in among} for number in range(len(matches))]
    return of_all, of_each
