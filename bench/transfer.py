"""A bulk transfer, beside hand-written SQL that writes the same rows, and beside the specification's loop.

    DATABASE_URL=postgres://user@host/any_database .venv/bin/python -m bench.transfer [--leads N] [--rounds N]

Makes a database of its own on that server and drops it at the end. In it are five times as many leads as are moved,
each with an open follow-up, a completed one and three activities. The ways take turns at moving the same leads to one
person after another; after each the tables are vacuumed. Printed are the medians of the seconds, their ratios, and how
many statements Athena needed.
"""

import argparse
import statistics
import time
from collections.abc import Callable

from bench.database import in_a_database, run_sql

DATA = """
INSERT INTO users (email, full_name, password, role, time_zone, settled_zone)
SELECT 'user' || n || '@example.com', 'User ' || n, '!', CASE WHEN n = 1 THEN 'admin' ELSE 'rep' END,
       'America/New_York', 'America/New_York'
FROM generate_series(1, 8) AS n;
INSERT INTO lead_sources (name) SELECT 'Source ' || n FROM generate_series(1, 20) AS n;
INSERT INTO leads (company_name, contact_name, email, phone, email_normalised, phone_normalised, status, score,
                   estimated_value, source_id, assigned_to, created_at)
SELECT 'Company ' || n, 'Contact ' || n, 'c' || n || '@example.com', '+1212' || n, 'c' || n || '@example.com',
       '+1212' || n, (ARRAY['new', 'contacted', 'qualified', 'quoted'])[n % 4 + 1], n % 90, (n::bigint * 104729) % 9000,
       n % 20 + 1, (SELECT MIN(id) FROM users) + n % 5, NOW() - (n % 300) * INTERVAL '1 day'
FROM generate_series(1, 5 * {leads}) AS n;
INSERT INTO activities (lead_id, activity_type, description, occurred_at)
SELECT leads.id, 'call', 'What happened', NOW() - n * INTERVAL '1 day' FROM leads, generate_series(1, 3) AS n;
INSERT INTO follow_ups (lead_id, follow_up_type, scheduled_date, scheduled_time, first_scheduled_date, planned, due_at,
                        completed, completed_at, outcome, assigned_to)
SELECT leads.id, 'call', CURRENT_DATE + days,
       CASE WHEN leads.id % 2 = 0 THEN TIME '10:00' + leads.id % 16 * INTERVAL '30 minutes' END,
       CURRENT_DATE + days, jsonb_build_object('scheduled_date', (CURRENT_DATE + days)::text),
       NOW() + days * INTERVAL '1 day', days < 0, CASE WHEN days < 0 THEN NOW() END,
       CASE WHEN days < 0 THEN 'successful' END, leads.assigned_to
FROM leads, LATERAL (VALUES (-7), ((leads.id % 60 + 1)::integer)) AS day(days);
"""
BY_HAND = """
INSERT INTO transfer_batches (by_id, reason) VALUES ({by}, 'By hand');
WITH moving AS MATERIALIZED (
    SELECT id, assigned_to FROM leads
    WHERE id BETWEEN {first} AND {last} AND archived_at IS NULL AND assigned_to IS DISTINCT FROM {to}
    ORDER BY id FOR UPDATE
),
batch AS (SELECT MAX(id) AS id FROM transfer_batches),
transferred AS (
    INSERT INTO lead_transfers (lead_id, batch_id, from_user_id, to_user_id, transfer_reason, transferred_by,
                                transferred_at)
    SELECT moving.id, batch.id, assigned_to, {to}, 'By hand', {by}, NOW() FROM moving, batch
),
told AS (
    INSERT INTO activities (lead_id, activity_type, description, notes, user_id, occurred_at)
    SELECT moving.id, 'transfer',
           'Lead transferred from ' || COALESCE(old.full_name, 'nobody') || ' to ' || new.full_name,
           'By hand', {by}, NOW()
    FROM moving LEFT JOIN users AS old ON old.id = moving.assigned_to JOIN users AS new ON new.id = {to}
),
going AS MATERIALIZED (
    SELECT follow_ups.id, follow_ups.assigned_to, moving.id AS lead, follow_up_type, scheduled_date, scheduled_time,
           receiver.full_name AS to_name,
           (scheduled_date + COALESCE(scheduled_time, TIME '09:00')) AT TIME ZONE receiver.time_zone AS due,
           CASE WHEN scheduled_time IS NULL THEN (scheduled_date + TIME '08:00') AT TIME ZONE receiver.time_zone
                ELSE (scheduled_date + scheduled_time) AT TIME ZONE receiver.time_zone - INTERVAL '30 minutes'
           END AS remind
    FROM follow_ups JOIN moving ON follow_ups.lead_id = moving.id JOIN users AS receiver ON receiver.id = {to}
    WHERE NOT completed AND cancelled_at IS NULL
      AND (moving.assigned_to IS NULL OR follow_ups.assigned_to = moving.assigned_to)
),
kept AS (
    INSERT INTO moved_follow_ups (batch_id, follow_up_id, from_user_id)
    SELECT batch.id, going.id, going.assigned_to FROM going, batch
),
recorded AS (
    INSERT INTO field_changes (lead_id, field, old, new, by_id, at)
    SELECT lead, 'follow_up',
           jsonb_build_object(
               'id', going.id, 'assigned_to', going.assigned_to, 'assigned_to_name', old.full_name,
               'was', jsonb_build_object('follow_up_type', follow_up_type, 'scheduled_date', scheduled_date,
                                         'scheduled_time', scheduled_time)),
           jsonb_build_object('id', going.id, 'assigned_to', {to}, 'assigned_to_name', to_name), {by}, NOW()
    FROM going JOIN users AS old ON old.id = going.assigned_to
),
planned AS (
    UPDATE follow_ups
    SET assigned_to = {to}, due_at = going.due, remind_at = GREATEST(going.remind, NOW()), reminder_sent = FALSE,
        reminder_no = reminder_no + 1, version = version + 1, updated_at = NOW()
    FROM going WHERE follow_ups.id = going.id
)
INSERT INTO notifications (kind, recipient_id, dedupe_key, context)
SELECT 'leads_transferred', assigned_to, 'by hand:' || batch.id || ':' || assigned_to,
       jsonb_build_object('count', COUNT(*), 'reason', 'By hand', 'leads', (jsonb_agg(moving.id))->0)
FROM moving, batch WHERE assigned_to IS NOT NULL GROUP BY assigned_to, batch.id
UNION ALL SELECT 'leads_received', {to}, 'by hand received:' || batch.id, '{{"reason": "By hand"}}' FROM batch;
UPDATE leads
SET assigned_to = {to}, version = version + 1, updated_at = NOW(),
    next_follow_up_date = (SELECT MIN(due_at) FROM follow_ups
                           WHERE lead_id = leads.id AND NOT completed AND cancelled_at IS NULL)
WHERE id IN (SELECT lead_id FROM lead_transfers WHERE batch_id = (SELECT MAX(id) FROM transfer_batches));
"""
TABLES = "leads, follow_ups, activities, field_changes, lead_transfers, moved_follow_ups, notifications"


def athena(ids: list[int], to: int, by: int) -> None:
    from athena.accounts.models import User
    from sales.models import Lead
    from sales.services.ownership import transfers

    caller = User.objects.get(pk=by)
    transfers.transfer(by=caller, leads=Lead.objects.filter(pk__in=ids), to_user_id=to, reason="By Athena")


def by_hand(ids: list[int], to: int, by: int) -> None:
    from django.db import transaction

    with transaction.atomic():
        run_sql(BY_HAND.format(first=ids[0], last=ids[-1], to=to, by=by))


def loop(ids: list[int], to: int, by: int) -> None:
    """The specification's: for each lead it is read, a transfer added and the lead written; one commit."""
    from django.db import transaction

    from sales.models import Lead, LeadTransfer, TransferBatch

    with transaction.atomic():
        batch = TransferBatch.objects.create(by_id=by, reason="Loop")
        for lead_id in ids:
            lead = Lead.objects.filter(pk=lead_id).first()
            if lead:
                LeadTransfer.objects.create(
                    lead_id=lead_id, from_user_id=lead.assigned_to_id, to_user_id=to, transfer_reason="Loop",
                    transferred_by_id=by, batch=batch,
                )  # fmt: skip
                lead.assigned_to_id = to
                lead.save(update_fields=["assigned_to"])


def written() -> tuple[int, ...]:
    """The number of rows of each kind that a transfer writes."""
    from sales.models import Activity, FieldChange, LeadTransfer, MovedFollowUp

    return tuple(model.objects.count() for model in (LeadTransfer, Activity, MovedFollowUp, FieldChange))


def measure(way: Callable[..., None], ids: list[int], to: int, by: int) -> tuple[float, tuple[int, ...]]:
    """Transfer in one way. Returns the seconds and the number of rows of each kind that it wrote."""
    run_sql(f"VACUUM ANALYZE {TABLES}")
    run_sql("CHECKPOINT")
    before = written()
    start = time.perf_counter()
    way(ids, to, by)
    seconds = time.perf_counter() - start
    return seconds, tuple(now - then for now, then in zip(written(), before, strict=True))


def compare(leads: int, rounds: int) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from athena.accounts.models import User
    from sales.models import FollowUp, Lead

    run_sql(DATA.format(leads=leads))
    people = list(User.objects.order_by("pk").values_list("pk", flat=True))
    ids, by, receivers, turn = (
        list(Lead.objects.order_by("pk").values_list("pk", flat=True)[:leads]),
        people[0],
        people[5:],
        0,
    )
    times: dict[Callable[..., None], list[float]] = {loop: [], athena: [], by_hand: []}
    for _ in range(rounds):
        for way, taken in times.items():
            if way is loop and taken:  # once: it takes minutes
                continue
            turn += 1
            seconds, rows = measure(way, ids, receivers[turn % len(receivers)], by)
            taken.append(seconds)
            assert rows == ((leads, 0, 0, 0) if way is loop else (leads, leads, leads, leads)), (
                f"{way.__name__} wrote {rows}"
            )
            if way is loop:  # it leaves the follow-ups behind
                FollowUp.objects.open().filter(lead__in=ids).update(assigned_to=receivers[turn % len(receivers)])
    with CaptureQueriesContext(connection) as captured:
        athena(ids, receivers[(turn + 1) % len(receivers)], by)
    medians = {way: statistics.median(taken) for way, taken in times.items()}
    print(f"{leads:,} leads, medians of {rounds} rounds (of the loop, one):")
    for way, seconds in medians.items():
        print(f"    {way.__name__:8} {seconds:8.2f} s; {seconds / medians[by_hand]:6.2f} of the SQL by hand,"
              f" {medians[loop] / seconds:6.1f} times as quick as the loop")  # fmt: skip
    print(f"    Athena's statements: {len(captured)}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--leads", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=9)
    options = parser.parse_args()
    in_a_database(lambda: compare(options.leads, options.rounds))


if __name__ == "__main__":
    main()
