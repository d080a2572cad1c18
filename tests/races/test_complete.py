"""Eight threads complete the same follow-up at the same time."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection
from django.db.models import QuerySet

from athena.accounts.models import local_today
from sales import errors
from sales.models import Activity, FollowUp, Lead
from sales.services.follow_ups import completion, follow_ups
from sales.services.follow_ups.completion import CompletionInput

pytestmark = pytest.mark.django_db(transaction=True)
THREADS = 8


@pytest.fixture
def plan(transactional_db, rep, make_lead):
    lead = make_lead(assigned_to=rep)
    return follow_ups.create(by=rep, lead_id=lead.pk, follow_up_type="call", scheduled_date=local_today(rep))


def complete_together(plan, rep, threads):
    start = threading.Barrier(threads)

    def complete(_):
        start.wait(10)
        try:
            return follow_ups.complete(
                by=rep, follow_up_id=plan.pk, completion_input=CompletionInput(outcome="successful", schedule_next=True)
            )
        except errors.FollowUpClosed as error:
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(complete, range(threads)))


def test_one_of_eight_wins_and_everything_happens_once(plan, rep):
    answers = complete_together(plan, rep, THREADS)
    lead = Lead.objects.get()
    assert sum(isinstance(answer, errors.FollowUpClosed) for answer in answers) == THREADS - 1
    assert lead.follow_up_count == 1
    # The call, and the status "contacted" that it gave the lead.
    assert sorted(Activity.objects.values_list("activity_type", flat=True)) == ["call", "status_change"]
    assert FollowUp.objects.count() == 2


@pytest.mark.postgres  # SQLite lets one transaction write at a time, locks or none
def test_control_without_the_locks_it_happens_twice(plan, rep, monkeypatch):
    both_have_read = threading.Barrier(2)
    record = completion.record_outcome

    def record_later(*arguments):
        both_have_read.wait(10)
        return record(*arguments)

    monkeypatch.setattr(QuerySet, "select_for_update", lambda self, **_: self)
    monkeypatch.setattr(completion, "record_outcome", record_later)
    complete_together(plan, rep, 2)
    assert Activity.objects.filter(activity_type="call").count() == 2
    assert FollowUp.objects.count() == 3
