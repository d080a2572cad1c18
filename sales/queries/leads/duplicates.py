"""Which open leads are about the same inquiry: by e-mail, phone, company and day, trip, or almost the same name.

One match for everybody who takes leads in: `find(by, values)` for one, `find_many(by, rows)` for many at a constant
number of queries. Whoever asks learns of leads that they may see, and of no others, not even that there are any.

Closed leads are never duplicates: somebody who comes back with another trip is a repeat client.
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
from sales.models.lead import LeadQuerySet
from sales.models.search import keys_of
from sales.queries.leads.similar_names import similar

MOST = 20  # matches of one lead
GROUPS, IN_GROUP, PAIRS = 500, 10, 100  # of the queue: groups of each sign, leads looked at in one, pairs shown

# What two leads may have in common, how far that says that they are one (of 100), and how people call it.
SIGNS = {
    "email": (90, "Same e-mail"),
    "phone": (80, "Same phone"),
    "company_day": (70, "Same company and day"),
    "trip": (70, "Same trip: day, route and group"),
}
SIMILAR_NAME = "similar_name"
_NAMES_AT_MOST = 60
LABELS = {sign: label for sign, (_, label) in SIGNS.items()} | {SIMILAR_NAME: "Similar company name"}
_COLUMNS = {
    "email": F("email_normalised"),
    "phone": F("phone_normalised"),
    "company_day": F("search_row__company_day"),
    "trip": F("search_row__trip"),
}


@dataclass(frozen=True)
class Likeness:
    """Why two inquiries are probably one, and how probably (1 to 100)."""

    reasons: tuple[str, ...]
    strength: int

    @property
    def labels(self) -> list[str]:
        return [LABELS[reason] for reason in self.reasons]


@dataclass(frozen=True)
class Match(Likeness):
    """An open lead that is probably the same."""

    lead: Lead


@dataclass(frozen=True)
class Pair(Likeness):
    """Two open leads that may be one; `first` came in earlier."""

    first: Lead
    second: Lead


def find(by: User | None, values: Mapping[str, Any], *, apart_from: Collection[int] = ()) -> list[Match]:
    """The open leads that an inquiry with these `values` repeats, the surest first, `MOST` at most.

    `values` are a lead's fields by name as services take them; those that matter are email, phone, company_name,
    pickup_at, pickup_location, dropoff_location and estimated_passengers, and each may be missing. `by` sees what they
    may see; None (the system) sees all. Six queries at most, whatever is found.
    """
    found = {match.lead.pk: match for match in find_many(by, [values], apart_from=apart_from)[0]}
    among = _search_of(open_leads(by).exclude(pk__in=apart_from))
    likeness = similar(keys_of(values)["company"], among, MOST)
    names = {lead.pk: lead for lead in _shown(by).filter(pk__in=set(likeness) - set(found))} if likeness else {}
    for pk, alike in likeness.items():
        lead = found[pk].lead if pk in found else names.get(pk)
        if lead is not None:
            reasons = (*(found[pk].reasons if pk in found else ()), SIMILAR_NAME)
            found[pk] = Match(reasons, _strength(reasons, alike), lead)
    return _best(found.values())


def find_many(
    by: User | None, rows: Sequence[Mapping[str, Any]], *, apart_from: Collection[int] = ()
) -> list[list[Match]]:
    """As `find`, for each of `rows`, in three queries; names must be the same where names are compared."""
    wanted = [signs_of(values) for values in rows]
    by_sign: dict[tuple[str, str], list[Lead]] = defaultdict(list)
    for lead in _having(by, wanted, MOST * len(rows)):
        if lead.pk not in apart_from:
            for sign in SIGNS:
                by_sign[sign, getattr(lead, f"sign_{sign}")].append(lead)
    answers = []
    for signs in wanted:
        reasons: dict[Lead, tuple[str, ...]] = {}
        for sign, value in signs.items():
            for lead in by_sign.get((sign, value), ()):
                reasons[lead] = (*reasons.get(lead, ()), sign)
        answers.append(_best(Match(why, _strength(why), lead) for lead, why in reasons.items()))
    return answers


def of(by: User, lead: Lead) -> list[Match]:
    """The duplicates of a lead that there is, without those of which somebody said that they are none."""
    if not lead.is_open or lead.archived_at is not None:
        return []
    apart = NotDuplicate.objects.filter(Q(first=lead) | Q(second=lead)).values_list("first", "second")
    return find(by, vars(lead), apart_from={lead.pk, *(pk for pair in apart for pk in pair)})


def queue(by: User) -> list[Pair]:
    """Pairs of open leads that have something in common, the surest first; a bounded number, at a constant cost.

    Almost the same names are not asked for here: each lead would have to be held against all others.
    """
    leads = open_leads(by)
    shared: dict[str, list[str]] = {}
    for sign, column in _COLUMNS.items():
        groups = leads.annotate(sign=column).exclude(sign="").filter(sign__isnull=False).order_by().values("sign")
        several = groups.annotate(many=Count("pk"), newest=Max("pk")).filter(many__gt=1).order_by("-newest")
        shared[sign] = [row["sign"] for row in several[:GROUPS]]
    members: dict[tuple[str, str], list[Lead]] = defaultdict(list)
    for lead in _having(by, [{sign: value} for sign, values in shared.items() for value in values], GROUPS * IN_GROUP):
        for sign in SIGNS:
            members[sign, getattr(lead, f"sign_{sign}")].append(lead)
    reasons: dict[tuple[Lead, Lead], tuple[str, ...]] = {}
    for sign, values in shared.items():
        for value in values:
            for pair in combinations(sorted(members[sign, value], key=lambda lead: lead.pk)[-IN_GROUP:], 2):
                reasons[pair] = (*reasons.get(pair, ()), sign)
    apart = set(NotDuplicate.objects.values_list("first", "second"))
    pairs = [
        Pair(why, _strength(why), first, second)
        for (first, second), why in reasons.items()
        if (first.pk, second.pk) not in apart
    ]
    return sorted(pairs, key=lambda pair: (-pair.strength, -pair.second.pk, -pair.first.pk))[:PAIRS]


def open_leads(by: User | None) -> LeadQuerySet:
    return Lead.objects.open() if by is None else Lead.objects.visible_to(by).open()


def _shown(by: User | None) -> LeadQuerySet:
    """With what is said of a match: whose it is, and where it comes from."""
    return open_leads(by).select_related("assigned_to", "source")


def signs_of(values: Mapping[str, Any]) -> dict[str, str]:
    """What these values say of each sign, where they say something."""
    keys = keys_of(values)
    found = {
        "email": normalization.email(values.get("email") or ""),
        "phone": normalization.phone(values.get("phone") or ""),
        "company_day": keys["company_day"],
        "trip": keys["trip"],
    }
    return {sign: value for sign, value in found.items() if value}


def _having(by: User | None, wanted: Iterable[Mapping[str, str]], most: int) -> list[Lead]:
    """The newest open leads with any of these signs; each carries its own as `sign_…`."""
    of_sign: dict[str, set[str]] = defaultdict(set)
    for signs in wanted:
        for sign, value in signs.items():
            of_sign[sign].add(value)
    if not of_sign:
        return []
    direct = Lead.objects.filter(
        Q(email_normalised__in=of_sign["email"]) | Q(phone_normalised__in=of_sign["phone"])
    ).order_by()
    kept = LeadSearch.objects.filter(Q(company_day__in=of_sign["company_day"]) | Q(trip__in=of_sign["trip"]))
    ids = {*direct.values_list("pk", flat=True), *kept.values_list("lead", flat=True)}
    leads = _shown(by).filter(IdIn("pk", ids))
    return list(leads.annotate(**{f"sign_{sign}": column for sign, column in _COLUMNS.items()}).order_by("-pk")[:most])


def _search_of(leads: "QuerySet[Lead]") -> "QuerySet[LeadSearch]":
    return LeadSearch.objects.filter(lead__in=leads.order_by().values("pk"))


def _strength(reasons: Collection[str], alike: float = 0) -> int:
    """The best reason's, and ten for each other; a hundred at most."""
    points = [SIGNS[reason][0] if reason in SIGNS else round(alike * _NAMES_AT_MOST) for reason in reasons]
    return min(100, max(points) + 10 * (len(points) - 1))


def _best(matches: Iterable[Match]) -> list[Match]:
    return sorted(matches, key=lambda match: (-match.strength, -match.lead.pk))[:MOST]
