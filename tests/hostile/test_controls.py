"""The table proves something: with any one of the shared pieces taken out, cases of its rule fail.

In process, where a piece can be taken out. With none taken out every case passes here as it does on a server.
"""

from typing import Any
from unittest import mock

import pytest
from rest_framework import negotiation, serializers, views
from rest_framework import viewsets as framework

from athena.accounts import services
from athena.accounts.api.authentication import BearerAuthentication
from athena.api import fields, filters, idempotency, keyset, pagination, parsers, preconditions, renderers, viewsets
from athena.api.serializers import StrictSerializer
from athena.http import middleware
from sales.models import FollowUp
from tests.hostile.client import send_inside
from tests.hostile.table import CASES


def nothing(*args: Any, **kwargs: Any) -> None:
    """Stands for what would check and raise."""


def as_in(framework_class: Any, name: str) -> Any:
    """What the framework does of itself."""
    return getattr(framework_class, name)


def loose(self: Any, values: Any) -> Any:
    return list(values) if self.many else values[-1]


READ = "to_internal_value"
PIECES: dict[str, tuple[str, Any, str, Any]] = {  # the rule it upholds, where it is, and what is there without it
    "no key twice": ("duplicate keys", parsers, "_object", dict),
    "no number too large": ("numbers", parsers, "_finite", float),
    "no NaN": ("numbers", parsers, "_no_constant", float),
    "no deep bodies": ("depth", parsers, "_too_deep", nothing),
    "JSON in UTF-8 alone": ("content types", parsers, "_require_utf8", nothing),
    "no large bodies": ("size", middleware, "MAX_BODY_BYTES", 10**9),
    "unasked bodies": ("not JSON", viewsets.ActionViewSet, "initial", as_in(framework.ViewSet, "initial")),
    "no unknown keys": ("unknown keys", StrictSerializer, READ, as_in(serializers.Serializer, READ)),
    "integers": ("ids", fields.IntegerField, READ, as_in(serializers.IntegerField, READ)),
    "counts": ("counts", fields.IntegerField, READ, as_in(serializers.IntegerField, READ)),
    "money": ("money", fields.MoneyField, READ, as_in(serializers.DecimalField, READ)),
    "booleans": ("booleans", fields.BooleanField, READ, as_in(serializers.BooleanField, READ)),
    "dates": ("dates", fields.DateField, READ, as_in(serializers.DateField, READ)),
    "instants": ("times", fields.DateTimeField, READ, as_in(serializers.DateTimeField, READ)),
    "times of day": ("times", fields.TimeField, READ, as_in(serializers.TimeField, READ)),
    "choices": ("choices", fields.ChoiceField, READ, lambda self, data: data),
    "one line": ("one line", fields.OneLineField, "one_line", False),
    "text": ("long text", fields._Text, "run_validation", as_in(serializers.CharField, "run_validation")),
    "e-mail addresses": ("e-mail addresses", fields.EmailField, READ, as_in(serializers.CharField, READ)),
    "a query in UTF-8": ("parameters", viewsets, "require_utf8", nothing),
    "no unknown parameters": ("parameters", filters, "_find_unknown", lambda *args: {}),
    "nor of changes": ("parameters of changes", viewsets, "read_query", nothing),
    "strict filters": ("parameters", filters.StrictFilter, "read", loose),
    "limits": ("parameters", pagination, "read_limit", lambda request, default, most: default),
    "orderings": ("parameters", pagination, "read_choice", lambda request, name, choices, default: default),
    "cursors that are ours": ("parameters", pagination, "_decode_cursor", lambda *args: (False, None)),
    "cursors of this list": ("cursors", keyset.Keyset, "name", property(lambda self: mock.ANY, nothing)),
    "Accept": ("Accept", renderers.Negotiation, "get_accept_list",
               as_in(negotiation.DefaultContentNegotiation, "get_accept_list")),
    "tokens": ("Authorization", BearerAuthentication, "authenticate", nothing),
    "idempotency keys": ("Idempotency-Key", idempotency, "read_key", nothing),
    "If-Match": ("If-Match", preconditions, "parse_if_match", nothing),
    "one table of errors": ("not JSON", views.APIView, "get_exception_handler", lambda self: views.exception_handler),
}  # fmt: skip


@pytest.fixture
def names(api, make_lead, admin, settings):
    settings.THROTTLES = dict.fromkeys(settings.THROTTLES)
    leads = [make_lead(assigned_to=admin) for _ in range(2)]
    follow_up = FollowUp.objects.create(
        lead=leads[0], follow_up_type="call", scheduled_date="2026-01-05", assigned_to=admin
    )
    page = api(admin).get("/api/v1/sales/leads?limit=1").json()
    return {
        "token": services.start_session(user=admin).access_token,
        "refresh": "not.an.access-token",
        "user": str(admin.pk),
        "lead": str(leads[0].pk),
        "follow_up": str(follow_up.pk),
        "cursor": page["next"].partition("cursor=")[2].partition("&")[0],
    }


def failing(names, rule=None):
    """The cases (of a rule) that are not answered as the table says."""
    cases = [case for case in CASES if rule in (None, case.rule)]
    found = ((case, send_inside(case, names)) for case in cases)
    return [f"{case} -> {response}" for case, response in found if response != (case.status, case.wrong)]


def test_nothing_fails_with_every_piece_in_its_place(names):
    assert failing(names) == []


@pytest.mark.parametrize("piece", PIECES)
def test_cases_fail_without(names, monkeypatch, piece):
    rule, place, name, without = PIECES[piece]
    monkeypatch.setattr(place, name, without, raising=place is not keyset.Keyset)
    assert failing(names, rule) != []


def test_cases_fail_without_the_ignore_trailing_slash(names, settings):
    settings.MIDDLEWARE = [each for each in settings.MIDDLEWARE if not each.endswith("ignore_trailing_slash")]
    assert failing(names, "parameters") != []


def test_cases_fail_where_any_host_is_ours(names, settings):
    settings.ALLOWED_HOSTS = ["*"]
    assert failing(names, "Host") != []


def test_every_rule_has_a_piece_or_needs_none():
    of_the_framework = {"addresses", "empty bodies", "encoding", "methods", "top level", "wildcards"}
    tested_above, with_another = {"Host"}, {"integers"}  # (by the same field as ids)
    of_the_services = {"end before start"}
    pieces = {rule for rule, *_ in PIECES.values()}
    assert {case.rule for case in CASES} == (pieces | of_the_framework | tested_above | with_another | of_the_services)
