"""A worker is killed with SIGKILL while it delivers: no email is lost, and each kill repeats at most one.

These are real processes (worker, beat) and a real mail server, which stops answering so that the kill comes at a known
point. Control: if `_claim` marks its rows as sent, as a queue does, every kill loses the emails of its batch.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.faults.processes import WORKER, celery, run_code, sending
from tests.live import wait_for
from tests.smtp import OK, SILENCE, Answer, Sink

pytestmark = pytest.mark.live

MESSAGES = 20
LEASE_SECONDS = TICK_SECONDS = 2
TELL = f"""
from athena.accounts.models import User
from notifications import outbox
maria = User.objects.create_user("maria@example.com")
outbox.add_many(
    outbox.NewNotification(
        "lead_assigned", maria.pk, str(n), {{"lead_id": n, "lead_name": f"Lead {{n}}", "by_name": "Grace"}}
    )
    for n in range({MESSAGES})
)
"""
STATES = """
import json
from notifications.models import Delivery
print(json.dumps(list(Delivery.objects.values_list("state", flat=True))))
"""


@pytest.fixture
def environment(sink: Sink, tmp_path: Path) -> Iterator[dict[str, str]]:
    """The environment of an Athena that sends to `sink`, whose beat runs and which has emails to send."""
    with (
        sending(sink, tmp_path, TELL, lease=LEASE_SECONDS, tick=TICK_SECONDS) as environment,
        celery(environment, "beat"),
    ):
        yield environment


def test_a_killed_worker_loses_no_mail(sink: Sink, environment: dict[str, str]) -> None:
    for taken_before, taken in [(0, False), (5, False), (4, True), (3, True)]:
        sink.answers.extend([*[Answer(True, OK)] * taken_before, Answer(taken, SILENCE)])
        with celery(environment, *WORKER):
            wait_for(sink.is_silent.is_set, "the mail during which the worker is killed")
        sink.is_silent.clear()

    with celery(environment, *WORKER):
        wait_for(lambda: len(set(sink.message_ids)) == MESSAGES, "the last mail")
        wait_for(lambda: set(states(environment)) == {"sent"}, "the last mark")

    times = Counter(sink.message_ids)
    assert len(states(environment)) == len(times) == MESSAGES
    # Repeated is what the server had taken when a worker died (twice; it may be the same mail both times), and no more.
    assert sum(times.values()) == MESSAGES + 2
    assert {mail["Subject"] for mail in sink.mails} == {f"New lead for you: Lead {n}" for n in range(MESSAGES)}


def states(environment: Mapping[str, str]) -> list[str]:
    """Of all rows of the outbox."""
    found: list[str] = json.loads(run_code(environment, STATES))
    return found
