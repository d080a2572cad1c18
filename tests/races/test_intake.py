"""The same inquiry, sent by eight at once (a double click, a retry, a form that was sent to two addresses)."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from sales.models import Activity, Inquiry, IntakeForm, Lead
from sales.services import intake

pytestmark = pytest.mark.django_db(transaction=True)
TOGETHER = 8
VALUES = {"contact_name": "Dana Ruiz", "email": "dana@lincoln.example", "phone": "617 555 0123"}


@pytest.fixture
def forms(transactional_db):
    return [IntakeForm.objects.create(name=name, key=name) for name in ("one", "two")]


def send_together(forms, many, **own):
    """`many` at once, by the forms in turn; `own` says what differs between them, by number."""
    start = threading.Barrier(many)

    def send(number):
        start.wait(10)
        try:
            values = VALUES | {name: value.format(number) for name, value in own.items()}
            return intake.receive(form=forms[number % len(forms)], values=values)
        finally:
            connection.close()

    with ThreadPoolExecutor(many) as pool:
        return list(pool.map(send, range(many)))


def counts():
    return Lead.objects.count(), Activity.objects.count(), Inquiry.objects.count()


def test_eight_equal_ones_are_one_lead_and_one_inquiry(forms):
    assert len(set(send_together(forms[:1], TOGETHER))) == 1
    assert counts() == (1, 1, 1)


def test_eight_of_one_person_by_two_forms_are_one_lead_and_none_is_lost(forms):
    assert len(set(send_together(forms, TOGETHER, notes="Bus {}"))) == TOGETHER
    assert counts() == (1, TOGETHER, TOGETHER)
    notes = Activity.objects.values_list("notes", flat=True)
    assert {each.rpartition("Notes: ")[2] for each in notes} == {f"Bus {number}" for number in range(TOGETHER)}


@pytest.mark.postgres  # SQLite lets one transaction write at a time, locks or none
def test_control_without_the_lock_they_are_two_leads(forms, monkeypatch):
    both_have_looked = threading.Barrier(2)
    lead_for = intake.leads.create

    def create_later(**arguments):
        both_have_looked.wait(10)
        return lead_for(**arguments)

    monkeypatch.setattr(intake, "one_at_a_time", lambda: None)
    monkeypatch.setattr(intake.leads, "create", create_later)
    send_together(forms[:1], 2)
    assert counts() == (2, 2, 2)
