"""Two managers who move overlapping leads to different people, round after round."""

import itertools
import random
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection
from django.db.models import F, QuerySet

from athena.accounts.roles import Role
from sales.models import Activity, FollowUp, Lead, LeadTransfer
from sales.services import transfers

pytestmark = [
    pytest.mark.postgres,  # SQLite lets one transaction write at a time, locks or none
    pytest.mark.django_db(transaction=True),
]
ROUNDS, LEADS = 30, 12


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
    """What the managers' transfers raised."""
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


def broken():
    """Leads whose chain of owners does not hold, and open follow-ups left with somebody who is not the owner."""
    chains: dict[int, list[tuple[int, int]]] = {}
    for lead, start, end in LeadTransfer.objects.order_by("pk").values_list("lead", "from_user", "to_user"):
        chains.setdefault(lead, []).append((start, end))
    owners = dict(Lead.objects.values_list("pk", "assigned_to"))
    torn = [
        lead
        for lead, chain in chains.items()
        if chain[-1][1] != owners[lead] or any(a[1] != b[0] for a, b in itertools.pairwise(chain))
    ]
    return torn, FollowUp.objects.open().exclude(assigned_to=F("lead__assigned_to")).count()


def test_every_chain_holds(people, leads):
    failures = race(people, leads, ROUNDS)
    assert (failures, broken()) == ([], ([], 0))
    assert LeadTransfer.objects.count() == Activity.objects.count() > ROUNDS


def test_control_without_the_locks_chains_tear(people, leads, monkeypatch):
    monkeypatch.setattr(QuerySet, "select_for_update", lambda self, **_: self)
    failures = race(people, leads, ROUNDS)
    assert failures or broken() != ([], 0)
