"""A lead is created for a user who is handed over and deactivated at the same time: it does not stay with them."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection
from django.db.models import QuerySet

from athena.accounts.models import User
from athena.accounts.roles import Role
from sales.models import Lead
from sales.services.leads import leads, search_index
from sales.services.ownership import handovers

pytestmark = [
    pytest.mark.postgres,  # SQLite lets one transaction write at a time, locks or none
    pytest.mark.django_db(transaction=True),
]


@pytest.fixture
def leaver(transactional_db, make_user):
    return make_user("tom")


@pytest.fixture
def receiver(transactional_db, make_user):
    return make_user("wei")


def create_during_handover(by, leaver, receiver, monkeypatch):
    """Hand the leaver over while the creation of their new lead is between its first row and its commit."""
    lead_is_saved, handover_is_over = threading.Event(), threading.Event()
    index_leads = search_index.index_leads

    def index_slowly(rows):
        lead_is_saved.set()
        handover_is_over.wait(1)  # with the lock it waits for this transaction: then nobody sets the event
        index_leads(rows)

    monkeypatch.setattr(search_index, "index_leads", index_slowly)

    def create():
        try:
            return leads.create(by=by, values={"contact_name": "Ann", "assigned_to": leaver.pk})
        finally:
            connection.close()

    def hand_over():
        try:
            lead_is_saved.wait(10)
            handovers.hand_over(by=by, user_id=leaver.pk, receivers=[receiver.pk])
        finally:
            handover_is_over.set()
            connection.close()

    with ThreadPoolExecutor(2) as threads:
        created, handed_over = threads.submit(create), threads.submit(hand_over)
        created.result(30)
        handed_over.result(30)
    leaver.refresh_from_db()
    assert not leaver.is_active


def test_the_new_lead_is_handed_over_too(make_user, leaver, receiver, monkeypatch):
    create_during_handover(make_user("admin", Role.ADMIN), leaver, receiver, monkeypatch)
    assert Lead.objects.get().assigned_to == receiver


def test_control_without_the_lock_it_stays_with_the_leaver(make_user, leaver, receiver, monkeypatch):
    select_for_update = QuerySet.select_for_update

    def lock_all_but_the_new_owner(rows, **options):
        is_creating = rows.model is User and threading.current_thread().name.endswith("_0")
        return rows.all() if is_creating else select_for_update(rows, **options)

    monkeypatch.setattr(QuerySet, "select_for_update", lock_all_but_the_new_owner)
    create_during_handover(make_user("admin", Role.ADMIN), leaver, receiver, monkeypatch)
    assert Lead.objects.get().assigned_to == leaver
