"""One row for each thing to be told, in the caller's transaction."""

from datetime import UTC, datetime

import pytest
import time_machine
from django.db import DatabaseError, transaction

from notifications import outbox
from notifications.models import Notification

NOW = datetime(2026, 11, 23, 12, 0, 0, 123456, tzinfo=UTC)


@pytest.fixture
def woken(monkeypatch):
    names = []
    monkeypatch.setattr(outbox, "wake", names.append)
    return names


def message(rep, key, **fields):
    return outbox.Message(kind="lead_assigned", recipient_id=rep.pk, dedupe_key=key, context={"lead_id": 1}, **fields)


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
    assert (first.kind, first.recipient, first.context, first.next_attempt_at) == ("run_failed", rep, context, later)
    assert (second.next_attempt_at, second.state, second.attempts, second.last_error) == (NOW, "waiting", 0, "")
    assert (second.created_at is None, second.read_at, second.sent_at, second.lease_until) == (False, None, None, None)


def test_those_that_are_new_are_counted(rep, woken):
    outbox.add_many([message(rep, "b")])
    assert outbox.add_many(message(rep, key) for key in ("c", "b", "a", "c")) == 2
    assert keys() == ["b", "a", "c"]
    assert outbox.add_many([message(rep, "a")]) == 0
    assert woken == ["notifications.deliver"] * 2


@pytest.mark.parametrize("count", [1, 1_500])
def test_one_statement_however_many(rep, woken, django_assert_num_queries, count):
    with django_assert_num_queries(1):
        assert outbox.add_many(message(rep, str(key)) for key in range(count)) == count
    assert Notification.objects.count() == count


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
