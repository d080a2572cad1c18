"""Several workers share one outbox, and several writers one notification: each is sent once.

Without the row lock of a claim the second test's workers hold the same rows; without its SKIP LOCKED the second of
them waits for the first.
"""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.core import mail
from django.db import connection, transaction

from notifications import delivery, outbox
from notifications.models import Notification

pytestmark = pytest.mark.django_db(transaction=True)
PATIENCE = 20


@pytest.fixture
def tell(rep):
    def make(*keys: str) -> list[bool]:
        context = {"lead_id": 7, "lead_name": "Band", "by_name": "Grace"}
        return [outbox.add(kind="lead_assigned", recipient_id=rep.pk, dedupe_key=key, context=context) for key in keys]

    return make


def in_thread(function, *arguments):
    try:
        return function(*arguments)
    finally:
        connection.close()


def test_four_workers_at_once_tell_each_thing_once(tell):
    tell(*(f"{number:02}" for number in range(60)))
    start = threading.Barrier(4)

    def work():
        start.wait(PATIENCE)
        return delivery.deliver().get("sent", 0)

    with ThreadPoolExecutor(4) as pool:
        sent = [future.result() for future in [pool.submit(in_thread, work) for _ in range(4)]]
    assert sum(sent) == len(mail.outbox) == 60
    assert len({message.extra_headers["Message-ID"] for message in mail.outbox}) == 60


@pytest.mark.postgres  # on SQLite, claims wait for each other
def test_a_worker_claims_around_what_another_is_claiming(tell):
    tell(*(f"{number:02}" for number in range(30)))
    with ThreadPoolExecutor(1) as pool, transaction.atomic():
        mine = delivery._claim("email")
        theirs = pool.submit(in_thread, delivery._claim, "email").result(PATIENCE)
    assert [row.notification.dedupe_key for row in mine] == [f"{number:02}" for number in range(20)]
    assert [row.notification.dedupe_key for row in theirs] == [f"{number:02}" for number in range(20, 30)]


@pytest.mark.postgres  # on SQLite, the second transaction begins when the first has ended
def test_of_two_writers_of_one_message_one_is_told_that_it_is_new(tell):
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            first = tell("b", "c")
            second = pool.submit(in_thread, tell, "a", "b")
            wait_for_a_lock()
        assert (first, second.result(PATIENCE)) == ([True, True], [True, False])
    assert list(Notification.objects.order_by("dedupe_key").values_list("dedupe_key", flat=True)) == ["a", "b", "c"]


def wait_for_a_lock() -> None:
    end = time.monotonic() + PATIENCE
    with connection.cursor() as cursor:
        while True:
            cursor.execute("SELECT pg_stat_clear_snapshot()")  # or a transaction sees the same again and again
            cursor.execute(
                "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = CURRENT_DATABASE() AND wait_event_type = 'Lock'"
            )
            if cursor.fetchone()[0]:
                return
            assert time.monotonic() < end, "nobody waits"
            time.sleep(0.01)
