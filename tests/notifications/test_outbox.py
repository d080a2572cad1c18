"""One row for each thing to be told, in the caller's transaction."""

from django.db import transaction

from notifications import outbox
from notifications.models import Notification


def message(rep, key):
    return outbox.Message(kind="lead_assigned", recipient_id=rep.pk, dedupe_key=key, context={"lead_id": 1})


def test_a_key_is_told_once(rep):
    one = {"kind": "lead_assigned", "recipient_id": rep.pk, "dedupe_key": "a", "context": {"lead_id": 1}}
    assert [outbox.add(**one), outbox.add(**one)] == [True, False]
    assert Notification.objects.get().context == {"lead_id": 1}


def test_many_in_few_statements(rep, django_assert_max_num_queries):
    outbox.add_many([message(rep, "3")])
    with django_assert_max_num_queries(30):
        assert outbox.add_many(message(rep, str(key)) for key in range(1_500)) == 1_499
    assert Notification.objects.count() == 1_500


def test_nothing_is_told_of_what_did_not_happen(rep):
    with transaction.atomic():
        outbox.add_many([message(rep, "a")])
        transaction.set_rollback(True)
    assert Notification.objects.count() == 0
