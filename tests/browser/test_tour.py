"""What docs/tour.md tells: somebody who has never seen Athena finds, calls and completes the first overdue task."""

import re

import pytest

from tests.browser.conftest import PHONE, WIDE

pytestmark = pytest.mark.live


def overdue(page) -> int:
    return int(page.locator(".tiles li", has_text="overdue").locator("strong").inner_text())


@pytest.mark.parametrize(("width", "javascript"), [(WIDE, True), (PHONE, True), (PHONE, False)])
def test_the_first_overdue_task_is_found_called_and_completed(visit, width, javascript):
    here = visit("wei" if javascript and width == WIDE else "tom", width=width, javascript=javascript)
    page, before = here.page, None
    task = page.locator("section[aria-labelledby=overdue] .task").first
    before = overdue(page)
    assert before > 0
    lead = task.locator(".task-summary a").inner_text()
    assert re.match(r"tel:\+?[0-9 ()-]+", task.locator(".contact-links a").first.get_attribute("href") or "")
    task.locator("summary").click()
    task.locator("textarea").fill("Wants the quote by Friday")
    task.get_by_role("button", name="Successful").click()
    page.get_by_text(f"Completed: {lead}.").wait_for()
    assert page.url == here.athena.base_url + "/admin/"
    assert overdue(page) == before - 1
    assert here.console_errors == []


def test_what_the_service_refuses_is_said_where_one_is(visit):
    """Somebody else completes it meanwhile: the page says so, and the browser has not gone anywhere blank."""
    here, elsewhere = visit("wei"), visit("wei", width=PHONE)
    task = here.page.locator(".task").first
    task.locator("summary").click()
    other = elsewhere.page.locator(".task").first
    other.locator("summary").click()
    other.get_by_role("button", name="Voicemail").click()
    elsewhere.page.get_by_text("Completed: ").wait_for()
    task.get_by_role("button", name="Voicemail").click()
    here.page.get_by_text("This follow-up is already completed or canceled.").wait_for()
    assert here.console_errors == []
