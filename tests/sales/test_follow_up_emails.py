"""What the mails about follow-ups say; nothing that somebody typed is more than text in them."""

from datetime import date, timedelta

import pytest
import time_machine

from athena.accounts.models import User
from notifications.channels.email import compose
from notifications.models import Notification
from sales.models import FollowUp, Lead, LeadScoreHistory
from sales.services.follow_ups import digests, follow_ups, overdue

HOSTILE = "Band\r\nBcc: x@example.com {{ recipient.password }}{% now 'Y' %}<img src=x>\u2028</style>"
DAY = date(2026, 11, 24)


@pytest.fixture
def mails(rep, manager, make_lead):
    """One of each kind, about a lead and people with such a name: rows as plain SQL may write them."""
    with time_machine.travel("2026-11-24T06:00Z", tick=False):
        lead = make_lead(
            company_name=HOSTILE, assigned_to=rep, score=72, phone='+1 "><b>', email="a@b.example?bcc=x&amp;",
            quote_valid_until=DAY + timedelta(days=3), created_at="2026-11-23T06:00Z",
        )  # fmt: skip
        LeadScoreHistory.objects.create(
            lead=lead, old_score=0, new_score=72, points_changed=72, reason="x", changed_at="2026-11-23T06:00Z"
        )
        follow_ups.create(
            by=rep, lead_id=lead.pk, follow_up_type="call", scheduled_date=DAY, notes="<script>alert(1)</script>"
        )
        User.objects.filter(pk=rep.pk).update(full_name=HOSTILE[:100])
    for at, act in (("2026-11-24T07:00Z", digests.send), ("2026-11-25T08:00Z", overdue.send_overdue_notices),
                    ("2026-11-30T08:00Z", overdue.escalate_to_managers)):  # fmt: skip
        with time_machine.travel(at, tick=False):
            act()
    return {row.kind: compose(row) for row in Notification.objects.select_related("recipient")}


def test_what_somebody_typed_is_text(mails):
    assert set(mails) == {"daily_digest", "follow_up_overdue", "escalation_overdue", "escalation_hot"}
    for kind, mail in mails.items():
        html = mail.alternatives[0][0]
        raw = mail.message().as_bytes()
        assert b"\nBcc:" not in raw.partition(b"\n\n")[0], kind
        assert "\n" not in mail.subject
        assert len(mail.recipients()) == 1
        assert "{{ recipient[.]password }}" in mail.body  # nor is it a link
        assert "{{ recipient[.]password }}" in html
        for evil in ("<img", "<script", "<b>", "mailto:a@b.example?"):
            assert evil not in html, kind
        assert ("<script>alert(1)</script>" in mail.body) == (kind in ("follow_up_overdue", "escalation_overdue"))


def test_the_digest(mails):
    mail = mails["daily_digest"]
    assert mail.subject == "Tue 24 Nov 2026: 1 today, 1 hot, 1 expiring"
    assert [" ".join(line.split()) for line in mail.body.split("\n\n")][1].startswith("Today (1) - Band")
    assert "72 points" in mail.body
    assert "until Friday, 27 November" in mail.body


def test_the_subjects_of_the_others(mails):
    words = {kind: mail.subject.partition(" Band")[0] for kind, mail in mails.items()}
    assert (words["follow_up_overdue"], words["escalation_hot"]) == ("Overdue: call", "Hot lead waiting:")
    assert words["escalation_overdue"] == "Overdue for"
    assert mails["follow_up_overdue"].recipients() != mails["escalation_overdue"].recipients()


def test_the_lead_is_one_click_away(mails):
    lead, plan = Lead.objects.get(), FollowUp.objects.get()
    assert plan.lead == lead
    for mail in mails.values():
        assert f"/admin/sales/lead/{lead.pk}/change/" in mail.body
        assert f"/admin/sales/lead/{lead.pk}/change/" in mail.alternatives[0][0]
