"""Controls for the table: without any one of the safeguards, cases of its rule fail.

They run in process, where a safeguard can be removed. With all safeguards, every case passes as it does on a server.
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
from athena.http import body_limit
from sales.models import FollowUp
from tests.hostile.client import send_inside
from tests.hostile.table import CASES


def do_nothing(*args: Any, **kwargs: Any) -> None:
    """Replaces a check that would raise an error."""


def get_original(framework_class: Any, name: str) -> Any:
    """The method of the framework that ours replaces."""
    return getattr(framework_class, name)


def read_loosely(self: Any, values: Any) -> Any:
    return list(values) if self.many else values[-1]


READ = "to_internal_value"
SAFEGUARDS: dict[str, tuple[str, Any, str, Any]] = {  # rule, owner, name, replacement
    "no key twice": ("duplicate keys", parsers, "_object", dict),
    "no number too large": ("numbers", parsers, "_finite", float),
    "no NaN": ("numbers", parsers, "_no_constant", float),
    "no deep bodies": ("depth", parsers, "_too_deep", do_nothing),
    "JSON in UTF-8 alone": ("content types", parsers, "_require_utf8", do_nothing),
    "no large bodies": ("size", body_limit, "MAX_BODY_BYTES", 10**9),
    "unasked bodies": ("not JSON", viewsets.ActionViewSet, "initial", get_original(framework.ViewSet, "initial")),
    "no unknown keys": ("unknown keys", StrictSerializer, READ, get_original(serializers.Serializer, READ)),
    "integers": ("ids", fields.IntegerField, READ, get_original(serializers.IntegerField, READ)),
    "counts": ("counts", fields.IntegerField, READ, get_original(serializers.IntegerField, READ)),
    "money": ("money", fields.MoneyField, READ, get_original(serializers.DecimalField, READ)),
    "booleans": ("booleans", fields.BooleanField, READ, get_original(serializers.BooleanField, READ)),
    "dates": ("dates", fields.DateField, READ, get_original(serializers.DateField, READ)),
    "instants": ("times", fields.DateTimeField, READ, get_original(serializers.DateTimeField, READ)),
    "times of day": ("times", fields.TimeField, READ, get_original(serializers.TimeField, READ)),
    "choices": ("choices", fields.ChoiceField, READ, lambda self, data: data),
    "one line": ("one line", fields.OneLineField, "one_line", False),
    "text": ("long text", fields._Text, "run_validation", get_original(serializers.CharField, "run_validation")),
    "e-mail addresses": ("e-mail addresses", fields.EmailField, READ, get_original(serializers.CharField, READ)),
    "a query in UTF-8": ("parameters", viewsets, "require_utf8", do_nothing),
    "no unknown parameters": ("parameters", filters, "_find_unknown", lambda *args: {}),
    "nor of changes": ("parameters of changes", viewsets, "read_query", do_nothing),
    "strict filters": ("parameters", filters.StrictFilter, "read", read_loosely),
    "limits": ("parameters", pagination, "read_limit", lambda request, default, most: default),
    "orderings": ("parameters", pagination, "read_choice", lambda request, name, choices, default: default),
    "cursors that are ours": ("parameters", pagination, "_decode_cursor", lambda *args: (False, None)),
    "cursors of this list": ("cursors", keyset.Keyset, "name", property(lambda self: mock.ANY, do_nothing)),
    "Accept": ("Accept", renderers.Negotiation, "get_accept_list",
               get_original(negotiation.DefaultContentNegotiation, "get_accept_list")),
    "tokens": ("Authorization", BearerAuthentication, "authenticate", do_nothing),
    "idempotency keys": ("Idempotency-Key", idempotency, "read_key", do_nothing),
    "If-Match": ("If-Match", preconditions, "parse_if_match", do_nothing),
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


def list_failing_cases(names, rule=None):
    """The cases, of one rule or all, whose response differs from the table."""
    cases = [case for case in CASES if rule in (None, case.rule)]
    responses = ((case, send_inside(case, names)) for case in cases)
    return [f"{case} -> {response}" for case, response in responses if response != (case.status, case.wrong)]


def test_no_case_fails_with_all_safeguards(names):
    assert list_failing_cases(names) == []


@pytest.mark.parametrize("safeguard", SAFEGUARDS)
def test_cases_fail_without_a_safeguard(names, monkeypatch, safeguard):
    rule, owner, name, replacement = SAFEGUARDS[safeguard]
    monkeypatch.setattr(owner, name, replacement, raising=owner is not keyset.Keyset)
    assert list_failing_cases(names, rule) != []


def test_cases_fail_without_ignore_trailing_slash(names, settings):
    settings.MIDDLEWARE = [
        middleware for middleware in settings.MIDDLEWARE if not middleware.endswith("ignore_trailing_slash")
    ]
    assert list_failing_cases(names, "parameters") != []


def test_cases_fail_if_any_host_is_allowed(names, settings):
    settings.ALLOWED_HOSTS = ["*"]
    assert list_failing_cases(names, "Host") != []


def test_every_rule_has_a_safeguard_or_needs_none():
    of_the_framework = {"addresses", "empty bodies", "encoding", "methods", "top level", "wildcards"}
    tested_separately, covered_by_another = {"Host"}, {"integers"}  # by the same field as ids
    of_the_services = {"end before start"}
    rules_with_safeguards = {rule for rule, *_ in SAFEGUARDS.values()}
    assert {case.rule for case in CASES} == (
        rules_with_safeguards | of_the_framework | tested_separately | covered_by_another | of_the_services
    )
