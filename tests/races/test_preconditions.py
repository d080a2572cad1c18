"""Two users change the same row at once after reading it: one succeeds, the other learns that it has changed."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import date

import pytest
from django.db import connection
from django.db.models import QuerySet
from rest_framework.test import APIClient

from athena.api.preconditions import UnchangedSinceRead
from sales.models import Lead, LeadScoringRule
from sales.services.follow_ups import follow_ups

pytestmark = pytest.mark.django_db(transaction=True)
CHANGES = {"leads": {"notes": "{}"}, "follow-ups": {"notes": "{}"}, "scoring/rules": {"group": "g{}"}}
RULE = {
    "rule_name": "Repeat", "rule_type": "attribute", "condition_field": "is_repeat", "condition_operator": "equals",
    "condition_value": "true", "points": 5,
}  # fmt: skip


@pytest.fixture
def urls(transactional_db, admin, make_lead):
    lead = make_lead(assigned_to=admin)
    plan = follow_ups.create(by=admin, lead_id=lead.pk, follow_up_type="call", scheduled_date=date(2099, 1, 5))
    rule = LeadScoringRule.objects.create(**RULE)
    keys = {"leads": lead.pk, "follow-ups": plan.pk, "scoring/rules": rule.pk}
    return {resource: f"/api/v1/sales/{resource}/{key}" for resource, key in keys.items()}


def change_together(url, change, user):
    start = threading.Barrier(2)

    def client():
        api_client = APIClient()
        api_client.force_authenticate(user)
        return api_client

    tag = client().get(url)["ETag"]

    def send(number):
        body = {name: value.format(number) for name, value in change.items()}
        start.wait(10)
        try:
            return client().patch(url, body, headers={"If-Match": tag}).status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        return sorted(pool.map(send, range(2)))


@pytest.mark.parametrize("resource", CHANGES)
def test_one_of_two_is_told_that_it_has_changed(urls, admin, resource):
    assert change_together(urls[resource], CHANGES[resource], admin) == [200, 412]


@pytest.mark.postgres  # SQLite lets one transaction write at a time, locks or none
def test_control_without_the_lock_both_write(urls, admin, monkeypatch):
    both_have_asked, ask = threading.Barrier(2), UnchangedSinceRead.__contains__

    def ask_together(self, version):
        answer = ask(self, version)
        both_have_asked.wait(10)
        return answer

    monkeypatch.setattr(QuerySet, "select_for_update", lambda self, **_: self)
    monkeypatch.setattr(UnchangedSinceRead, "__contains__", ask_together)
    assert change_together(urls["leads"], CHANGES["leads"], admin) == [200, 200]
    assert Lead.objects.get().notes in ("0", "1")
