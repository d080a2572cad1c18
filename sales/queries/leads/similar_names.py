"""Finds companies with similar names: by trigrams on PostgreSQL, by rapidfuzz on SQLite."""

from django.db import connection
from django.db.models import BooleanField, F, FloatField, Func, Q, QuerySet, Value
from rapidfuzz import fuzz

from athena.db.bulk import IdIn
from sales.models import LeadSearch

MIN_NAME_LENGTH = 4  # characters; shorter names resemble too many others
MIN_SIMILARITY = 0.6  # pg_trgm's similarity, 0 to 1
MAX_CANDIDATES = 500  # names that PostgreSQL finds before visibility is checked
MIN_RATIO = 80.0  # rapidfuzz's ratio, 0 to 100; found by trial on misspelled names to be as strict
_PREFIX_LENGTH = 3  # characters of a word that a candidate must contain


def find_similar_names(company: str, search_rows: "QuerySet[LeadSearch]", limit: int) -> dict[int, float]:
    """The ids of leads whose company is spelled almost like `company`, each with the similarity (0 to 1).

    `company` is normalized. Returns up to `limit` leads of `search_rows`, most similar first.
    """
    if len(company) < MIN_NAME_LENGTH:
        return {}
    find = _find_by_trigrams if connection.vendor == "postgresql" else _find_by_rapidfuzz
    return find(company, search_rows, limit)


def _find_by_trigrams(company: str, search_rows: "QuerySet[LeadSearch]", limit: int) -> dict[int, float]:
    operands = (F("company"), Value(company))
    is_similar = Func(*operands, template="(%(expressions)s)", arg_joiner=" %% ", output_field=BooleanField())
    rows = LeadSearch.objects.filter(is_similar).annotate(
        similarity=Func(*operands, function="SIMILARITY", output_field=FloatField())
    )
    candidates = (
        rows.filter(similarity__gte=MIN_SIMILARITY).order_by("-similarity", "-lead").values_list("lead", "similarity")
    )
    similarities = dict(candidates[:MAX_CANDIDATES])
    visible_ids = set(search_rows.filter(IdIn("lead", similarities)).values_list("lead", flat=True))
    return dict([(lead, similarity) for lead, similarity in similarities.items() if lead in visible_ids][:limit])


def _find_by_rapidfuzz(company: str, search_rows: "QuerySet[LeadSearch]", limit: int) -> dict[int, float]:
    may_match = Q()
    for word in company.split():
        may_match |= Q(company__contains=word[:_PREFIX_LENGTH])
    ratios = {
        lead: ratio
        for lead, name in search_rows.filter(may_match).values_list("lead", "company").iterator()
        if (ratio := fuzz.ratio(company, name or "")) >= MIN_RATIO
    }
    best = sorted(ratios, key=lambda lead: (-ratios[lead], -lead))[:limit]
    return {lead: ratios[lead] / 100 for lead in best}
