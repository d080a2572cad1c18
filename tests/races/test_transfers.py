"""Two managers transfer overlapping leads to different users, round after round.

The long form:

    RACE_ROUNDS=1000 .venv/bin/python -m tests.servers -- .venv/bin/python -m pytest --timeout=0 tests/races
"""

import itertools
import os
import random
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest
from django.db import connection
from django.db.models import F, QuerySet

from athena.accounts.models import User
from athena.accounts.roles import Role
from sales import errors
from sales.models import Activity, FollowUp, Lead, LeadTransfer, Turn
from sales.services.ownership import distribution, handovers, transfer_undo, transfers

pytestmark = [
    pytest.mark.postgres,  # SQLite lets one transaction write at a time, locks or none
    pytest.mark.django_db(transaction=True),
]
ROUNDS, LEADS = int(os.environ.get("RACE_ROUNDS", "30")), 12


@pytest.fixture
def people(transactional_db, make_user):
    return [make_user(name) for name in ("maria", "tom", "wei")], [make_user(name, Role.ADMIN) for name in ("a", "b")]


@pytest.fixture
def leads(people, make_lead):
    made = [make_lead(assigned_to=people[0][0]) for _ in range(LEADS)]
    for lead in made:
        FollowUp.objects.create(
            lead=lead, follow_up_type="call", scheduled_date="2027-01-05", assigned_to=lead.assigned_to
        )
    return made


def race(people, leads, rounds):
    """Let two managers transfer overlapping leads at once, `rounds` times; return the errors."""
    reps, managers = people
    ids, start, failures = [lead.pk for lead in leads], threading.Barrier(2), []

    def move(manager, seed):
        dice = random.Random(seed)
        try:
            for _ in range(rounds):
                start.wait(30)
                some = Lead.objects.filter(pk__in=dice.sample(ids, LEADS * 2 // 3))
                try:
                    transfers.transfer(by=manager, leads=some, to_user_id=dice.choice(reps).pk)
                except Exception as error:
                    failures.append(error)
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        for future in [pool.submit(move, manager, seed) for seed, manager in enumerate(managers)]:
            future.result()
    return failures


def find_broken_chains():
    """The leads whose transfers don't lead from one owner to the next, and in the end to the owner of today."""
    chains: dict[int, list[tuple[int, int]]] = {}
    for lead_id, from_id, to_id in LeadTransfer.objects.order_by("pk").values_list("lead", "from_user", "to_user"):
        chains.setdefault(lead_id, []).append((from_id, to_id))
    owners = dict(Lead.objects.values_list("pk", "assigned_to"))
    return [
        lead_id
        for lead_id, chain in chains.items()
        if chain[-1][1] != owners[lead_id] or any(a[1] != b[0] for a, b in itertools.pairwise(chain))
    ]


def count_stray_follow_ups():
    """How many open follow-ups did not move with their lead."""
    return FollowUp.objects.open().exclude(assigned_to=F("lead__assigned_to")).count()


def test_every_chain_holds(people, leads):
    failures = race(people, leads, ROUNDS)

    assert failures == []
    assert find_broken_chains() == []
    assert count_stray_follow_ups() == 0
    assert LeadTransfer.objects.count() == Activity.objects.count() > ROUNDS


def test_control_without_the_locks_chains_tear(people, leads, monkeypatch):
    """Nothing else keeps two transfers apart: without a row lock both find the owner that the first has replaced."""
    monkeypatch.setattr(QuerySet, "select_for_update", lambda self, **_: self)
    failures = race(people, leads, 30)
    assert failures or find_broken_chains() or count_stray_follow_ups()


def run_at_once(*calls):
    """Make all calls at once; return what each returned or raised."""
    start = threading.Barrier(len(calls))

    def run(call):
        try:
            start.wait(30)
            return call()
        except Exception as error:
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


def halves(leads):
    return [Lead.objects.filter(pk__in=[lead.pk for lead in part]) for part in (leads[::2], leads[1::2])]


def distribute_at_once(people, leads, *, to, method="in_turn"):
    _, managers = people
    calls = [
        partial(transfers.transfer, by=manager, leads=half, receivers=to, method=method)
        for manager, half in zip(managers, halves(leads), strict=True)
    ]
    return run_at_once(*calls)


def test_nobody_gets_more_than_they_may_have_at_once(people, leads):
    _, tom, wei = people[0]
    User.objects.filter(pk__in=[tom.pk, wei.pk]).update(max_open_leads=4)
    distribute_at_once(people, leads, to=[tom.pk, wei.pk], method="fewest_open")
    assert [Lead.objects.filter(assigned_to=user).count() for user in (tom, wei)] == [4, 4]


def test_each_turn_is_taken_once(people, leads):
    _, tom, wei = people[0]
    for _ in range(5):
        Lead.objects.update(assigned_to=people[0][0])
        distribute_at_once(people, leads[:10], to=[tom.pk, wei.pk])
        assert [Lead.objects.filter(assigned_to=user).count() for user in (tom, wei)] == [5, 5]


def test_control_without_the_locks_turns_are_taken_twice_or_limits_broken(people, leads, monkeypatch):
    monkeypatch.setattr(QuerySet, "select_for_update", lambda self, **_: self)
    distribute = distribution.distribute
    barrier = threading.Barrier(2)
    monkeypatch.setattr(distribution, "distribute", lambda *arguments: (distribute(*arguments), barrier.wait(30))[0])
    _, tom, wei = people[0]
    # Without this row, both would create it, and one would wait for the other.
    Turn.objects.create(group=distribution.get_group_name([tom, wei]))
    distribute_at_once(people, leads[:10], to=[tom.pk, wei.pk])
    assert not barrier.broken
    assert [Lead.objects.filter(assigned_to=user).count() for user in (tom, wei)] != [5, 5]


def test_of_two_who_undo_one_does(people, leads):
    reps, (one, other) = people
    User.objects.update(role=Role.ADMIN)
    every = Lead.objects.all()
    for _ in range(5):
        batch = transfers.transfer(by=one, leads=every, to_user_id=reps[1].pk).batch
        undo = partial(transfer_undo.undo, by=other, batch_id=batch.pk)
        answers = run_at_once(undo, undo)
        assert sorted(type(answer).__name__ for answer in answers) == ["AlreadyUndone", "TransferResult"]
    assert find_broken_chains() == []
    assert count_stray_follow_ups() == 0


def test_nobody_is_given_a_lead_while_they_leave(people, leads):
    """Whichever comes first: the lead is handed over too, or the transfer is refused because the user is inactive."""
    (maria, tom, wei), (one, other) = people
    for _ in range(5):
        User.objects.filter(pk=tom.pk).update(is_active=True)
        Lead.objects.update(assigned_to=maria)
        FollowUp.objects.update(assigned_to=maria)
        gone, given = run_at_once(
            partial(handovers.hand_over, by=one, user_id=tom.pk, receivers=[wei.pk]),
            partial(transfers.transfer, by=other, leads=Lead.objects.all(), to_user_id=tom.pk),
        )
        assert isinstance(gone, handovers.Handover)
        assert isinstance(given, errors.Invalid | transfers.TransferResult)
        assert not Lead.objects.filter(assigned_to=tom).exists()
