"""Keyset pages contain every row once, in order, in both directions, also with NULLs and while rows change."""

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.core import signing
from django.db import connection
from django.db.models import Value
from django.db.models.functions import Coalesce
from django.test.utils import CaptureQueriesContext
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.test import APIRequestFactory

from athena.api.keyset import Keyset
from athena.api.pagination import KeysetPagination, array_response
from athena.api.serializers import Row
from sales.models import Lead

START = datetime(2026, 1, 1, tzinfo=UTC)
VALUE_OR_DEFAULT = Coalesce("estimated_value", Value(Decimal("2.5")))


class LeadRow(Row):
    id = serializers.IntegerField()
    name = serializers.CharField()

    class Meta:
        expressions = {"name": "company_name"}


class View:
    orderings = {
        "score": "score",
        "value": "estimated_value",
        "due": "next_follow_up_date",
        "named": "name",
        "id": "id",
        "source": "source__name",
    }
    default_ordering = "-score"


@pytest.fixture
def leads(make_lead):
    """Twelve leads with ties and NULLs."""
    return [
        make_lead(
            company_name=f"Lead {number % 5}",
            score=number % 3,
            estimated_value=None if number % 2 else number % 4 + 0.5,
            next_follow_up_date=None if number % 3 else START + timedelta(days=number % 2, microseconds=1),
        )
        for number in range(12)
    ]


def read_page(query="", rows=None):
    url = query if query.startswith("http") else f"/api/v1/things?{query}"
    paginator = KeysetPagination()
    queryset = LeadRow.read(Lead.objects.all()) if rows is None else rows
    rows_of_page = paginator.paginate_queryset(queryset, Request(APIRequestFactory().get(url)), View)
    return paginator.get_paginated_response(rows_of_page).data


def list_ids(response):
    return [row["id"] for row in response["results"]]


def walk(first, direction):
    """The ids of this page and of all pages that follow in this direction, page by page."""
    response, pages = first, [list_ids(first)]
    while response[direction]:
        response = read_page(response[direction])
        pages.append(list_ids(response))
    return pages


def sort_ids(leads, column, descending):
    with_value = [lead for lead in leads if getattr(lead, column) is not None]
    without_value = [lead for lead in leads if getattr(lead, column) is None]
    with_value.sort(key=lambda lead: (getattr(lead, column), lead.pk), reverse=descending)
    without_value.sort(key=lambda lead: lead.pk, reverse=descending)
    return [lead.pk for lead in with_value + without_value]


@pytest.mark.parametrize("limit", [1, 5, 12])
@pytest.mark.parametrize("sign", ["", "-"])
@pytest.mark.parametrize(
    ("name", "column"),
    [
        ("score", "score"),
        ("value", "estimated_value"),
        ("due", "next_follow_up_date"),
        ("named", "company_name"),
        ("id", "id"),
        ("source", "source"),
    ],
)
def test_pages_contain_every_row_once_in_order_in_both_directions(leads, name, column, sign, limit):
    leads = list(Lead.objects.all())
    expected = sort_ids(leads, column, sign == "-")
    forwards = walk(read_page(f"ordering={sign}{name}&limit={limit}"), "next")
    assert [pk for page_ids in forwards for pk in page_ids] == expected
    last_page = read_page(f"ordering={sign}{name}&limit={limit}")
    while last_page["next"]:
        last_page = read_page(last_page["next"])
    backwards = walk(last_page, "previous")
    assert [pk for page_ids in backwards[::-1] for pk in page_ids] == expected


def test_first_and_last_page_have_no_links_and_rows_only_their_keys(leads):
    response = read_page("limit=200")
    assert response["next"] is None
    assert response["previous"] is None
    assert set(response["results"][0]) == {"id", "name"}
    assert read_page(rows=LeadRow.read(Lead.objects.none())) == {"next": None, "previous": None, "results": []}


def test_new_and_deleted_rows_neither_repeat_nor_hide_others(leads, make_lead):
    first = read_page("ordering=id&limit=4")
    leads[1].delete()
    leads[4].delete()
    make_lead(id=leads[0].pk - 1)
    assert list_ids(read_page(first["next"])) == [lead.pk for lead in leads[5:9]]


def test_count_counts_all_pages(leads):
    assert read_page("limit=2&count=true")["count"] == 12
    assert "count" not in read_page("limit=2&count=false")


def test_links_keep_the_other_parameters(leads):
    response = read_page("limit=2&status=new&status=won&count=true")
    link = response["next"]
    assert link.startswith("http://testserver/api/v1/things?limit=2&status=new&status=won&count=true&cursor=")
    assert read_page(link)["next"].count("cursor=") == 1


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("limit=0", "limit"), ("limit=201", "limit"), ("limit=-1", "limit"), ("limit=", "limit"),
        ("limit=1.0", "limit"),
        ("limit=１２", "limit"), ("limit=2&limit=3", "limit"), ("limit=9999999999999", "limit"),
        ("cursor=", "cursor"), ("cursor=abc", "cursor"), ("cursor=%00", "cursor"), ("cursor=a:b:c", "cursor"),
        ("ordering=", "ordering"), ("ordering=phone", "ordering"), ("ordering=--id", "ordering"),
        ("ordering=id&ordering=score", "ordering"), ("count=1", "count"), ("count=", "count"), ("count=True", "count"),
    ],
)  # fmt: skip
def test_an_invalid_parameter_is_named(db, query, name):
    with pytest.raises(ValidationError) as error:
        read_page(query)
    assert list(error.value.detail) == [name]


def test_a_cursor_is_valid_only_for_its_list_and_ordering(leads):
    cursor = read_page("ordering=id&limit=1")["next"].partition("cursor=")[2]
    forged_cursor = signing.dumps(["sales.Lead", False, "x"], salt="another")
    for query in (f"ordering=-id&cursor={cursor}", f"ordering=score&cursor={cursor}", f"cursor={cursor[:-1]}",
                  f"ordering=id&cursor={forged_cursor}"):  # fmt: skip
        with pytest.raises(ValidationError) as error:
            read_page(query)
        assert list(error.value.detail) == ["cursor"]


def test_sql_orders_nulls_only_of_nullable_columns():
    plain = LeadRow.read(Lead.objects.all())
    has_nulls = {
        column: "NULLS" in str(plain.order_by(*(key.order() for key in Keyset(plain, [column])._keys)).query)
        for column in ("score", "created_at", "id", "estimated_value", "source__name", "name")
    }
    assert has_nulls == {
        "score": False,
        "created_at": False,
        "id": False,
        "estimated_value": True,
        "source__name": True,
        "name": True,
    }


@pytest.mark.postgres  # reads a query plan of PostgreSQL
def test_a_page_starts_with_an_index_scan(leads):
    with connection.cursor() as cursor, CaptureQueriesContext(connection) as queries:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("SET LOCAL enable_sort = off")
        keyset = Keyset(LeadRow.read(Lead.objects.all()), ["-created_at"])
        first = keyset.read(3)
        keyset.read(3, keyset.get_position(first[-1]))
        cursor.execute(f"EXPLAIN {queries[-1]['sql']}")
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert "Index Scan using idx_leads_created" in plan
    assert re.search(r"Index Cond: \(+created_at <= '", plan)
    assert "Sort" not in plan


def read_array(query="", order=("company_name", "-id"), **options):
    url = query if query.startswith("http") else f"/api/v1/things?{query}"
    rows = LeadRow.read(Lead.objects.all()).order_by(*order)
    response = array_response(Request(APIRequestFactory().get(url)), rows, **options)
    return [row["id"] for row in response.data], response.headers.get("Link")


@pytest.mark.parametrize(
    "order",
    [("company_name", "-id"), ("-score", "company_name"), (VALUE_OR_DEFAULT.desc(), "score"), (VALUE_OR_DEFAULT, "id"),
     ("-next_follow_up_date",)],
)  # fmt: skip
def test_the_link_header_of_an_array_leads_to_the_rest(leads, order):
    all_ids, link = read_array(order=order)
    assert sorted(all_ids) == [lead.pk for lead in leads]
    assert link is None
    if not isinstance(order[0], str) or "follow" not in order[0]:
        assert all_ids == [
            row["id"] for row in LeadRow.read(Lead.objects.all()).order_by(*order, _last(order))
        ]  # the database's own order
    ids, link = read_array("limit=5", order)
    while link:
        assert re.fullmatch(r'<http://testserver/api/v1/things\?limit=5&cursor=[^>]+>; rel="next"', link)
        next_ids, link = read_array(link[1 : link.index(">")], order)
        ids += next_ids
    assert ids == all_ids


def _last(order):
    descending = order[-1].startswith("-") if isinstance(order[-1], str) else order[-1].descending
    return "-pk" if descending else "pk"


def test_an_array_has_its_own_default_limit(leads):
    assert len(read_array(default_limit=3)[0]) == 3
    assert len(read_array("limit=7", default_limit=3)[0]) == 7
    with pytest.raises(ValidationError):
        read_array("limit=201")
