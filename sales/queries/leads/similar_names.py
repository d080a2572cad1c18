"""Companies whose names are nearly the same: by trigrams on PostgreSQL, by rapidfuzz on what might be elsewhere."""

from django.db import connection
from django.db.models import BooleanField, F, FloatField, Func, Q, QuerySet, Value
from rapidfuzz import fuzz

from athena.db.bulk import IdIn
from sales.models import LeadSearch

SHORTEST = 4  # letters; what is shorter resembles too much
LIKENESS = 0.6  # of 1 (pg_trgm's similarity)
ALIKE = 500  # names in all that are looked at, on PostgreSQL, before it is asked who may see them
RATIO = 80.0  # of 100 (rapidfuzz's): as strict, by trial on misspelt names
_START = 3  # letters by which a word is looked for


def similar(company: str, among: "QuerySet[LeadSearch]", most: int) -> dict[int, float]:
    """The leads (by id) whose company is spelt almost as `company`, each with how alike they are (0 to 1).

    `company` is normalised. At most `most`, the likest first.
    """
    if len(company) < SHORTEST:
        return {}
    body = _by_trigrams if connection.vendor == "postgresql" else _by_rapidfuzz
    return body(company, among, most)


def _by_trigrams(company: str, among: "QuerySet[LeadSearch]", most: int) -> dict[int, float]:
    both = (F("company"), Value(company))
    like = Func(*both, template="(%(expressions)s)", arg_joiner=" %% ", output_field=BooleanField())
    rows = LeadSearch.objects.filter(like).annotate(
        likeness=Func(*both, function="SIMILARITY", output_field=FloatField())
    )
    found = rows.filter(likeness__gte=LIKENESS).order_by("-likeness", "-lead").values_list("lead", "likeness")
    likest = dict(found[:ALIKE])
    seen = set(among.filter(IdIn("lead", likest)).values_list("lead", flat=True))
    return dict([(lead, alike) for lead, alike in likest.items() if lead in seen][:most])


def _by_rapidfuzz(company: str, among: "QuerySet[LeadSearch]", most: int) -> dict[int, float]:
    might = Q()
    for word in company.split():
        might |= Q(company__contains=word[:_START])
    ratios = {
        lead: ratio
        for lead, name in among.filter(might).values_list("lead", "company").iterator()
        if (ratio := fuzz.ratio(company, name or "")) >= RATIO
    }
    best = sorted(ratios, key=lambda lead: (-ratios[lead], -lead))[:most]
    return {lead: ratios[lead] / 100 for lead in best}
