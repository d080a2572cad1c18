"""One row for each thing to be told, in the caller's transaction."""

from datetime import UTC, datetime

import pytest
import time_machine
from django.db import DatabaseError, connection, transaction
from django.db.models import CharField, Value
from django.db.models.functions import Concat, JSONObject

from athena.accounts.models import User
from notifications import outbox
from notifications.models import Delivery, Notification

DELIVERY = (
    "notification", "channel", "state", "next_attempt_at", "attempts", "lease_until", "ended_at", "last_error"
)  # fmt: skip
NOW = datetime(2026, 11, 23, 12, 0, 0, 123456, tzinfo=UTC)


@pytest.fixture
def woken(monkeypatch):
    names = []
    monkeypatch.setattr(outbox, "publish_task", names.append)
    return names


def message(rep, key, **fields):
    return outbox.NewNotification("lead_assigned", rep.pk, key, {"lead_id": 1}, **fields)


def keys():
    return list(Notification.objects.order_by("pk").values_list("dedupe_key", flat=True))


def test_a_key_is_told_once(rep, woken):
    one = {"kind": "lead_assigned", "recipient_id": rep.pk, "dedupe_key": "a", "context": {"lead_id": 1}}
    assert [outbox.add(**one), outbox.add(**one)] == [True, False]
    assert (Notification.objects.get().context, woken) == ({"lead_id": 1}, ["notifications.deliver"])


@time_machine.travel(NOW, tick=False)
def test_what_a_row_holds(rep, woken):
    later = datetime(2027, 1, 1, 9, 30, tzinfo=UTC)
    context = {"name": "Bäärenreise \U0001f43b \"'{{ x }}%s\\", "none": None, "leads": [{"id": 1}], "on": True}
    assert outbox.add(kind="run_failed", recipient_id=rep.pk, dedupe_key="a", context=context, not_before=later)
    outbox.add_many([message(rep, "b")])
    first, second = Notification.objects.order_by("pk")
    assert (first.kind, first.recipient, first.context, first.not_before) == ("run_failed", rep, context, later)
    assert (second.not_before, second.created_at is None, second.read_at) == (NOW, False, None)
    assert list(Delivery.objects.order_by("pk").values_list(*DELIVERY)) == [
        (row.pk, "email", "waiting", at, 0, None, None, "") for row, at in ((first, later), (second, NOW))
    ]


def test_those_that_are_new_are_counted(rep, woken):
    outbox.add_many([message(rep, "b")])
    assert outbox.add_many(message(rep, key) for key in ("c", "b", "a", "c")) == 2
    assert keys() == ["b", "a", "c"]
    assert outbox.add_many([message(rep, "a")]) == 0
    assert woken == ["notifications.deliver"] * 2


@pytest.mark.parametrize("count", [1, 1_500])
def test_a_fixed_number_of_statements_however_many(rep, woken, django_assert_num_queries, count):
    with django_assert_num_queries(1 if connection.vendor == "postgresql" else 3):
        assert outbox.add_many(message(rep, str(key)) for key in range(count)) == count
    assert Notification.objects.count() == Delivery.objects.count() == count


def test_only_what_is_new_is_delivered(rep, woken):
    outbox.add_many([message(rep, "b")])
    outbox.add_many(message(rep, key) for key in ("c", "b", "a"))
    assert sorted(Delivery.objects.values_list("notification__dedupe_key", flat=True)) == ["a", "b", "c"]


@time_machine.travel(NOW, tick=False)
def test_of_rows_that_are_there_each_is_told_once(rep, colleague, woken, django_assert_num_queries):
    people = User.objects.filter(pk__in=[rep.pk, colleague.pk])
    key = Concat(Value("hello:"), "pk", output_field=CharField())
    about = {"kind": "run_failed", "recipient": "pk", "dedupe_key": key, "context": JSONObject(name="full_name", no=1)}
    assert connection.features.has_json_object_function  # SQLite is asked once
    with django_assert_num_queries(1 if connection.vendor == "postgresql" else 3):
        assert outbox.add_from(people, **about) == 2
    assert outbox.add_from(people, **about) == 0
    told = Notification.objects.order_by("recipient").values_list(
        "kind", "recipient", "dedupe_key", "context", "not_before"
    )
    assert list(told) == [
        ("run_failed", user.pk, f"hello:{user.pk}", {"name": user.full_name, "no": 1}, NOW) for user in (rep, colleague)
    ]
    assert (Delivery.objects.count(), woken) == (2, ["notifications.deliver"])


def test_what_became_of_it(rep, woken):
    outbox.add_many(message(rep, key) for key in "ab")
    Delivery.objects.filter(notification__dedupe_key="b").update(state="dead", ended_at=NOW, last_error="No")
    told = [
        (each.dedupe_key, each.recipient, [(by.channel, by.state, by.last_error) for by in each.deliveries.all()])
        for each in outbox.find_with_deliveries(["b", "never", "a"])
    ]
    assert told == [("a", rep, [("email", "waiting", "")]), ("b", rep, [("email", "dead", "No")])]


def test_nobody_to_tell(db, woken, django_assert_num_queries):
    with django_assert_num_queries(0):
        assert outbox.add_many([]) == 0
    assert woken == []


def test_nothing_is_told_of_what_did_not_happen(rep):
    with transaction.atomic():
        outbox.add_many([message(rep, "a")])
        transaction.set_rollback(True)
    assert keys() == []


@pytest.mark.postgres  # SQLite does not measure text
def test_a_key_that_is_too_long_is_refused_not_cut(rep):
    with pytest.raises(DatabaseError), transaction.atomic():
        outbox.add_many([message(rep, "a" * 201)])
    assert keys() == []
