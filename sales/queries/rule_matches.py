"""How many leads match each scoring rule: all rules are asked in one query, by the SQL that scores."""

from collections.abc import Iterable, Mapping, Sequence

from django.db.models import Count, Q, QuerySet
from django.utils import timezone

from athena.db.interpreted import interpreted
from sales.models import Lead, LeadScoringRule
from sales.scoring.compile import Compiled
from sales.scoring.sources import Scope


def matching_now(rules: Iterable[LeadScoringRule]) -> dict[int, int]:
    """By the key of each rule, how many open leads match it as they are now, whether or not the rule is active.

    A broken rule is left out: it can't be asked. The company's leads, like the scores. Two queries.
    """
    compiled = Compiled.all(rules)
    _, counts = count_matches(Lead.objects.open(), compiled, {"open": Q()})
    return {rule.rule.pk: found["open"] for rule, found in zip(compiled, counts, strict=True)}


def count_matches(
    leads: "QuerySet[Lead]", rules: Sequence[Compiled], among: Mapping[str, Q]
) -> tuple[dict[str, int], list[dict[str, int]]]:
    """Of all the leads, and of those that match each rule: how many fulfil each condition of `among`, by its name."""
    scope = Scope.spanning(leads, timezone.now())
    matches = [Q(), *(rule.matches(scope) for rule in rules)]
    asked = {
        f"{name}_{number}": Count("pk", filter=condition & match)
        for number, match in enumerate(matches)
        for name, condition in among.items()
    }
    with interpreted():
        found = leads.order_by().aggregate(**asked)
    of_all, *of_each = [{name: found[f"{name}_{number}"] for name in among} for number in range(len(matches))]
    return of_all, of_each
