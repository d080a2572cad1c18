"""Eight threads send the same inquiry, as after a double click or a retry."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone

from athena.accounts.roles import Role
from notifications import delivery, outbox
from notifications.channels.email import EmailChannel
from notifications.models import Notification
from sales.models import Activity, Inquiry, IntakeForm, Lead
from sales.services.leads import intake, leads

pytestmark = pytest.mark.django_db(transaction=True)
THREADS, FLOOD = 8, 20
VALUES = {"contact_name": "Dana Ruiz", "email": "dana@lincoln.example", "phone": "617 555 0123"}


@pytest.fixture
def forms(transactional_db):
    return [IntakeForm.objects.create(name=name, key=name) for name in ("one", "two")]


def send_together(forms, count, **templates):
    """Send `count` inquiries at once, by the forms in turn. `{}` in `templates` stands for the inquiry's number."""
    start = threading.Barrier(count)

    def send(number):
        start.wait(10)
        try:
            values = VALUES | {name: value.format(number) for name, value in templates.items()}
            return intake.receive_inquiry(form=forms[number % len(forms)], values=values)
        finally:
            connection.close()

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(send, range(count)))


def counts():
    return Lead.objects.count(), Activity.objects.count(), Inquiry.objects.count()


def test_eight_equal_ones_are_one_lead_and_one_inquiry(forms):
    assert len(set(send_together(forms[:1], THREADS))) == 1
    assert counts() == (1, 1, 1)


def test_eight_of_one_person_by_two_forms_are_one_lead_and_none_is_lost(forms):
    assert len(set(send_together(forms, THREADS, notes="Bus {}"))) == THREADS
    assert counts() == (1, THREADS, THREADS)
    notes = Activity.objects.values_list("notes", flat=True)
    assert {text.rpartition("Notes: ")[2] for text in notes} == {f"Bus {number}" for number in range(THREADS)}


@pytest.mark.postgres  # SQLite lets one transaction write at a time, locks or none
def test_control_without_the_lock_they_are_two_leads(forms, monkeypatch):
    both_have_looked = threading.Barrier(2)
    lead_for = leads.create

    def create_later(**arguments):
        both_have_looked.wait(10)
        return lead_for(**arguments)

    monkeypatch.setattr(intake, "lock_intake_forms", lambda: None)
    monkeypatch.setattr(leads, "create", create_later)
    send_together(forms[:1], 2)
    assert counts() == (2, 2, 2)


def test_a_flood_at_once_is_few_messages_and_each_inquiry_counts(forms, make_user):
    make_user("manager", Role.MANAGER)
    send_together(forms, FLOOD, notes="Bus {}")
    assert counts() == (1, FLOOD, FLOOD)
    contexts = {row.kind: row.context for row in Notification.objects.all()}
    assert Notification.objects.count() == 2
    assert set(contexts) == {"lead_unowned", "arrivals"}
    assert contexts["arrivals"]["count"] == FLOOD - 1


def test_a_flood_of_many_people_at_once_is_few_messages(forms, make_user):
    make_user("manager", Role.MANAGER)
    send_together(forms, FLOOD, contact_name="Client {}", email="c{}@x.example", phone="")
    single = Notification.objects.filter(kind="lead_unowned")
    (gathered,) = Notification.objects.filter(kind="arrivals")
    names = {row.context["lead_name"] for row in single} | {line["lead_name"] for line in gathered.context["lines"]}
    assert single.count() == 5
    assert names == {f"Client {number}" for number in range(FLOOD)}


@pytest.mark.postgres  # SQLite lets one transaction write at a time, locks or none
@pytest.mark.parametrize("locked", [True, False])
def test_what_is_being_added_to_is_not_sent_meanwhile(transactional_db, make_user, monkeypatch, locked):
    """With the lock, the worker skips the message until it is complete; without it, it sends the old half."""
    sent = []
    monkeypatch.setattr(EmailChannel, "send", lambda self, notification: sent.append(notification.context))
    user, due = make_user("manager"), timezone.now() + timedelta(seconds=1)
    outbox.add(kind="arrivals", recipient_id=user.pk, dedupe_key="a", context={"half": 1}, not_before=due)
    if not locked:
        plain = Notification.objects.all()
        monkeypatch.setattr(outbox, "lock_unsent", lambda kind, ids: {row.recipient_id: row for row in plain})

    def work():
        try:
            return delivery.deliver()
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as worker:
        with transaction.atomic():
            message = outbox.lock_unsent("arrivals", [user.pk])[user.pk]
            time.sleep(max(0, (due - timezone.now()).total_seconds()) + 0.1)
            worker.submit(work).result(20)
            message.context = {"half": 1, "other": 2}
            message.save()
        worker.submit(work).result(20)
    assert sent == [{"half": 1, "other": 2} if locked else {"half": 1}]
