"""Emails about follow-ups: what they say, and that whatever somebody typed is nothing but text in them."""

from datetime import date, timedelta

import pytest
import time_machine

from athena.accounts.models import User
from notifications.channels.email import compose
from notifications.models import Notification
from sales.models import FollowUp, LeadScoreHistory
from sales.services.follow_ups import digests, follow_ups, overdue

HOSTILE = "Band\r\nBcc: x@example.com {{ recipient.password }}{% now 'Y' %}<img src=x>\u2028</style>"
SCRIPT = "<script>alert(1)</script>"
DAY = date(2026, 11, 24)


@pytest.fixture
def emails(rep, manager, make_lead):
    """The emails by kind, about a lead and users with a hostile name: rows as plain SQL may write them."""
    with time_machine.travel("2026-11-24T06:00Z", tick=False):
        lead = make_lead(
            company_name=HOSTILE,
            assigned_to=rep,
            score=72,
            phone='+1 "><b>',
            email="a@b.example?bcc=x&amp;",
            quote_valid_until=DAY + timedelta(days=3),
            created_at="2026-11-23T06:00Z",
        )
        LeadScoreHistory.objects.create(
            lead=lead, old_score=0, new_score=72, points_changed=72, reason="x", changed_at="2026-11-23T06:00Z"
        )
        follow_ups.create(by=rep, lead_id=lead.pk, follow_up_type="call", scheduled_date=DAY, notes=SCRIPT)
        User.objects.filter(pk=rep.pk).update(full_name=HOSTILE[:100])
    with time_machine.travel("2026-11-24T07:00Z", tick=False):
        digests.send()
    with time_machine.travel("2026-11-25T08:00Z", tick=False):
        overdue.send_overdue_notices()
    with time_machine.travel("2026-11-30T08:00Z", tick=False):
        overdue.escalate_to_managers()
    return {row.kind: compose(row) for row in Notification.objects.select_related("recipient")}


KINDS = ("daily_digest", "follow_up_overdue", "escalation_overdue", "escalation_hot")


def test_each_kind_is_sent(emails):
    assert set(emails) == set(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_what_somebody_typed_is_text(emails, kind):
    message = emails[kind]
    html = message.alternatives[0].content
    headers = message.message().as_bytes().partition(b"\n\n")[0]
    assert b"\nBcc:" not in headers
    assert "\n" not in message.subject
    assert len(message.recipients()) == 1
    assert "{{ recipient[.]password }}" in message.body  # it is not rendered, nor is it a link
    assert "{{ recipient[.]password }}" in html
    for markup in ("<img", "<script", "<b>", "mailto:a@b.example?"):
        assert markup not in html
    assert (SCRIPT in message.body) == (kind in ("follow_up_overdue", "escalation_overdue"))


@pytest.mark.parametrize("kind", KINDS)
def test_an_email_links_to_the_lead(emails, kind):
    path = f"/admin/sales/lead/{FollowUp.objects.get().lead_id}/change/"
    assert path in emails[kind].body
    assert path in emails[kind].alternatives[0].content


def test_the_digest_lists_its_sections(emails):
    message = emails["daily_digest"]
    sections = [" ".join(section.split()) for section in message.body.split("\n\n")]
    assert message.subject == "Tue 24 Nov 2026: 1 today, 1 hot, 1 expiring"
    assert sections[1].startswith("Today (1) - Band")
    assert "72 points" in message.body
    assert "until Fri 27 Nov 2026" in message.body


@pytest.mark.parametrize(
    ("kind", "start"),
    [
        ("follow_up_overdue", "Overdue: call Band"),
        ("escalation_hot", "Hot lead waiting: Band"),
        ("escalation_overdue", "Overdue for Band"),
    ],
)
def test_a_subject_begins_with_what_happened(emails, kind, start):
    assert emails[kind].subject.startswith(start)


def test_the_assignee_and_the_manager_get_one_each(emails):
    assert emails["follow_up_overdue"].recipients() != emails["escalation_overdue"].recipients()
