"""A follow-up planned for today leads to an email about it, sent by the running worker."""

from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.policy import default

import pytest

from tests.live import Athena, wait_for

pytestmark = pytest.mark.live


def mails_about(athena: Athena, company: str) -> list[str]:
    """The recipients of the emails whose subject names the company."""
    mails = [message_from_bytes(path.read_bytes(), policy=default) for path in athena.var_dir.glob("mail/*.eml")]
    return [mail["To"] for mail in mails if company in mail["Subject"]]


def plan_for_today(athena: Athena, token: str, company: str, today: str) -> None:
    lead = athena.call("POST", "/sales/leads", {"company_name": company}, token=token)
    body = {"lead_id": lead["id"], "follow_up_type": "call", "scheduled_date": today}
    athena.call("POST", "/sales/follow-ups", body, token=token)


def test_a_follow_up_for_today_leads_to_exactly_one_email(live_athena: Athena) -> None:
    token = live_athena.log_in("maria")
    # Choose a time zone where it is early afternoon: the morning's reminder is due, and midnight is far.
    hours = 13 - datetime.now(UTC).hour
    zone = f"Etc/GMT{-hours:+d}" if hours else "Etc/UTC"  # (these names count westwards)
    live_athena.call("PATCH", "/auth/me", {"time_zone": zone}, token=token)
    today = (datetime.now(UTC) + timedelta(hours=hours)).date().isoformat()

    plan_for_today(live_athena, token, "Moonlight Motorcoach Club", today)
    wait_for(lambda: mails_about(live_athena, "Moonlight Motorcoach Club"), "the first email")
    plan_for_today(live_athena, token, "Harbor Light Quilters", today)
    wait_for(lambda: mails_about(live_athena, "Harbor Light Quilters"), "the second email, by a later tick")

    assert mails_about(live_athena, "Moonlight Motorcoach Club") == ["maria@example.com"]
    assert mails_about(live_athena, "Harbor Light Quilters") == ["maria@example.com"]
