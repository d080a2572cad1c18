"""The emails of all kinds: complete, in plain English, and inert against whatever somebody typed."""

import re
from email import message_from_bytes, policy

import pytest

from notifications import outbox
from notifications.channels.email import compose
from notifications.emails import rendering
from notifications.models import Notification
from tests.notifications.examples import EXAMPLES

EVIL = "<script>alert(1)</script> {{ settings.SECRET_KEY }}\r\nBcc: all@example.com"
CODES = ("what",)  # values that the services choose from a list: nobody types them
CASES = pytest.mark.parametrize(("kind", "context"), [(kind, EXAMPLES[kind, case]) for kind, case in EXAMPLES],
                                ids=[f"{kind}: {case}" for kind, case in EXAMPLES])  # fmt: skip


def make_hostile(value, key=""):
    """The context as if somebody had typed an attack into each text."""
    if isinstance(value, dict):
        return {name: make_hostile(item, name) for name, item in value.items()}
    if isinstance(value, list):
        return [make_hostile(item, key) for item in value]
    return f"{value}{EVIL}" if isinstance(value, str) and value and key not in CODES else value


@pytest.fixture
def compose_email(rep):
    def compose_one(kind, context):
        outbox.add(kind=kind, recipient_id=rep.pk, dedupe_key="a", context=context)
        return compose(Notification.objects.get())

    return compose_one


@CASES
def test_an_email_is_complete(compose_email, kind, context):
    message = compose_email(kind, context)
    html = message.alternatives[0].content
    assert message.subject == message.subject.strip()
    assert "  " not in message.subject
    assert "http://localhost:8080/admin/" in message.body
    assert "http://localhost:8080/admin/" in html
    assert "You receive this email because" in html or kind == "daily_digest"
    assert not re.search(r"\n\s*\n\s*\n", message.body.split("\n-- \n")[0])
    assert "None" not in message.body


@CASES
def test_no_email_runs_or_shows_as_markup_what_somebody_typed(compose_email, kind, context):
    message = compose_email(kind, make_hostile(context))
    html = message.alternatives[0].content
    wire = message_from_bytes(message.message().as_bytes(), policy=policy.default)
    assert wire["Bcc"] is None
    assert "\n" not in message.subject
    assert "<script>" not in html
    assert "&lt;" not in message.body
    assert wire.get_body(("plain",)) is not None
    assert wire.get_body(("html",)) is not None


COUNTS = {
    ("leads_received", 1): "1 lead was transferred to you",
    ("leads_received", 2): "2 leads were transferred to you",
    ("leads_transferred", 1): "1 of your leads was transferred to Tom",
    ("leads_transferred", 2): "2 of your leads were transferred to Tom",
    ("leads_not_returned", 1): "1 lead could not be returned",
    ("leads_not_returned", 2): "2 leads could not be returned",
    ("follow_ups_received", 1): "1 follow-up of Maria was handed over to you",
    ("follow_ups_received", 2): "2 follow-ups of Maria were handed over to you",
    ("follow_up_overdue", 1): "Overdue: 1 follow-up",
    ("follow_up_overdue", 2): "Overdue: 2 follow-ups",
    ("escalation_overdue", 1): "Overdue in your team: 1 follow-up",
    ("escalation_overdue", 2): "Overdue in your team: 2 follow-ups",
    ("escalation_unowned", 1): "1 unassigned lead is waiting",
    ("escalation_unowned", 2): "2 unassigned leads are waiting",
    ("arrivals", 1): "1 more lead or inquiry",
    ("arrivals", 2): "2 more leads and inquiries",
}


@pytest.mark.parametrize(("kind", "count"), COUNTS, ids=lambda value: str(value))
def test_a_subject_counts_in_plain_english(kind, count):
    context = {"count": count, "to_name": "Tom", "from_name": "Maria"}
    assert rendering.render_subject(kind, context) == COUNTS[kind, count]


def test_what_cannot_be_rendered_has_the_label_of_its_kind_as_its_title():
    assert rendering.render_title("leads_received", {"count": 1}) == "1 lead was transferred to you"
    assert rendering.render_title("no_such_kind", {}) == "No such kind"
    assert rendering.render_body("no_such_kind", {}) == ""


def test_the_lines_that_empty_tags_leave_are_not_in_the_text():
    text = rendering.render_text("follow_up_due", {"follow_up_type": "call", "lead_name": "Band", "when": "today"})
    assert text.startswith("Call Band\ntoday\n\nhttp://")
