"""The outbox: one row for each notification, written in the caller's transaction."""

from datetime import UTC, datetime

import pytest
import time_machine
from django.db import DatabaseError, connection, transaction
from django.db.models import CharField, Value
from django.db.models.functions import Concat, JSONObject

from athena.accounts.models import User
from notifications import outbox
from notifications.models import Delivery, Notification

NOW = datetime(2026, 11, 23, 12, 0, 0, 123456, tzinfo=UTC)
STATEMENTS = {"postgresql": 1, "sqlite": 3}


@pytest.fixture
def published(monkeypatch):
    """The names of the tasks that were published."""
    names = []
    monkeypatch.setattr(outbox, "publish_task", names.append)
    return names


def new_notification(recipient, key, **fields):
    return outbox.NewNotification("lead_assigned", recipient.pk, key, {"lead_id": 1}, **fields)


def dedupe_keys():
    return list(Notification.objects.order_by("pk").values_list("dedupe_key", flat=True))


def test_a_dedupe_key_is_written_once(rep, published):
    fields = {"kind": "lead_assigned", "recipient_id": rep.pk, "dedupe_key": "a", "context": {"lead_id": 1}}
    assert outbox.add(**fields) is True
    assert outbox.add(**fields) is False
    assert Notification.objects.get().context == {"lead_id": 1}
    assert published == ["notifications.deliver"]


@time_machine.travel(NOW, tick=False)
def test_a_notification_holds_what_it_was_given(rep, published):
    later = datetime(2027, 1, 1, 9, 30, tzinfo=UTC)
    context = {"name": "Bäärenreise \U0001f43b \"'{{ x }}%s\\", "none": None, "leads": [{"id": 1}], "on": True}
    assert outbox.add(kind="run_failed", recipient_id=rep.pk, dedupe_key="a", context=context, not_before=later)
    notification = Notification.objects.get()
    assert notification.kind == "run_failed"
    assert notification.recipient == rep
    assert notification.context == context
    assert notification.not_before == later


@time_machine.travel(NOW, tick=False)
def test_a_notification_is_due_at_once_and_unread(rep, published):
    outbox.add_many([new_notification(rep, "a")])
    notification = Notification.objects.get()
    assert notification.not_before == NOW
    assert notification.created_at is not None
    assert notification.read_at is None


@time_machine.travel(NOW, tick=False)
@pytest.mark.parametrize("not_before", [None, datetime(2027, 1, 1, 9, 30, tzinfo=UTC)], ids=["at once", "later"])
def test_a_new_delivery_waits_for_its_first_attempt(rep, published, not_before):
    outbox.add_many([new_notification(rep, "a", not_before=not_before)])
    delivery = Delivery.objects.get()
    assert delivery.notification == Notification.objects.get()
    assert delivery.channel == "email"
    assert delivery.state == "waiting"
    assert delivery.next_attempt_at == (not_before or NOW)
    assert delivery.attempts == 0
    assert delivery.lease_until is None
    assert delivery.ended_at is None
    assert delivery.last_error == ""


def test_only_new_notifications_are_counted(rep, published):
    outbox.add_many([new_notification(rep, "b")])
    assert outbox.add_many(new_notification(rep, key) for key in ("c", "b", "a", "c")) == 2
    assert dedupe_keys() == ["b", "a", "c"]
    assert outbox.add_many([new_notification(rep, "a")]) == 0
    assert published == ["notifications.deliver"] * 2


@pytest.mark.parametrize("count", [1, 1_500])
def test_the_number_of_statements_does_not_grow_with_the_notifications(
    rep, published, django_assert_num_queries, count
):
    with django_assert_num_queries(STATEMENTS[connection.vendor]):
        assert outbox.add_many(new_notification(rep, str(key)) for key in range(count)) == count
    assert Notification.objects.count() == count
    assert Delivery.objects.count() == count


def test_only_new_notifications_get_deliveries(rep, published):
    outbox.add_many([new_notification(rep, "b")])
    outbox.add_many(new_notification(rep, key) for key in ("c", "b", "a"))
    assert sorted(Delivery.objects.values_list("notification__dedupe_key", flat=True)) == ["a", "b", "c"]


@time_machine.travel(NOW, tick=False)
def test_each_row_of_a_query_is_written_once(rep, colleague, published, django_assert_num_queries):
    users = User.objects.filter(pk__in=[rep.pk, colleague.pk])
    key = Concat(Value("hello:"), "pk", output_field=CharField())
    columns = {
        "kind": "run_failed",
        "recipient": "pk",
        "dedupe_key": key,
        "context": JSONObject(name="full_name", no=1),
    }
    assert connection.features.has_json_object_function  # SQLite is asked once
    with django_assert_num_queries(STATEMENTS[connection.vendor]):
        assert outbox.add_from(users, **columns) == 2
    assert outbox.add_from(users, **columns) == 0
    for user in (rep, colleague):
        notification = Notification.objects.get(recipient=user)
        assert notification.kind == "run_failed"
        assert notification.dedupe_key == f"hello:{user.pk}"
        assert notification.context == {"name": user.full_name, "no": 1}
        assert notification.not_before == NOW
    assert Notification.objects.count() == 2
    assert Delivery.objects.count() == 2
    assert published == ["notifications.deliver"]


def test_notifications_are_found_with_their_deliveries(rep, published):
    outbox.add_many(new_notification(rep, key) for key in "ab")
    Delivery.objects.filter(notification__dedupe_key="b").update(state="dead", ended_at=NOW, last_error="No")
    first, second = outbox.find_with_deliveries(["b", "never written", "a"])
    assert first.dedupe_key == "a"
    assert second.dedupe_key == "b"
    assert second.recipient == rep
    (delivery,) = second.deliveries.all()
    assert delivery.channel == "email"
    assert delivery.state == "dead"
    assert delivery.last_error == "No"


def test_no_notifications_take_no_statement(db, published, django_assert_num_queries):
    with django_assert_num_queries(0):
        assert outbox.add_many([]) == 0
    assert published == []


def test_a_rollback_takes_the_notifications_along(rep):
    with transaction.atomic():
        outbox.add_many([new_notification(rep, "a")])
        transaction.set_rollback(True)
    assert dedupe_keys() == []


@pytest.mark.postgres  # SQLite does not measure text
def test_a_key_that_is_too_long_is_refused_instead_of_cut(rep):
    with pytest.raises(DatabaseError), transaction.atomic():
        outbox.add_many([new_notification(rep, "a" * 201)])
    assert dedupe_keys() == []
