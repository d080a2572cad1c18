"""Finds open leads that are probably duplicates: same email, phone, company and day, trip, or a similar name.

`find_duplicates` matches one inquiry, `find_duplicates_of_many` several in a constant number of queries. A user only
learns of leads that they may see. A closed lead is never a duplicate: a client who comes back is a repeat client.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from django.db.models import Count, F, Max, Q, QuerySet

from athena.accounts.models import User
from athena.db.bulk import IdIn
from sales import normalization
from sales.models import Lead, LeadSearch, NotDuplicate
from sales.models.leads.lead import LeadQuerySet
from sales.models.leads.search import build_match_keys
from sales.queries.leads.similar_names import find_similar_names

MAX_MATCHES = 20  # of one lead
# Of the list of pairs: groups of leads per sign, leads compared within a group, and pairs shown.
MAX_GROUPS = 500
MAX_GROUP_SIZE = 10
MAX_PAIRS = 100

# What two leads may have in common: the strength of that sign (1 to 100), and its label.
SIGNS = {
    "email": (90, "Same email"),
    "phone": (80, "Same phone"),
    "company_day": (70, "Same company and day"),
    "trip": (70, "Same trip: day, route and group"),
}
SIMILAR_NAME = "similar_name"
_MAX_NAME_STRENGTH = 60
LABELS = {sign: label for sign, (_, label) in SIGNS.items()} | {SIMILAR_NAME: "Similar company name"}
_COLUMNS = {
    "email": F("email_normalised"),
    "phone": F("phone_normalised"),
    "company_day": F("search_row__company_day"),
    "trip": F("search_row__trip"),
}


@dataclass(frozen=True)
class Likeness:
    """Why two leads are probably the same inquiry, and how probably (1 to 100)."""

    reasons: tuple[str, ...]
    strength: int

    @property
    def labels(self) -> list[str]:
        """The reasons, for people."""
        return [LABELS[reason] for reason in self.reasons]


@dataclass(frozen=True)
class Match(Likeness):
    """An open lead that is probably a duplicate."""

    lead: Lead


@dataclass(frozen=True)
class Pair(Likeness):
    """Two open leads that may be duplicates. `first` was created earlier."""

    first: Lead
    second: Lead


def find_duplicates(by: User | None, values: Mapping[str, Any], *, excluded_ids: Collection[int] = ()) -> list[Match]:
    """The open leads that probably are duplicates of an inquiry, strongest match first, up to `MAX_MATCHES`.

    `values` maps fields of a lead to values. It uses email, phone, company_name, pickup_at, pickup_location,
    dropoff_location and estimated_passengers; any may be missing. Only leads that `by` may see are returned; None (the
    system) sees all. Takes at most six queries.
    """
    matches = {match.lead.pk: match for match in find_duplicates_of_many(by, [values], excluded_ids=excluded_ids)[0]}
    search_rows = _get_search_rows(get_open_leads(by).exclude(pk__in=excluded_ids))
    similarities = find_similar_names(build_match_keys(values)["company"], search_rows, MAX_MATCHES)
    new_ids = set(similarities) - set(matches)
    leads = {lead.pk: lead for lead in _get_shown_leads(by).filter(pk__in=new_ids)} if similarities else {}
    for pk, similarity in similarities.items():
        lead = matches[pk].lead if pk in matches else leads.get(pk)
        if lead is not None:
            reasons = (*(matches[pk].reasons if pk in matches else ()), SIMILAR_NAME)
            matches[pk] = Match(reasons, _compute_strength(reasons, similarity), lead)
    return _pick_best(matches.values())


def find_duplicates_of_many(
    by: User | None, rows: Sequence[Mapping[str, Any]], *, excluded_ids: Collection[int] = ()
) -> list[list[Match]]:
    """The duplicates of each of `rows`, as by `find_duplicates`, in three queries, without similar names."""
    signs_by_row = [get_signs(values) for values in rows]
    by_sign: dict[tuple[str, str], list[Lead]] = defaultdict(list)
    for lead in _list_leads_with_signs(by, signs_by_row, MAX_MATCHES * len(rows)):
        if lead.pk not in excluded_ids:
            for sign in SIGNS:
                by_sign[sign, getattr(lead, f"sign_{sign}")].append(lead)
    matches_by_row = []
    for signs in signs_by_row:
        reasons: dict[Lead, tuple[str, ...]] = {}
        for sign, value in signs.items():
            for lead in by_sign.get((sign, value), ()):
                reasons[lead] = (*reasons.get(lead, ()), sign)
        matches = (Match(signs, _compute_strength(signs), lead) for lead, signs in reasons.items())
        matches_by_row.append(_pick_best(matches))
    return matches_by_row


def find_duplicates_of_lead(by: User, lead: Lead) -> list[Match]:
    """The duplicates of an existing lead, without those marked as not duplicates."""
    if not lead.is_open or lead.archived_at is not None:
        return []
    dismissed = NotDuplicate.objects.filter(Q(first=lead) | Q(second=lead)).values_list("first", "second")
    return find_duplicates(by, vars(lead), excluded_ids={lead.pk, *(pk for pair in dismissed for pk in pair)})


def list_pairs(by: User) -> list[Pair]:
    """Pairs of open leads with something in common, strongest match first, up to `MAX_PAIRS`.

    Similar names are left out, because each lead would have to be compared with all others.
    """
    leads = get_open_leads(by)
    shared: dict[str, list[str]] = {}
    for sign, column in _COLUMNS.items():
        groups = leads.annotate(sign=column).exclude(sign="").filter(sign__isnull=False).order_by().values("sign")
        shared_groups = groups.annotate(count=Count("pk"), newest=Max("pk")).filter(count__gt=1).order_by("-newest")
        shared[sign] = [row["sign"] for row in shared_groups[:MAX_GROUPS]]
    members: dict[tuple[str, str], list[Lead]] = defaultdict(list)
    for lead in _list_leads_with_signs(
        by, [{sign: value} for sign, values in shared.items() for value in values], MAX_GROUPS * MAX_GROUP_SIZE
    ):
        for sign in SIGNS:
            members[sign, getattr(lead, f"sign_{sign}")].append(lead)
    reasons: dict[tuple[Lead, Lead], tuple[str, ...]] = {}
    for sign, values in shared.items():
        for value in values:
            for pair in combinations(sorted(members[sign, value], key=lambda lead: lead.pk)[-MAX_GROUP_SIZE:], 2):
                reasons[pair] = (*reasons.get(pair, ()), sign)
    dismissed = set(NotDuplicate.objects.values_list("first", "second"))
    pairs = [
        Pair(signs, _compute_strength(signs), first, second)
        for (first, second), signs in reasons.items()
        if (first.pk, second.pk) not in dismissed
    ]
    return sorted(pairs, key=lambda pair: (-pair.strength, -pair.second.pk, -pair.first.pk))[:MAX_PAIRS]


def get_open_leads(by: User | None) -> LeadQuerySet:
    """The open leads that `by` may see; all for None."""
    return Lead.objects.open() if by is None else Lead.objects.visible_to(by).open()


def _get_shown_leads(by: User | None) -> LeadQuerySet:
    """The open leads with their owner and source, which are shown with a match."""
    return get_open_leads(by).select_related("assigned_to", "source")


def get_signs(values: Mapping[str, Any]) -> dict[str, str]:
    """The value of each sign that these fields of a lead give, without empty ones."""
    keys = build_match_keys(values)
    signs = {
        "email": normalization.normalize_email(values.get("email") or ""),
        "phone": normalization.normalize_phone(values.get("phone") or ""),
        "company_day": keys["company_day"],
        "trip": keys["trip"],
    }
    return {sign: value for sign, value in signs.items() if value}


def _list_leads_with_signs(by: User | None, signs_by_row: Iterable[Mapping[str, str]], limit: int) -> list[Lead]:
    """The newest open leads with any of these signs, each annotated with its own signs (`sign_email` …)."""
    values_by_sign: dict[str, set[str]] = defaultdict(set)
    for signs in signs_by_row:
        for sign, value in signs.items():
            values_by_sign[sign].add(value)
    if not values_by_sign:
        return []
    contacts = Lead.objects.filter(
        Q(email_normalised__in=values_by_sign["email"]) | Q(phone_normalised__in=values_by_sign["phone"])
    ).order_by()
    search_rows = LeadSearch.objects.filter(
        Q(company_day__in=values_by_sign["company_day"]) | Q(trip__in=values_by_sign["trip"])
    )
    ids = {*contacts.values_list("pk", flat=True), *search_rows.values_list("lead", flat=True)}
    leads = _get_shown_leads(by).filter(IdIn("pk", ids))
    return list(leads.annotate(**{f"sign_{sign}": column for sign, column in _COLUMNS.items()}).order_by("-pk")[:limit])


def _get_search_rows(leads: "QuerySet[Lead]") -> "QuerySet[LeadSearch]":
    return LeadSearch.objects.filter(lead__in=leads.order_by().values("pk"))


def _compute_strength(reasons: Collection[str], similarity: float = 0) -> int:
    """The strength of the best reason, plus ten for each other reason; at most 100."""
    points = [SIGNS[reason][0] if reason in SIGNS else round(similarity * _MAX_NAME_STRENGTH) for reason in reasons]
    return min(100, max(points) + 10 * (len(points) - 1))


def _pick_best(matches: Iterable[Match]) -> list[Match]:
    return sorted(matches, key=lambda match: (-match.strength, -match.lead.pk))[:MAX_MATCHES]
