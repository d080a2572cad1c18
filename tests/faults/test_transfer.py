"""A process is killed in the middle of a transfer: all of the transfer has happened, or nothing.

A short round stops in each place where something has been written, and is killed there. The long form moves ten
thousand leads without stopping and is killed at random:

    FAULT_LEADS=10000 .venv/bin/python -m pytest -n0 tests/faults/test_transfer.py
"""

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping

import pytest

from tests.faults.processes import run_code
from tests.live import ROOT, prepared_engine

pytestmark = pytest.mark.live

LEADS = int(os.environ.get("FAULT_LEADS", "0"))
KILLS = 20 if LEADS else 1
SETUP = 'import os, time, django\nos.environ["DJANGO_SETTINGS_MODULE"] = "athena.settings"\ndjango.setup()\n'
FILL = """
from athena.accounts.models import User
from sales.models import FollowUp, Lead
maria, tom = (User.objects.create_user(f"{{name}}@example.com", full_name=name) for name in ("maria", "tom"))
leads = Lead.objects.bulk_create(Lead(company_name=f"Band {{n}}", assigned_to=maria) for n in range({leads}))
FollowUp.objects.bulk_create(
    FollowUp(lead=lead, follow_up_type="call", scheduled_date="2099-01-05", assigned_to=maria) for lead in leads
)
"""
MOVE = """
from athena.accounts.models import User
from sales.models import Lead
from sales.services.ownership import transfer_writes, transfers
def stop(name):
    act = getattr(transfer_writes, name)
    def stopped(*arguments, **options):
        print("there", flush=True)
        time.sleep(600)
        return act(*arguments, **options)
    setattr(transfer_writes, name, stopped)
"""
GO = """
to = User.objects.get(full_name="tom")
print("started", flush=True)
transfers.transfer(by=None, leads=Lead.objects.all(), to_user_id=to.pk)
print("done", flush=True)
"""
# The control: each statement is a transaction of its own.
WITHOUT_TRANSACTION = """
from django.db.models import QuerySet
QuerySet.select_for_update = lambda self, **_: self
transfers.transfer = transfers.transfer.__wrapped__
"""
FOUND = """
import json
from notifications.models import Notification
from sales.models import *
print(json.dumps([
    TransferBatch.objects.count(), Notification.objects.count(), LeadTransfer.objects.count(),
    Activity.objects.count(), MovedFollowUp.objects.count(),
    Lead.objects.filter(assigned_to__full_name="tom").count(),
    FollowUp.objects.filter(assigned_to__full_name="tom", due_at__isnull=False).count(),
]))
"""
BACK = """
from athena.accounts.models import User
from notifications.models import Notification
from sales.models import *
maria = User.objects.get(full_name="maria")
for model in (MovedFollowUp, LeadTransfer, TransferBatch, Activity, Notification):
    model.objects.all().delete()
Lead.objects.update(assigned_to=maria)
FollowUp.objects.update(assigned_to=maria, due_at=None)
"""
NOTHING = [0] * 7


@pytest.fixture
def environment(tmp_path) -> Iterator[dict[str, str]]:
    with prepared_engine(tmp_path) as engine:
        env = os.environ | {"VAR_DIR": str(tmp_path), "LOG_LEVEL": "WARNING"} | engine
        run_code(env, FILL.format(leads=LEADS or 60))
        yield env


def count_rows(environment: Mapping[str, str]) -> list[int]:
    values: list[int] = json.loads(run_code(environment, FOUND))
    return values


def run_and_kill(environment: Mapping[str, str], code: str, *, at: str, after: float = 0) -> None:
    """Run the code until it prints `at`, wait `after` seconds, then kill it with SIGKILL."""
    command = [sys.executable, "-c", SETUP + MOVE + code + GO]
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            reached = any(line.strip() == at for line in process.stdout)
            assert reached, f"it ended before it printed {at!r}"
            time.sleep(after)
        finally:
            process.send_signal(signal.SIGKILL)


def test_nothing_has_happened_wherever_it_is_killed(environment: dict[str, str]) -> None:
    for place in ("move_follow_ups", "_notify"):  # transfers are written; all but the notifications is
        run_and_kill(environment, f"stop({place!r})", at="there")
        assert count_rows(environment) == NOTHING
    done = subprocess.run([sys.executable, "-c", SETUP + MOVE + GO], cwd=ROOT, env=environment, capture_output=True)
    assert done.returncode == 0, done.stderr
    assert count_rows(environment) == [1, 2, *[LEADS or 60] * 5]


def test_control_without_a_transaction_half_of_it_stays(environment: dict[str, str]) -> None:
    run_and_kill(environment, WITHOUT_TRANSACTION + "stop('move_follow_ups')", at="there")
    batches, _, transferred, _, moved, owned, _ = count_rows(environment)
    assert (batches, transferred, moved, owned) == (1, LEADS or 60, 0, 0)


def test_all_or_nothing_at_random(environment: dict[str, str]) -> None:
    start, whole = time.monotonic(), [1, 2, *[LEADS or 60] * 5]
    run_and_kill(environment, "", at="done")
    duration, results = time.monotonic() - start, []  # from before the process was there: some kills come too late
    assert count_rows(environment) == whole
    chance = random.Random(5)
    for _ in range(KILLS):
        run_code(environment, BACK)
        assert count_rows(environment) == NOTHING
        run_and_kill(environment, "", at="started", after=chance.random() * duration)
        results.append(count_rows(environment))
        assert results[-1] in (NOTHING, whole)
    if LEADS:
        sys.stdout.write(f"nothing {results.count(NOTHING)} times, all of it {results.count(whole)} times\n")
