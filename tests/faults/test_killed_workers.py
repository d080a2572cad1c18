"""All reminders are due at once, two beats run, and workers are killed at random: nobody is missing, and hardly anybody
gets an email twice.

Real processes (worker, beats), a real mail server. The long round, for the night and before a release, is

    KILLS=20 KILLED_MESSAGES=1000 KILL_TICK=10 .venv/bin/python -m pytest -s -n0 tests/faults/test_killed_workers.py

It prints its results. Control: a claim that marks its rows as sent, as a queue does, loses what a kill interrupts.
"""

import json
import os
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.faults.processes import WORKER, celery, run_code, sending
from tests.live import wait_for
from tests.smtp import OK, SILENCE, Answer, Sink

pytestmark = [pytest.mark.live, pytest.mark.timeout(1800)]

KILLS = int(os.environ.get("KILLS", "2"))
MESSAGES = int(os.environ.get("KILLED_MESSAGES", "300"))
TICK_SECONDS = int(os.environ.get("KILL_TICK", "2"))
LEASE_SECONDS = round(TICK_SECONDS * 5 / 3)  # as by default
TELL = f"""
from datetime import timedelta
from django.utils import timezone
from athena.accounts.models import User
from sales.models import FollowUp, Lead
maria = User.objects.create_user("maria@example.com", time_zone="UTC")
maria.settled_zone = "UTC"
maria.save()
maria.preferences.create(kind="daily_digest", channel="email", wanted=False)  # reminders alone
lead = Lead.objects.create(company_name="Band", assigned_to=maria)
now = timezone.now()
FollowUp.objects.bulk_create(
    FollowUp(lead=lead, follow_up_type="call", scheduled_date=now.date(), assigned_to=maria, due_at=now, remind_at=now)
    for _ in range({MESSAGES})
)
"""
ENDS = """
import json
from notifications.models import Delivery
rows = Delivery.objects.filter(notification__kind="follow_up_due").values_list("state", "ended_at")
print(json.dumps([(state, ended and ended.timestamp()) for state, ended in rows]))
"""
AS_FROM_A_QUEUE = """
import django, os
os.environ["DJANGO_SETTINGS_MODULE"] = "athena.settings"
django.setup()
from django.utils import timezone
from notifications import delivery
from notifications.models import Delivery
claim = delivery._claim
def claim_for_good(channel):
    batch = claim(channel)
    Delivery.objects.filter(pk__in=[row.pk for row in batch]).update(state="sent", ended_at=timezone.now())
    return batch
delivery._claim = claim_for_good
"""


@pytest.fixture
def environment(sink: Sink, tmp_path: Path) -> Iterator[dict[str, str]]:
    """Of an Athena that sends to the sink, with its tables made, its beat ticking and follow-ups due."""
    with sending(sink, tmp_path, TELL, lease=LEASE_SECONDS, tick=TICK_SECONDS) as environment:
        yield environment


def ends(environment: dict[str, str]) -> list[tuple[str, float | None]]:
    """Of each reminder its state, and when it came to its end."""
    found: list[tuple[str, float | None]] = json.loads(run_code(environment, ENDS))
    return found


def kill_while_it_sends(sink: Sink, environment: dict[str, str], at_least: int) -> float:
    """Start a worker, let it send until so many were sent and a moment more, and kill it with all that it has started.

    Returns when.
    """
    before = len(sink.message_ids)
    with celery(environment, *WORKER):
        wait_for(lambda: len(sink.message_ids) > before, "a worker's mail")
        wait_for(lambda: len(sink.message_ids) >= at_least, "more mails")
        time.sleep(random.uniform(0, 0.2))
    return datetime.now(UTC).timestamp()


def wait_for_more(sink: Sink, than: int) -> None:
    wait_for(lambda: len(set(sink.message_ids)) > than, "another mail")


def test_nobody_is_missing_and_hardly_anybody_told_twice(sink: Sink, environment: dict[str, str]) -> None:
    with beat(environment, 1), beat(environment, 2):
        for number in range(1, KILLS + 1):
            at_least = random.randrange((number - 1) * MESSAGES // (KILLS + 1), number * MESSAGES // (KILLS + 1))
            killed = kill_while_it_sends(sink, environment, at_least)
        with celery(environment, *WORKER):
            while (sent := len(set(sink.message_ids))) < MESSAGES:
                wait_for_more(sink, sent)
            wait_for(lambda: {state for state, _ in ends(environment)} == {"sent"}, "the last mark")
    times = Counter(sink.message_ids)
    repeated = sum(times.values()) - MESSAGES
    last = max(ended for _, ended in ends(environment) if ended) - killed
    sys.stdout.write(
        f"\n{MESSAGES} due, {KILLS} kills: {MESSAGES - len(times)} missing, {repeated} told twice,"
        f" the last {last:.1f} s ({last / TICK_SECONDS:.1f} ticks) after the last kill\n"
    )
    assert len(ends(environment)) == len(times) == MESSAGES
    assert repeated <= KILLS  # a kill repeats one mail at most; chance may choose the same mail again


def test_control_a_claim_that_is_a_mark_loses_what_a_kill_interrupts(sink: Sink, environment: dict[str, str]) -> None:
    sink.answers.extend([Answer(True, OK), Answer(False, SILENCE)])
    with beat(environment, 1), celery(environment, *WORKER, altered=AS_FROM_A_QUEUE):
        wait_for(sink.is_silent.is_set, "the mail during which the worker is killed")
    assert (len(sink.mails), [state for state, _ in ends(environment)].count("sent")) == (1, 20)


def beat(environment: dict[str, str], number: int) -> AbstractContextManager[subprocess.Popen[bytes]]:
    return celery(environment, "beat", "--pidfile", f"{environment['VAR_DIR']}/beat{number}.pid")
