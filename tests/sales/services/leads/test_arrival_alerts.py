"""Whoever is concerned hears of each lead and inquiry by name, soon, and never of more messages than they can read."""

import re
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from athena.accounts.models import User
from athena.accounts.roles import Role
from notifications import delivery
from notifications.channels import email
from notifications.models import Notification
from sales.models import IntakeForm, Lead
from sales.services.leads import arrival_alerts, intake, leads

PER_MINUTE = 7
START = datetime(2026, 11, 30, 15, tzinfo=UTC)


@pytest.fixture
def form(db):
    return IntakeForm.objects.create(name="Web site", key="k")


@pytest.fixture
def mails(monkeypatch):
    """Every mail that has left, with its time."""
    sent = []

    def send(self, notification):
        sent.append((timezone.now(), notification.recipient, email.compose(notification)))

    monkeypatch.setattr(email.EmailChannel, "send", send)
    return sent


def inquire(form, number=0, **values):
    intake.receive_inquiry(
        form=form, values={"contact_name": f"Client {number}", "email": f"c{number}@x.example", **values}
    )


def play(minutes, act, begin=START):
    """Let `act(minute)` happen, and the worker tick, each minute."""
    for minute in range(minutes):
        with time_machine.travel(begin + timedelta(minutes=minute), tick=False):
            act(minute)
            delivery.deliver()


def test_few_are_told_one_by_one_at_the_next_tick(form, manager, mails):
    play(3, lambda minute: inquire(form, minute))
    assert [(at, mail.subject) for at, _, mail in mails] == [
        (START + timedelta(minutes=minute), f"Unassigned lead: Client {minute}") for minute in range(3)
    ]


@pytest.mark.parametrize("at_once", [8, 60])
def test_many_at_once_are_each_named_within_a_minute_in_few_mails(form, manager, mails, at_once):
    play(3, lambda minute: [inquire(form, number) for number in range(at_once)] if minute == 0 else None)
    assert len(mails) == arrival_alerts.MAX_SINGLE_ALERTS + 1
    assert mails[-1][0] == START + timedelta(minutes=1)
    named = set(re.findall(r"Client \d+", " ".join(mail.body for *_, mail in mails)))
    listed = min(at_once, arrival_alerts.MAX_SINGLE_ALERTS + arrival_alerts.MAX_LISTED_LINES)
    assert named == {f"Client {number}" for number in range(listed)}
    assert (f"and {at_once - listed} more" in mails[-1][2].body) == (at_once > listed)


def flood_one_lead(form, minute):
    for number in range(PER_MINUTE):
        inquire(form, 1, notes=f"{minute}.{number} see https://evil.example/a")


def flood_by_many(form, minute):
    for number in range(PER_MINUTE):
        inquire(form, 100 * minute + number)


def flood_many_leads(form, minute):
    for number in range(PER_MINUTE):
        inquire(form, number, notes=f"again {minute}")


@pytest.mark.parametrize(("flood", "owned"), [(flood_one_lead, True), (flood_by_many, False), (flood_many_leads, True)])
def test_a_flood_is_few_mails_and_loses_nothing(form, manager, rep, make_lead, mails, flood, owned):
    if owned:
        for number in range(PER_MINUTE):
            make_lead(
                company_name="", contact_name=f"Client {number}", email_normalised=f"c{number}@x.example",
                phone_normalised="", assigned_to=rep,
            )  # fmt: skip
    play(22, lambda minute: flood(form, minute))
    assert sum(lead.activities.filter(direction="inbound").count() for lead in Lead.objects.all()) == 22 * PER_MINUTE
    by_person = Counter((who, at) for at, who, _ in mails)
    for who in {who for who, _ in by_person}:
        times = sorted(at for at, each, _ in mails if each == who)
        for begin in times:
            in_window = [at for at in times if begin <= at < begin + arrival_alerts.WINDOW]
            assert len(in_window) <= arrival_alerts.MAX_SINGLE_ALERTS + 1
    if flood is flood_one_lead:
        assert len(mails) == 3  # at once, and after ten and twenty minutes


def test_a_second_inquiry_on_a_lead_waits_and_others_do_not(form, manager, mails):
    def act(minute):
        if minute in (0, 2):
            inquire(form, 1, notes=str(minute))
        if minute == 3:
            inquire(form, 2)

    play(13, act)
    assert [((at - START).seconds // 60, mail.subject) for at, _, mail in mails] == [
        (0, "Unassigned lead: Client 1"),
        (3, "Unassigned lead: Client 2"),
        (10, "1 more lead or inquiry – Client 1"),
    ]
    assert "Client 1: another inquiry\n" in mails[-1][2].body


def test_a_message_that_has_gone_is_not_added_to(form, manager, mails):
    def act(minute):
        if minute in (0, 1, 10, 15):
            inquire(form, 1, notes=str(minute))

    play(31, act)
    assert [((at - START).seconds // 60, mail.subject) for at, _, mail in mails] == [
        (0, "Unassigned lead: Client 1"),
        (10, "1 more lead or inquiry – Client 1"),
        (20, "2 more leads and inquiries – Client 1"),
    ]


class TestWho:
    def test_the_owner_hears_of_theirs_and_managers_of_what_nobody_looks_after(self, form, manager, rep, make_lead):
        lead = make_lead(email_normalised="c1@x.example", phone_normalised="", assigned_to=rep)
        for owner, is_active, hears in ((rep, True, rep), (None, True, manager), (rep, False, manager)):
            Notification.objects.all().delete()
            Lead.objects.filter(pk=lead.pk).update(assigned_to=owner)
            User.objects.filter(pk=rep.pk).update(is_active=is_active)
            inquire(form, 1, notes=f"{owner} {is_active}")
            told = Notification.objects.get()
            assert (told.kind, told.recipient) == ("inquiry_received", hears)
            assert told.context["is_unowned"] == (hears == manager)

    def test_nobody_hears_of_their_own_lead(self, manager, rep, make_user):
        other = make_user("other", Role.MANAGER)
        leads.create(by=manager, values={"company_name": "Band"})
        leads.create(by=manager, values={"company_name": "Band", "assigned_to": manager.pk})
        leads.create(by=rep, values={"company_name": "Band"})
        leads.create(by=manager, values={"company_name": "Band", "assigned_to": rep.pk})
        assert list(Notification.objects.order_by("pk").values_list("kind", "recipient")) == [
            ("lead_unowned", other.pk), ("lead_assigned", rep.pk)
        ]  # fmt: skip

    def test_as_many_statements_for_one_as_for_many(self, form, make_user, make_lead):
        managers = [make_user(f"boss{number}", Role.MANAGER) for number in range(3)]
        made = [make_lead(company_name=f"Band {number}") for number in range(20)]
        counts = []
        for part in (made[:1], made[1:20]):
            with CaptureQueriesContext(connection) as captured:
                arrivals = [arrival_alerts.build_new_lead_arrival(lead, None) for lead in part]
                arrival_alerts.notify_arrivals(arrivals, by=None)
            counts.append(len(captured))
        assert Notification.objects.count() == 2 * len(managers)
        assert counts[1] <= counts[0] + 4 * len(managers)


@pytest.mark.parametrize(
    ("zone", "shown"),
    [
        ("America/New_York", "Fri 7 May 2027, 08:30 EDT"),
        ("Europe/Berlin", "Fri 7 May 2027, 14:30 CEST"),
        ("UTC", "12:30 UTC"),
    ],
)
def test_times_are_the_readers(form, make_user, mails, zone, shown):
    make_user("boss", Role.MANAGER, time_zone=zone)
    inquire(form, 1)
    values = {"email": "c1@x.example", "contact_name": "D", "pickup_at": datetime(2027, 5, 7, 12, 30, tzinfo=UTC)}
    intake.receive_inquiry(form=form, values=values)
    Notification.objects.filter(kind="arrivals").delete()
    Notification.objects.all().delete()
    intake.receive_inquiry(form=form, values={**values, "notes": "again"})
    delivery.deliver()
    assert f"Pickup at: {shown}" in mails[-1][2].body or shown in mails[-1][2].body


LIVE = [
    "https://evil.example/a?b=c", "HTTP://EVIL.EXAMPLE", "www.evil.example", "evil.example", "evil.example/x",
    "ftp://evil.example", "mailto:a@evil.example", "a@evil.example", "javascript:alert(1)", "tel:+15551234",
    "evil\u3002example", "evil.рф", "http://1.2.3.4/x", "1.2.3.4/x", "evil\u200b.example", "//evil.example",
    "https:\u200b//evil.example", "file:///etc/passwd", "(evil.example)", "see:evil.example.",
    "evil\u2024example", "evil\ufe52example", "evil.\ufe0fexample", "evil.\u034fexample", "evil.\u206aexample",
    "evil.\U000e0065example", "http\ufe0f://evil.example",
]  # fmt: skip
LINKED = re.compile(
    r"(?i)[a-z][a-z0-9+.-]*:(?=\S)|www\.|[^\s.\[\]][.\u2024\u3002\ufe52](?=[^\W\d_])|\d+\.\d+\.\d+\.\d+"
    r"|[\u034f\u200b\u206a\ufe0f\U000e0065]"
)


@pytest.mark.parametrize("evil", LIVE)
def test_no_mail_has_a_live_link_of_an_outsider(form, rep, make_lead, mails, evil):
    lead = make_lead(company_name=f"Band {evil}", email_normalised="c1@x.example", phone_normalised="", assigned_to=rep)
    inquire(form, 1, company_name=evil[:100], notes=f"Look: {evil} now", pickup_location=evil)
    delivery.deliver()
    (_, _, mail), own = mails[0], "http://localhost:8080/"
    html = mail.alternatives[0].content
    assert "Look" in mail.body
    hrefs = re.findall(r'href="([^"]*)"', html)
    assert all(link.startswith(own) for link in hrefs)
    assert f"/admin/sales/lead/{lead.pk}/change/" in mail.body
    visible = re.sub(r"<[^>]+>", "\n", html)
    for text in (mail.subject, mail.body, visible):
        rest = re.sub(rf"{own}\S*", "", text)
        assert not [found for line in rest.splitlines() for found in LINKED.findall(line)], rest
    assert evil in lead.activities.get().notes


def test_a_long_inquiry_is_cut_in_the_mail_and_whole_in_the_story(form, rep, make_lead, mails):
    lead = make_lead(email_normalised="c1@x.example", phone_normalised="", assigned_to=rep)
    inquire(form, 1, notes="x" * 9_000 + "END")
    delivery.deliver()
    body = mails[0][2].body
    assert ("END" in body, "The full text is on the lead's page" in body, len(body) < 2_000) == (False, True, True)
    assert lead.activities.get().notes.endswith("END")
