"""Keyset pages: every row once, in order, both ways, whatever is NULL and whatever comes and goes."""

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
VALUED = Coalesce("estimated_value", Value(Decimal("2.5")))


class LeadRow(Row):
    id = serializers.IntegerField()
    name = serializers.CharField()

    class Meta:
        expressions = {"name": "company_name"}


class View:
    orderings = {"score": "score", "value": "estimated_value", "due": "next_follow_up_date", "named": "name",
                 "id": "id", "source": "source__name"}  # fmt: skip
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


def page(query="", rows=None):
    url = query if query.startswith("http") else f"/api/v1/things?{query}"
    paginator = KeysetPagination()
    queryset = LeadRow.read(Lead.objects.all()) if rows is None else rows
    found = paginator.paginate_queryset(queryset, Request(APIRequestFactory().get(url)), View)
    return paginator.get_paginated_response(found).data


def ids(response):
    return [row["id"] for row in response["results"]]


def walk(first, way):
    """The ids of this page and of all that follow that way."""
    response, seen = first, [ids(first)]
    while response[way]:
        response = page(response[way])
        seen.append(ids(response))
    return seen


def in_order(leads, column, descending):
    known = [lead for lead in leads if getattr(lead, column) is not None]
    unknown = [lead for lead in leads if getattr(lead, column) is None]
    known.sort(key=lambda lead: (getattr(lead, column), lead.pk), reverse=descending)
    unknown.sort(key=lambda lead: lead.pk, reverse=descending)
    return [lead.pk for lead in known + unknown]


@pytest.mark.parametrize("limit", [1, 5, 12])
@pytest.mark.parametrize("sign", ["", "-"])
@pytest.mark.parametrize(
    ("name", "column"),
    [("score", "score"), ("value", "estimated_value"), ("due", "next_follow_up_date"), ("named", "company_name"),
     ("id", "id"), ("source", "source")],
)  # fmt: skip
def test_every_row_once_in_order_forwards_and_backwards(leads, name, column, sign, limit):
    leads = list(Lead.objects.all())
    wanted = in_order(leads, column, sign == "-")
    forwards = walk(page(f"ordering={sign}{name}&limit={limit}"), "next")
    assert [pk for part in forwards for pk in part] == wanted
    last = page(f"ordering={sign}{name}&limit={limit}")
    while last["next"]:
        last = page(last["next"])
    backwards = walk(last, "previous")
    assert [pk for part in backwards[::-1] for pk in part] == wanted


def test_the_ends_have_no_links_and_rows_have_just_their_keys(leads):
    response = page("limit=200")
    assert response["next"] is None
    assert response["previous"] is None
    assert set(response["results"][0]) == {"id", "name"}
    assert page(rows=LeadRow.read(Lead.objects.none())) == {"next": None, "previous": None, "results": []}


def test_rows_that_come_and_go_neither_repeat_nor_hide_others(leads, make_lead):
    first = page("ordering=id&limit=4")
    leads[1].delete()
    leads[4].delete()
    make_lead(id=leads[0].pk - 1)
    assert ids(page(first["next"])) == [lead.pk for lead in leads[5:9]]


def test_count_counts_all_pages(leads):
    assert page("limit=2&count=true")["count"] == 12
    assert "count" not in page("limit=2&count=false")


def test_links_keep_the_other_parameters(leads):
    response = page("limit=2&status=new&status=won&count=true")
    link = response["next"]
    assert link.startswith("http://testserver/api/v1/things?limit=2&status=new&status=won&count=true&cursor=")
    assert page(link)["next"].count("cursor=") == 1


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
def test_a_wrong_parameter_is_named(db, query, name):
    with pytest.raises(ValidationError) as error:
        page(query)
    assert list(error.value.detail) == [name]


def test_a_cursor_is_of_one_list_in_one_order(leads):
    cursor = page("ordering=id&limit=1")["next"].partition("cursor=")[2]
    forged = signing.dumps(["sales.Lead", False, "x"], salt="another")
    for query in (f"ordering=-id&cursor={cursor}", f"ordering=score&cursor={cursor}", f"cursor={cursor[:-1]}",
                  f"ordering=id&cursor={forged}"):  # fmt: skip
        with pytest.raises(ValidationError) as error:
            page(query)
        assert list(error.value.detail) == ["cursor"]


def test_nulls_are_mentioned_only_where_they_can_be():
    plain = LeadRow.read(Lead.objects.all())
    nulls = {
        column: "NULLS" in str(plain.order_by(*(key.order() for key in Keyset(plain, [column])._keys)).query)
        for column in ("score", "created_at", "id", "estimated_value", "source__name", "name")
    }
    assert nulls == {
        "score": False, "created_at": False, "id": False, "estimated_value": True, "source__name": True, "name": True,
    }  # fmt: skip


@pytest.mark.postgres  # plans are PostgreSQL's
def test_a_page_begins_in_the_index(leads):
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


def array(query="", order=("company_name", "-id"), **options):
    url = query if query.startswith("http") else f"/api/v1/things?{query}"
    rows = LeadRow.read(Lead.objects.all()).order_by(*order)
    response = array_response(Request(APIRequestFactory().get(url)), rows, **options)
    return [row["id"] for row in response.data], response.headers.get("Link")


@pytest.mark.parametrize(
    "order",
    [("company_name", "-id"), ("-score", "company_name"), (VALUED.desc(), "score"), (VALUED, "id"),
     ("-next_follow_up_date",)],
)  # fmt: skip
def test_an_array_goes_on_where_its_header_says(leads, order):
    whole, link = array(order=order)
    assert sorted(whole) == [lead.pk for lead in leads]
    assert link is None
    if not isinstance(order[0], str) or "follow" not in order[0]:
        assert whole == [
            row["id"] for row in LeadRow.read(Lead.objects.all()).order_by(*order, _last(order))
        ]  # the database's own order
    seen, link = array("limit=5", order)
    while link:
        assert re.fullmatch(r'<http://testserver/api/v1/things\?limit=5&cursor=[^>]+>; rel="next"', link)
        more, link = array(link[1 : link.index(">")], order)
        seen += more
    assert seen == whole


def _last(order):
    descending = order[-1].startswith("-") if isinstance(order[-1], str) else order[-1].descending
    return "-pk" if descending else "pk"


def test_an_array_has_a_length_of_its_own_and_takes_a_limit(leads):
    assert len(array(default_limit=3)[0]) == 3
    assert len(array("limit=7", default_limit=3)[0]) == 7
    with pytest.raises(ValidationError):
        array("limit=201")
