"""Filters and query parameters: one that is unknown, invalid or empty is refused by its name."""

import pytest
from django.http import QueryDict
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.test import APIRequestFactory

from athena.api import fields, filters
from athena.api.serializers import StrictSerializer
from sales.models import Lead


class LeadFilters(filters.StrictFilterSet):
    status = filters.ChoicesFilter(choices=Lead.Status.choices)
    assigned_to = filters.IdsFilter(or_none=True)
    source = filters.IdsFilter()
    min_score = filters.IntegerFilter(field_name="score", lookup_expr="gte")
    since = filters.DateTimeAfterFilter(field_name="created_at")
    valid_on = filters.DateFilter(field_name="quote_valid_until", lookup_expr="exact")
    repeat = filters.BooleanFilter(field_name="is_repeat", lookup_expr="exact")
    search = filters.TextFilter(method="filter_search", help_text="In the name.")

    def filter_search(self, queryset, name, value):
        return queryset.filter(company_name__contains=value)


class View:
    filterset_class = LeadFilters


def filter_names(query):
    request = Request(APIRequestFactory().get(f"/?{query}"))
    rows = filters.StrictFilterBackend().filter_queryset(request, Lead.objects.all(), View)
    return set(rows.values_list("company_name", flat=True))


@pytest.fixture
def leads(make_lead, rep, colleague):
    make_lead(company_name="new, maria", assigned_to=rep, score=10, is_repeat=True)
    make_lead(company_name="new, tom", assigned_to=colleague, score=20, quote_valid_until="2026-05-01")
    make_lead(company_name="won, nobody", status="won", score=30)
    return {"rep": rep.pk, "colleague": colleague.pk}


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("", {"new, maria", "new, tom", "won, nobody"}),
        ("status=new", {"new, maria", "new, tom"}),
        ("status=new&status=won", {"new, maria", "new, tom", "won, nobody"}),
        ("assigned_to={rep}", {"new, maria"}),
        ("assigned_to={rep}&assigned_to={colleague}", {"new, maria", "new, tom"}),
        ("assigned_to=none", {"won, nobody"}),
        ("assigned_to=none&assigned_to={rep}", {"new, maria", "won, nobody"}),
        ("min_score=20&status=new", {"new, tom"}),
        ("min_score=-1", {"new, maria", "new, tom", "won, nobody"}),
        ("repeat=true", {"new, maria"}),
        ("repeat=false", {"new, tom", "won, nobody"}),
        ("valid_on=2026-05-01", {"new, tom"}),
        ("since=2100-01-01", set()),
        ("since=2000-01-02T00:00:00%2B02:00", {"new, maria", "new, tom", "won, nobody"}),
        ("search=tom&limit=5&cursor=x&ordering=y&count=z", {"new, tom"}),
    ],
)
def test_filters_are_combined_with_and_and_repeated_values_with_or(leads, query, names):
    assert filter_names(query.format(**leads)) == names


@pytest.mark.parametrize(
    ("query", "invalid_parameters"),
    [
        ("colour=red", {"colour"}), ("Status=new", {"Status"}), ("status=sold", {"status"}), ("status=", {"status"}),
        ("status=new&status=", {"status"}), ("source=none", {"source"}), ("source=0", {"source"}),
        ("source=%EF%BC%91", {"source"}), ("assigned_to=maria", {"assigned_to"}), ("min_score=x", {"min_score"}),
        ("min_score=1&min_score=2", {"min_score"}), ("min_score=99999999999", {"min_score"}),
        ("since=yesterday", {"since"}), ("since=0001-01-01T00:00:00%2B14:00", {"since"}), ("valid_on=1999-12-31",
        {"valid_on"}), ("repeat=yes", {"repeat"}), ("search=", {"search"}), ("search=%00", {"search"}),
        ("search=" + "x" * 201, {"search"}), ("a=1&status=sold&repeat=", {"a", "status", "repeat"}),
        ("format=json", {"format"}),
    ],
)  # fmt: skip
def test_every_invalid_parameter_is_named(db, query, invalid_parameters):
    with pytest.raises(ValidationError) as error:
        filter_names(query)
    assert set(error.value.detail) == invalid_parameters


def test_a_filter_that_is_not_strict_is_a_type_error():
    import django_filters

    with pytest.raises(TypeError, match="Loose has filters that are not strict: name"):

        class Loose(filters.StrictFilterSet):
            name = django_filters.CharFilter()


def test_the_schema_lists_each_filter():
    parameters = {
        parameter["name"]: parameter
        for parameter in filters.StrictFilterBackend().get_schema_operation_parameters(View)
    }
    assert set(parameters) == set(LeadFilters(queryset=Lead.objects.none()).filters)
    assert parameters["search"] == {
        "name": "search",
        "in": "query",
        "required": False,
        "description": "In the name.",
        "schema": {"type": "string", "maxLength": 200},
    }
    assert parameters["source"]["schema"] == {"type": "array", "items": {"type": "integer", "minimum": 1}}


class Query(StrictSerializer):
    days = fields.CountField(required=False, default=7)
    name = fields.OneLineField(required=False)


def read_query(query, also=()):
    request = Request(APIRequestFactory().get("/"))
    request._request.GET = QueryDict(query)
    return filters.read_query(request, Query, also)


def test_query_parameters_are_read():
    assert read_query("") == {"days": 7}
    assert read_query("days=3&name=Ann&limit=2", ["limit"]) == {"days": 3, "name": "Ann"}


@pytest.mark.parametrize(
    ("query", "invalid_parameters"),
    [
        ("days=", {"days"}),
        ("days=x&name=%00", {"days", "name"}),
        ("days=1&days=2", {"days"}),
        ("limit=2", {"limit"}),
        ("name=", {"name"}),
        ("colour=red&days=", {"colour", "days"}),
    ],
)
def test_invalid_query_parameters_are_named(query, invalid_parameters):
    with pytest.raises(ValidationError) as error:
        read_query(query)
    assert set(error.value.detail) == invalid_parameters


@pytest.mark.parametrize("name", ["made_after", "made_before"])
def test_a_range_filter_that_is_not_inclusive_is_a_type_error(name):
    with pytest.raises(TypeError, match=f"{name} is not an inclusive range filter"):
        type("Loose", (filters.StrictFilterSet,), {name: filters.DateFilter(field_name="created_at", lookup_expr="lt")})
