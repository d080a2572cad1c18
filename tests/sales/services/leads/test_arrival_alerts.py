"""Owners and managers learn of new leads and inquiries within minutes, in a limited number of emails."""

import re
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

INQUIRIES_PER_MINUTE = 7
START = datetime(2026, 11, 30, 15, tzinfo=UTC)


@pytest.fixture
def form(db):
    return IntakeForm.objects.create(name="Web site", key="k")


@pytest.fixture
def emails(monkeypatch):
    """The emails that were sent, as tuples of time, recipient and message."""
    sent = []

    def send(self, notification):
        sent.append((timezone.now(), notification.recipient, email.compose(notification)))

    monkeypatch.setattr(email.EmailChannel, "send", send)
    return sent


def send_inquiry(form, number=0, **values):
    intake.receive_inquiry(
        form=form, values={"contact_name": f"Client {number}", "email": f"c{number}@x.example", **values}
    )


def run_minutes(minutes, act, begin=START):
    """Once a minute, call `act(minute)` and then deliver what waits."""
    for minute in range(minutes):
        with time_machine.travel(begin + timedelta(minutes=minute), tick=False):
            act(minute)
            delivery.deliver()


def test_each_of_a_few_leads_gets_its_own_email_at_the_next_tick(form, manager, emails):
    run_minutes(3, lambda minute: send_inquiry(form, minute))
    assert [(at, message.subject) for at, _, message in emails] == [
        (START + timedelta(minutes=minute), f"Unassigned lead: Client {minute}") for minute in range(3)
    ]


@pytest.mark.parametrize("lead_count", [8, 60])
def test_many_leads_at_once_are_listed_within_a_minute_in_few_emails(form, manager, emails, lead_count):
    run_minutes(3, lambda minute: [send_inquiry(form, number) for number in range(lead_count)] if minute == 0 else None)
    assert len(emails) == arrival_alerts.MAX_SINGLE_ALERTS + 1
    assert emails[-1][0] == START + timedelta(minutes=1)
    names = set(re.findall(r"Client \d+", " ".join(message.body for *_, message in emails)))
    listed_count = min(lead_count, arrival_alerts.MAX_SINGLE_ALERTS + arrival_alerts.MAX_LISTED_LINES)
    assert names == {f"Client {number}" for number in range(listed_count)}
    assert (f"and {lead_count - listed_count} more" in emails[-1][2].body) == (lead_count > listed_count)


def flood_one_lead(form, minute):
    for number in range(INQUIRIES_PER_MINUTE):
        send_inquiry(form, 1, notes=f"{minute}.{number} see https://evil.example/a")


def flood_by_many_clients(form, minute):
    for number in range(INQUIRIES_PER_MINUTE):
        send_inquiry(form, 100 * minute + number)


def flood_many_leads(form, minute):
    for number in range(INQUIRIES_PER_MINUTE):
        send_inquiry(form, number, notes=f"again {minute}")


@pytest.mark.parametrize(
    ("flood", "has_owner"), [(flood_one_lead, True), (flood_by_many_clients, False), (flood_many_leads, True)]
)
def test_a_flood_of_inquiries_sends_few_emails_and_loses_no_inquiry(
    form, manager, rep, make_lead, emails, flood, has_owner
):
    if has_owner:
        for number in range(INQUIRIES_PER_MINUTE):
            make_lead(
                company_name="",
                contact_name=f"Client {number}",
                email_normalised=f"c{number}@x.example",
                phone_normalised="",
                assigned_to=rep,
            )
    run_minutes(22, lambda minute: flood(form, minute))
    assert (
        sum(lead.activities.filter(direction="inbound").count() for lead in Lead.objects.all())
        == 22 * INQUIRIES_PER_MINUTE
    )
    for recipient in {recipient for _, recipient, _ in emails}:
        times = sorted(at for at, user, _ in emails if user == recipient)
        for begin in times:
            in_window = [at for at in times if begin <= at < begin + arrival_alerts.WINDOW]
            assert len(in_window) <= arrival_alerts.MAX_SINGLE_ALERTS + 1
    if flood is flood_one_lead:
        assert len(emails) == 3  # immediately, and after ten and twenty minutes


def test_a_second_inquiry_for_a_lead_waits_and_inquiries_for_other_leads_do_not(form, manager, emails):
    def act(minute):
        if minute in (0, 2):
            send_inquiry(form, 1, notes=str(minute))
        if minute == 3:
            send_inquiry(form, 2)

    run_minutes(13, act)
    assert [((at - START).seconds // 60, message.subject) for at, _, message in emails] == [
        (0, "Unassigned lead: Client 1"),
        (3, "Unassigned lead: Client 2"),
        (10, "1 more lead or inquiry – Client 1"),
    ]
    assert "Client 1: another inquiry\n" in emails[-1][2].body


def test_a_summary_that_was_sent_does_not_change(form, manager, emails):
    def act(minute):
        if minute in (0, 1, 10, 15):
            send_inquiry(form, 1, notes=str(minute))

    run_minutes(31, act)
    assert [((at - START).seconds // 60, message.subject) for at, _, message in emails] == [
        (0, "Unassigned lead: Client 1"),
        (10, "1 more lead or inquiry – Client 1"),
        (20, "2 more leads and inquiries – Client 1"),
    ]


class TestRecipients:
    def test_an_inquiry_notifies_the_active_owner_or_else_the_managers(self, form, manager, rep, make_lead):
        lead = make_lead(email_normalised="c1@x.example", phone_normalised="", assigned_to=rep)
        for owner, is_active, recipient in ((rep, True, rep), (None, True, manager), (rep, False, manager)):
            Notification.objects.all().delete()
            Lead.objects.filter(pk=lead.pk).update(assigned_to=owner)
            User.objects.filter(pk=rep.pk).update(is_active=is_active)
            send_inquiry(form, 1, notes=f"{owner} {is_active}")
            notification = Notification.objects.get()
            assert notification.kind == "inquiry_received"
            assert notification.recipient == recipient
            assert notification.context["is_unowned"] == (recipient == manager)

    def test_nobody_is_notified_about_a_lead_that_they_created(self, manager, rep, make_user):
        other = make_user("other", Role.MANAGER)
        leads.create(by=manager, values={"company_name": "Band"})
        leads.create(by=manager, values={"company_name": "Band", "assigned_to": manager.pk})
        leads.create(by=rep, values={"company_name": "Band"})
        leads.create(by=manager, values={"company_name": "Band", "assigned_to": rep.pk})
        assert list(Notification.objects.order_by("pk").values_list("kind", "recipient")) == [
            ("lead_unowned", other.pk),
            ("lead_assigned", rep.pk),
        ]

    def test_the_number_of_statements_does_not_grow_with_the_leads(self, form, make_user, make_lead):
        managers = [make_user(f"boss{number}", Role.MANAGER) for number in range(3)]
        new_leads = [make_lead(company_name=f"Band {number}") for number in range(20)]
        statement_counts = []
        for part in (new_leads[:1], new_leads[1:20]):
            with CaptureQueriesContext(connection) as captured:
                arrivals = [arrival_alerts.build_new_lead_arrival(lead, None) for lead in part]
                arrival_alerts.notify_arrivals(arrivals, by=None)
            statement_counts.append(len(captured))
        assert Notification.objects.count() == 2 * len(managers)
        assert statement_counts[1] <= statement_counts[0] + 4 * len(managers)


@pytest.mark.parametrize(
    ("zone", "time"),
    [
        ("America/New_York", "Fri 7 May 2027, 08:30 EDT"),
        ("Europe/Berlin", "Fri 7 May 2027, 14:30 CEST"),
        ("UTC", "12:30 UTC"),
    ],
)
def test_times_are_in_the_recipients_time_zone(form, make_user, emails, zone, time):
    make_user("boss", Role.MANAGER, time_zone=zone)
    send_inquiry(form, 1)
    values = {"email": "c1@x.example", "contact_name": "D", "pickup_at": datetime(2027, 5, 7, 12, 30, tzinfo=UTC)}
    intake.receive_inquiry(form=form, values=values)
    Notification.objects.filter(kind="arrivals").delete()
    Notification.objects.all().delete()
    intake.receive_inquiry(form=form, values={**values, "notes": "again"})
    delivery.deliver()
    assert time in emails[-1][2].body


LINKS = [
    "https://evil.example/a?b=c",
    "HTTP://EVIL.EXAMPLE",
    "www.evil.example",
    "evil.example",
    "evil.example/x",
    "ftp://evil.example",
    "mailto:a@evil.example",
    "a@evil.example",
    "javascript:alert(1)",
    "tel:+15551234",
    "evil\u3002example",
    "evil.рф",
    "http://1.2.3.4/x",
    "1.2.3.4/x",
    "evil\u200b.example",
    "//evil.example",
    "https:\u200b//evil.example",
    "file:///etc/passwd",
    "(evil.example)",
    "see:evil.example.",
    "evil\u2024example",
    "evil\ufe52example",
    "evil.\ufe0fexample",
    "evil.\u034fexample",
    "evil.\u206aexample",
    "evil.\U000e0065example",
    "http\ufe0f://evil.example",
]
# Matches what a mail program may turn into a link, and the invisible characters that can hide one.
LINK = re.compile(
    r"(?i)[a-z][a-z0-9+.-]*:(?=\S)|www\.|[^\s.\[\]][.\u2024\u3002\ufe52](?=[^\W\d_])|\d+\.\d+\.\d+\.\d+"
    r"|[\u034f\u200b\u206a\ufe0f\U000e0065]"
)


@pytest.mark.parametrize("link", LINKS)
def test_no_email_has_a_link_that_an_outsider_typed(form, rep, make_lead, emails, link):
    lead = make_lead(company_name=f"Band {link}", email_normalised="c1@x.example", phone_normalised="", assigned_to=rep)
    send_inquiry(form, 1, company_name=link[:100], notes=f"Look: {link} now", pickup_location=link)
    delivery.deliver()
    _, _, message = emails[0]
    own_site = "http://localhost:8080/"
    html = message.alternatives[0].content
    assert "Look" in message.body
    hrefs = re.findall(r'href="([^"]*)"', html)
    assert all(href.startswith(own_site) for href in hrefs)
    assert f"/admin/sales/lead/{lead.pk}/change/" in message.body
    visible = re.sub(r"<[^>]+>", "\n", html)
    for text in (message.subject, message.body, visible):
        rest = re.sub(rf"{own_site}\S*", "", text)
        assert not [match for line in rest.splitlines() for match in LINK.findall(line)], rest
    assert link in lead.activities.get().notes


def test_a_long_inquiry_is_cut_in_the_email_and_complete_in_the_timeline(form, rep, make_lead, emails):
    lead = make_lead(email_normalised="c1@x.example", phone_normalised="", assigned_to=rep)
    send_inquiry(form, 1, notes="x" * 9_000 + "END")
    delivery.deliver()
    body = emails[0][2].body
    assert "END" not in body
    assert "The full text is on the lead's page" in body
    assert len(body) < 2_000
    assert lead.activities.get().notes.endswith("END")
