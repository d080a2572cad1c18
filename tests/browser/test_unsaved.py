"""What somebody typed is still there when it could not be saved, and gone when it was, or when they logged out."""

import pytest

from tests.browser.conftest import PHONE, WIDE

pytestmark = pytest.mark.live

TEXT = "Wants two coaches, and the quote by Friday"
LEAD = "/admin/sales/lead/add/"
ERROR = (
    '<!doctype html><html><head><meta name="athena-error" content="{name}"></head><body><main>No</main></body></html>'
)
DRAFTS = "Object.keys(localStorage).filter((key) => key.startsWith('athena-draft:')).map((key) => localStorage[key])"


def open_task(page):
    task = page.locator(".task").first
    task.locator("summary").click()
    task.locator("textarea").fill(TEXT)
    return task


def end_session(page):
    page.context.clear_cookies(name="sessionid")


def go_offline(page):
    page.context.set_offline(True)


def answer(status, name):
    """A fault that answers a POST with this status, as Athena or (without a name) a proxy in front of it does."""

    def fault(page):
        body = ERROR.format(name=name) if name else "<h1>Error</h1>"
        page.route("**/*", lambda route: route.fulfill(status=status, body=body, content_type="text/html")
                   if route.request.method == "POST" else route.continue_())  # fmt: skip

    return fault


def mend(page):
    """What was broken works again, and whoever was logged out logs in again in another tab."""
    page.context.set_offline(False)
    page.unroute_all()
    if not page.context.cookies(page.url) or "sessionid" not in {each["name"] for each in page.context.cookies()}:
        tab = page.context.new_page()
        tab.goto(page.url.split("/admin/")[0] + "/admin/login/")
        log_in(tab, "wei")
        tab.close()


def log_in(page, who):
    page.fill("#id_username", f"{who}@example.com")
    page.fill("#id_password", f"{who}123")
    page.click("[type=submit]")
    page.wait_for_url(lambda url: "/login/" not in url)
    page.wait_for_url("**/admin/")


def log_out(page):
    page.click("#logout-form button")
    page.wait_for_load_state()


FAULTS = {
    "the session ended": end_session,
    "offline": go_offline,
    "a fault": answer(500, "server_error"),
    "a fault of the proxy": answer(502, ""),
    "the database is away": answer(503, "unavailable"),
    "an old token": answer(403, "csrf"),
    "too much": answer(413, ""),
}


@pytest.mark.parametrize("javascript", [True, False])
def test_the_long_form_takes_over_what_was_typed_in_the_small_one(visit, javascript):
    page = visit("wei", width=WIDE if javascript else PHONE, javascript=javascript).page
    task = open_task(page)
    plans_next = task.locator("[name=schedule_next]").is_checked()
    task.locator("[name=next_follow_up_days]").fill("17")
    task.get_by_role("button", name="Close the lead, or more").click()
    page.wait_for_url("**/complete/")
    assert page.input_value("[name=notes]") == TEXT
    assert page.input_value("[name=next_follow_up_days]") == "17"
    assert page.is_checked("[name=schedule_next]") == plans_next
    assert page.locator(".errorlist").count() == 0


@pytest.mark.parametrize("fault", FAULTS)
def test_a_form_in_place_keeps_its_text_and_can_be_sent_again(visit, fault):
    page = visit("wei").page
    task = open_task(page)
    FAULTS[fault](page)
    task.get_by_role("button", name="No answer").click()
    notice = task.get_by_role("alert")
    notice.wait_for()
    assert "Not saved" in notice.inner_text()
    assert task.locator("textarea").input_value() == TEXT
    assert notice.get_by_role("link").count() == (1 if fault == "the session ended" else 0)
    mend(page)
    notice.get_by_role("button", name="Try again").click()
    page.get_by_text("Completed: ").wait_for()
    assert page.evaluate(DRAFTS) == []


@pytest.mark.parametrize("fault", FAULTS)
def test_a_page_has_its_text_again_when_one_comes_back(visit, fault):
    here = visit("wei")
    page = here.go(LEAD)
    page.fill("#id_company_name", f"Choir of {fault}")
    page.fill("#id_notes", TEXT)
    page.select_option("#id_trip_type", "shuttle")
    FAULTS[fault](page)
    page.click("[name=_save]")
    page.wait_for_load_state()
    if fault == "offline":
        assert page.input_value("#id_notes") == TEXT
        page.get_by_text("Not sent: you are offline").wait_for()
    mend(page)
    here.go(LEAD)
    page.get_by_text("Restored what you typed").wait_for()
    assert (page.input_value("#id_notes"), page.input_value("#id_trip_type")) == (TEXT, "shuttle")
    assert here.page.evaluate("document.documentElement.scrollWidth") <= WIDE
    page.click("[name=_save]")
    page.get_by_text("was added successfully").wait_for()
    here.go(LEAD)
    assert (page.input_value("#id_notes"), page.evaluate(DRAFTS)) == ("", [])


@pytest.mark.parametrize("javascript", [True, False])
def test_what_a_page_sent_after_its_session_can_be_sent_again(visit, javascript):
    here = visit("wei", javascript=javascript)
    page = here.go(LEAD)
    page.fill("#id_company_name", "Late Choir")
    page.fill("#id_notes", TEXT)
    end_session(page)
    page.click("[name=_save]")
    page.get_by_role("heading", name="You are signed out").wait_for()
    assert page.locator("dd", has_text=TEXT).count() == 1
    mend(page)
    page.get_by_role("button", name="Send again").click()
    page.get_by_role("heading", name="Nothing was saved yet").wait_for()  # the login has changed the form's token
    page.get_by_role("button", name="Send again").click()
    page.get_by_text("was added successfully").wait_for()
    if javascript:
        assert page.evaluate(DRAFTS) == []


def test_what_was_typed_can_be_thrown_away(visit):
    here = visit("wei")
    here.go(LEAD).fill("#id_notes", TEXT)
    page = here.go(LEAD)
    page.get_by_role("button", name="Discard").click()
    assert page.input_value("#id_notes") == ""
    here.go("/admin/")
    here.go(LEAD)
    assert (page.input_value("#id_notes"), page.evaluate(DRAFTS)) == ("", [])


def test_a_draft_ends_when_its_user_logs_out(visit):
    here = visit("wei")
    page = here.go(LEAD)
    page.fill("#id_notes", TEXT)
    assert TEXT in page.evaluate(DRAFTS)[0]
    log_out(page)
    assert page.evaluate(DRAFTS) == []


def test_nobody_else_sees_a_draft(visit):
    here = visit("wei")
    here.go(LEAD).fill("#id_notes", TEXT)
    end_session(here.page)
    here.page.goto(here.athena.base_url + "/admin/login/")
    log_in(here.page, "tom")
    page = here.go(LEAD)
    assert (page.input_value("#id_notes"), page.get_by_text("Restored").count()) == ("", 0)
    log_out(page)
    page.goto(here.athena.base_url + "/admin/login/")
    log_in(page, "wei")
    assert here.go(LEAD).input_value("#id_notes") == TEXT


def test_a_draft_is_of_one_row_and_ends_after_two_days(visit):
    here = visit("wei")
    here.go(f"{LEAD}?source=1").fill("#id_notes", TEXT)
    page = here.go(f"{LEAD}?source=2")
    assert page.input_value("#id_notes") == ""
    page.clock.install()
    page.clock.fast_forward("49:00:00")
    assert here.go(f"{LEAD}?source=1").input_value("#id_notes") == ""


def test_passwords_and_hidden_fields_are_never_kept(visit):
    page = visit("wei").go("/admin/password_change/")
    page.fill("#id_old_password", "wei123")
    page.fill("#id_new_password1", TEXT)
    page.reload()
    assert page.evaluate(DRAFTS) == []
    assert page.input_value("#id_new_password1") == ""


def test_a_button_that_sends_a_form_elsewhere_loses_nothing(visit):
    here = visit("wei")
    task = here.page.locator(".task form[action$='/complete/']").first.get_attribute("action")
    page = here.go(task.replace("complete", "change"))
    page.fill("#id_notes", TEXT)
    page.get_by_role("button", name="in 2 hours").click()
    page.wait_for_load_state()
    here.go(task.replace("complete", "change"))
    page.get_by_text("Restored what you typed").wait_for()
    assert page.input_value("#id_notes") == TEXT
