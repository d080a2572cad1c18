"""Sending mails, and turning due follow-ups into rows of the outbox, each beside the plainest way to do it.

    DATABASE_URL=postgres://user@host/any_database .venv/bin/python -m bench.delivery [--mails N] [--due N] [--rounds N]

Makes a database of its own on that server and drops it at the end. Mails go to a server that takes everything, in a
process of its own: once by a loop that reads the rows, sends each over one SMTP connection and saves it as sent; then
by one worker process, and by two. Follow-ups that are due become outbox rows by `reminders.send_due_reminders`, and
by one hand-written statement that writes the same rows. The ways take turns; printed are medians and ratios.
"""

import argparse
import asyncio
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import django

from bench.database import in_a_database, run_sql

PEOPLE, LEADS = 20, 2_000
DATA = """
INSERT INTO users (email, full_name, password) SELECT 'p' || n || '@example.com', 'Person ' || n, '!'
FROM generate_series(1, {people}) AS n;
INSERT INTO leads (company_name, contact_name, email, phone, assigned_to, email_normalised, phone_normalised)
SELECT 'Company ' || n, 'Contact ' || n, 'c' || n || '@example.com', '+1212' || n,
       (SELECT MIN(id) FROM users) + n % {people}, 'c' || n || '@example.com', '+1212' || n
FROM generate_series(1, {leads}) AS n;
INSERT INTO follow_ups (lead_id, follow_up_type, scheduled_date, scheduled_time, notes, assigned_to, due_at, remind_at)
SELECT (SELECT MIN(id) FROM leads) + n % {leads}, 'call', CURRENT_DATE, CASE WHEN n % 3 > 0 THEN TIME '10:30' END,
       'Ask for the number of passengers', (SELECT MIN(id) FROM users) + n % {people}, NOW(), NOW()
FROM generate_series(1, {due}) AS n;
"""
BY_HAND = """
WITH told AS (
    INSERT INTO notifications (kind, recipient_id, dedupe_key, context, not_before)
    SELECT 'follow_up_due', f.assigned_to, 'due:' || f.id || ':' || f.reminder_no,
           jsonb_build_object(
               'follow_up_id', f.id, 'follow_up_type', f.follow_up_type, 'scheduled_date', f.scheduled_date,
               'scheduled_time', TO_CHAR(f.scheduled_time, 'HH24:MI'),
               'when', CONCAT_WS(', ', TO_CHAR(f.scheduled_date, 'FMDay, FMDD FMMonth YYYY'),
                                 TO_CHAR(f.scheduled_time, 'HH24:MI')),
               'notes', f.notes, 'lead_id', l.id, 'phone', l.phone, 'email', l.email,
               'lead_name', COALESCE(NULLIF(l.company_name, ''), l.contact_name)),
           NOW()
    FROM follow_ups f JOIN leads l ON l.id = f.lead_id
    WHERE NOT f.completed AND f.cancelled_at IS NULL AND NOT f.reminder_sent AND f.remind_at <= NOW()
      AND l.archived_at IS NULL
    RETURNING id, not_before
), marked AS (
    UPDATE follow_ups f SET reminder_sent = TRUE FROM leads l
    WHERE l.id = f.lead_id AND NOT f.completed AND f.cancelled_at IS NULL AND NOT f.reminder_sent
      AND f.remind_at <= NOW() AND l.archived_at IS NULL
)
INSERT INTO notification_deliveries (notification_id, channel, next_attempt_at)
SELECT id, 'email', not_before FROM told
"""


class TakesAll:
    """What a mail server does at least: it reads the mail to its end."""

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        return "250 OK"


def serve(port: int) -> None:
    from aiosmtpd.smtp import SMTP

    async def run() -> None:
        server = await asyncio.get_running_loop().create_server(lambda: SMTP(TakesAll()), "127.0.0.1", port)
        print("ready", flush=True)
        await server.serve_forever()

    asyncio.run(run())


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "bench.delivery", *arguments]


@contextmanager
def started(*arguments: str) -> Iterator["subprocess.Popen[str]"]:
    """Start this script in a process of its own and wait until it is ready."""
    process = subprocess.Popen(command(*arguments), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield process
    finally:
        process.kill()
        process.wait()


def loop() -> None:
    """The simplest way: one connection, one row after the other, each saved when it is sent."""
    from django.core.mail import get_connection
    from django.utils import timezone

    from notifications.channels.email import compose
    from notifications.models import Delivery

    with get_connection() as connection:
        for row in Delivery.objects.filter(state="waiting").select_related("notification__recipient").order_by("id"):
            connection.send_messages([compose(row.notification)])
            row.state, row.ended_at = "sent", timezone.now()
            row.save()


def deliver() -> None:
    from notifications import delivery

    while delivery.deliver():
        pass


def work(way: Callable[[], None]) -> None:
    """Run in a process of its own: print "ready", wait for a line of input, then send."""
    django.setup()
    from django.db import connection
    from django.template.loader import get_template

    connection.ensure_connection()
    for part in ("subject.txt", "txt", "html"):
        get_template(f"notifications/follow_up_due.{part}")
    print("ready", flush=True)
    sys.stdin.readline()
    way()


def mails_a_second(count: int, way: str, workers: int) -> float:
    run_sql("UPDATE notification_deliveries SET state = 'waiting', ended_at = NULL, attempts = 0, lease_until = NULL")
    run_sql("VACUUM ANALYZE notification_deliveries")
    processes = [started("--work", way) for _ in range(workers)]
    running = [process.__enter__() for process in processes]
    start = time.perf_counter()
    for process in running:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.close()
    for process in running:
        assert process.wait() == 0
    seconds = time.perf_counter() - start
    from notifications.models import Delivery

    assert Delivery.objects.filter(state="sent").count() == count
    return count / seconds


def fan_out(due: int, rounds: int) -> None:
    """Print what due follow-ups take to become outbox rows."""
    from notifications.models import Delivery, Notification
    from sales.models import FollowUp
    from sales.services.follow_ups import reminders

    def claim() -> None:
        assert reminders.send_due_reminders() == due

    def by_hand() -> None:
        run_sql(BY_HAND)

    taken: dict[Callable[[], None], list[float]] = {claim: [], by_hand: []}
    for _ in range(rounds):
        for way, times in taken.items():
            run_sql("TRUNCATE notifications, notification_deliveries")
            FollowUp.objects.update(reminder_sent=False)
            run_sql("VACUUM ANALYZE follow_ups")
            run_sql("CHECKPOINT")
            start = time.perf_counter()
            way()
            times.append(time.perf_counter() - start)
            assert Notification.objects.count() == Delivery.objects.count() == due
            assert not FollowUp.objects.filter(reminder_sent=False).exists()
    one, other = (statistics.median(times) for times in taken.values())
    print(f"{due:,} due follow-ups: {one:.3f} s, by hand {other:.3f} s, ratio {one / other:.2f}", flush=True)


def compare(mails: int, rounds: int) -> None:
    """Print how many emails a second the loop, one worker and two workers send."""
    run_sql(
        f"DELETE FROM notification_deliveries WHERE id NOT IN (SELECT id FROM notification_deliveries LIMIT {mails})"
    )
    speeds_by_way: dict[tuple[str, int], list[float]] = {("loop", 1): [], ("deliver", 1): [], ("deliver", 2): []}
    for _ in range(rounds):
        for (way, workers), speeds in speeds_by_way.items():
            speeds.append(mails_a_second(mails, way, workers))
    plain = statistics.median(speeds_by_way["loop", 1])
    for (way, workers), speeds in speeds_by_way.items():
        name = "plain loop" if way == "loop" else f"{workers} worker{'s' * (workers > 1)}"
        speed = statistics.median(speeds)
        print(f"{mails:,} emails, {name:10} {speed:7.0f} a second, ratio {speed / plain:.2f}", flush=True)


def fill(due: int) -> None:
    run_sql(DATA.format(people=PEOPLE, leads=LEADS, due=due))
    run_sql("VACUUM ANALYZE")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mails", type=int, default=1_000)
    parser.add_argument("--due", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--work", choices=["loop", "deliver"], help=argparse.SUPPRESS)
    parser.add_argument("--serve", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.work:
        work({"loop": loop, "deliver": deliver}[options.work])
        sys.exit()
    if options.serve:
        serve(options.serve)
    from tests.servers import free_port

    port = free_port()
    os.environ |= {"EMAIL_URL": f"smtp://127.0.0.1:{port}", "LOG_LEVEL": "ERROR"}
    with started("--serve", str(port)):
        in_a_database(
            lambda: fill(options.due),
            lambda: fan_out(options.due, options.rounds),
            lambda: compare(options.mails, options.rounds),
        )


if __name__ == "__main__":
    main()
