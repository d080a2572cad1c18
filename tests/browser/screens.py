"""`make screens`: takes every picture of README.md and docs/ anew, of a demo company and of an empty system."""

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from playwright.sync_api import Browser, FilePayload, Page, sync_playwright

from tests.live import ROOT, Athena, up, wait_for

FOLDER = ROOT / "docs"
WIDE, PHONE = 1280, 390
HEIGHTS = {WIDE: 900, PHONE: 844}
EMAIL_KINDS = {"reminder": "follow_up_due", "mail-digest": "daily_digest"}
PRINT_EMAIL = """
from notifications.emails import rendering
from notifications.models import Notification
notification = Notification.objects.filter(kind={kind!r}).order_by("pk").last()
print(rendering.render_html(notification.kind, notification.context))
"""
PREPARE_DEMO = """
from datetime import date, timedelta
from athena.accounts.models import User
from sales.models import Cadence, CadenceStep
cadence = Cadence.objects.create(name="New inquiry")
for day, kind, notes in [
    (0, "call", "Call about the trip"), (2, "email", "Send our price list"), (5, "call", "Ask whether the price fits"),
]:
    CadenceStep.objects.create(cadence=cadence, day=day, follow_up_type=kind, notes=notes)
User.objects.filter(email="maria@example.com").update(digest_hour=0, digested_on=date.today() - timedelta(days=2))
"""
COUNT_EMAILS = """
from notifications.models import Delivery
sent = Delivery.objects.filter(notification__kind__in={kinds!r}, state="sent")
print(sent.values("notification__kind").distinct().count())
"""
LEADS_FILE = """\
Company,Contact,Email,Phone,Pickup at,Passengers,Value,Color
Riverside Middle School,Joan Miller,joan@riverside.example,(212) 555-0141,2027-05-14 08:00,52,1800,blue
Harbor Light Choir,Peter Wong,peter@harborlight.example,(212) 555-0142,2027-06-02 09:30,44,2350,
Harbor Light Choir,Peter Wong,Peter@HarborLight.example,,2027-06-02 09:30,46,2350,
Summit Robotics Club,Ana Lopez,ana at summit,,next May,many,900,
Lakeview Seniors,Ruth Klein,ruth@lakeview.example,+1 646 555 0147,2027-04-09 10:00,38,=SUM(A1:A2),
Alder Street Church,Tom Reed,tom@alder.example,212 555 0149,2027-05-23 07:45,50,1450,
"""
SPEND_FILE = (
    "month,source,campaign,amount\n2026-10,Google Ads,spring-trips,1250.00\n2026-10,Referral,,0\n2026-10,Gogle,,80\n"
)


@dataclass(frozen=True)
class Picture:
    """A file under docs/, and the user, the page and the steps that it shows.

    It shows the element `part`, the whole page, or what fits into the window.
    """

    file: str
    user: str
    path: str
    prepare: Callable[[Page], Page | None] | None = None
    width: int = WIDE
    part: str = ""
    is_whole_page: bool = False


def open_first_task(page: Page) -> None:
    page.locator(".task summary").first.click()
    page.locator(".task textarea").first.fill("Wants the quote by Friday")


def open_completion_form(page: Page) -> None:
    page.locator(".task summary").first.click()
    page.get_by_role("button", name=re.compile("or more")).first.click()


def open_first_row(page: Page) -> None:
    page.locator('#result_list tbody a[href*="/change/"]').first.click()


def open_intake_form(page: Page) -> None:
    open_first_row(page)
    page.goto(page.locator('#content a[href*="/intake/"]').first.get_attribute("href") or "")


def compare_duplicates(page: Page) -> None:
    page.get_by_role("link", name=re.compile("Merge")).first.click()


def preview_import(page: Page) -> None:
    attached: FilePayload = {"name": "trade-fair.csv", "mimeType": "text/csv", "buffer": LEADS_FILE.encode()}
    page.locator("input[type=file]").set_input_files(files=[attached])
    page.locator("#content form button[type=submit]").first.click()
    reload_until(page, re.compile(r"^Import \d"))


def run_import(page: Page) -> None:
    preview_import(page)
    page.get_by_role("button", name=re.compile(r"^Import \d")).first.click()
    reload_until(page, re.compile("Undo"))


def reload_until(page: Page, button: re.Pattern[str]) -> None:
    """Wait until the worker has done its part and the page offers `button`."""
    for _ in range(60):
        if page.get_by_role("button", name=button).count() or page.get_by_role("link", name=button).count():
            return
        page.wait_for_timeout(1000)
        page.reload()
    raise AssertionError(f"{page.url} never offered {button.pattern}")


def preview_spend(page: Page) -> None:
    page.fill("#id_text", SPEND_FILE)
    page.locator("button[value=preview]").click()


def preview_rule(page: Page) -> Page:
    open_first_row(page)
    page.fill("#id_points", "35")
    return open_tab(page, ".preview-row button")


def open_tab(page: Page, button: str) -> Page:
    """The page that `button` opens in a tab of its own."""
    with page.expect_popup() as popup:
        page.locator(button).first.click()
    return popup.value


def try_assignment_rule(page: Page) -> Page:
    fill_assignment_rule(page)
    return open_tab(page, "#content form button[type=submit]")


def fill_assignment_rule(page: Page) -> None:
    page.fill("#id_rule_name", "Large groups to the charter desk")
    page.fill("#id_position", "1")
    page.select_option("#id_condition_1_field", "estimated_passengers")
    page.select_option("#id_condition_1_operator", "greater_than")
    page.fill("#id_condition_1_value", "40")
    page.select_option("#id_to_team", label="Charter desk")


def preview_reassignment(page: Page) -> None:
    for box in page.locator("#result_list input.action-select").all()[:14]:
        box.check()
    page.select_option("select[name=action]", "reassign_selected")
    page.get_by_role("button", name="Go").click()
    for name in ("Grace Okafor", "Maria Santos"):
        page.get_by_label(re.compile(name)).check()
    page.locator("#id_reason").fill("New split of the desk")
    page.get_by_role("button", name="Preview").click()


def open_handover(page: Page) -> None:
    page.get_by_role("link", name="Tom Becker").click()
    page.get_by_role("link", name=re.compile("Hand")).first.click()


DEMO_PICTURES = (
    Picture("screens/day", "maria", "/admin/"),
    Picture("screens/done", "maria", "/admin/", open_first_task),
    Picture("screens/day-phone", "maria", "/admin/", width=PHONE),
    Picture("screens/team", "manager", "/admin/"),
    Picture("screens/lead", "manager", "/admin/sales/lead/1/change/"),
    Picture("screens/leads", "manager", "/admin/sales/lead/"),
    Picture("screens/unplanned", "manager", "/admin/sales/lead/?view=unplanned"),
    Picture("images/follow-ups", "maria", "/admin/sales/followup/?whose=me"),
    Picture("images/follow-ups-390", "maria", "/admin/sales/followup/?whose=me", width=PHONE),
    Picture("images/complete", "maria", "/admin/", open_completion_form, is_whole_page=True),
    Picture("images/cadence", "manager", "/admin/sales/cadence/", open_first_row, is_whole_page=True),
    Picture("images/calendar", "maria", "/admin/sales/followup/calendar/", part="#content"),
    Picture("images/reminders", "maria", "/admin/sales/followup/?q=Lakeside", open_first_row,
            part="[aria-label=Reminders]"),
    Picture("images/timeline", "manager", "/admin/sales/lead/1/timeline/"),
    Picture("images/duplicates", "manager", "/admin/sales/lead/duplicates/"),
    Picture("images/merge", "manager", "/admin/sales/lead/duplicates/", compare_duplicates, is_whole_page=True),
    Picture("images/intake-form", "manager", "/admin/sales/intakeform/", open_intake_form, is_whole_page=True),
    Picture("images/rules", "manager", "/admin/sales/leadscoringrule/"),
    Picture("images/rule", "manager", "/admin/sales/leadscoringrule/?q=repeat", open_first_row),
    Picture("images/preview", "manager", "/admin/sales/leadscoringrule/", preview_rule, is_whole_page=True),
    Picture("images/why", "manager", "/admin/sales/lead/1/change/", part="[aria-labelledby=panel-explanation]"),
    Picture("images/effectiveness", "manager", "/admin/reports/rule-effectiveness/", is_whole_page=True),
    Picture("images/performance", "manager", "/admin/reports/follow-up-performance/", is_whole_page=True),
    Picture("images/roi", "manager", "/admin/reports/source-roi/", is_whole_page=True),
    Picture("images/speed", "manager", "/admin/reports/speed/", is_whole_page=True),
    Picture("images/spend", "manager", "/admin/sales/sourcespend/upload/", preview_spend),
    Picture("images/reassign", "manager", "/admin/sales/lead/?view=open", preview_reassignment, is_whole_page=True),
    Picture("images/batch", "manager", "/admin/sales/transferbatch/", open_first_row),
    Picture("images/assignment-rule", "manager", "/admin/sales/assignmentrule/add/", fill_assignment_rule,
            is_whole_page=True),
    Picture("images/assignment-preview", "manager", "/admin/sales/assignmentrule/add/", try_assignment_rule,
            is_whole_page=True),
    Picture("images/handover", "admin", "/admin/accounts/user/", open_handover, is_whole_page=True),
    Picture("images/notifications", "maria", "/admin/notifications/notification/"),
    Picture("images/preferences", "maria", "/admin/notifications/preference/", is_whole_page=True),
    Picture("images/delivery", "admin", "/admin/notifications/delivery/"),
    Picture("images/import-preview", "manager", "/admin/sales/leadimport/add/", preview_import, is_whole_page=True),
    Picture("images/import-done", "manager", "/admin/sales/leadimport/add/", run_import, is_whole_page=True),
)  # fmt: skip
EMPTY_SYSTEM_PICTURES = (Picture("screens/first-steps", "ada", "/admin/"),)


def take_pictures(athena: Athena, pictures: tuple[Picture, ...], only: list[str]) -> None:
    """Save each picture, or those whose names are in `only`."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        for picture in pictures:
            if not only or Path(picture.file).name in only:
                take_picture(browser, athena, picture)


def take_picture(browser: Browser, athena: Athena, picture: Picture) -> None:
    page = browser.new_page(viewport={"width": picture.width, "height": HEIGHTS[picture.width]})
    page.goto(f"{athena.base_url}/admin/login/")
    page.fill("#id_username", f"{picture.user}@example.com")
    page.fill("#id_password", f"{picture.user}123")
    page.click("[type=submit]")
    page.wait_for_load_state()
    page.goto(f"{athena.base_url}{picture.path}")
    if picture.prepare is not None:
        page = picture.prepare(page) or page
    page.wait_for_load_state("networkidle")
    path = FOLDER / f"{picture.file}.png"
    if picture.part:
        page.locator(picture.part).first.screenshot(path=path)
    else:
        page.screenshot(path=path, full_page=picture.is_whole_page)
    sys.stdout.write(f"{path.relative_to(ROOT)}\n")
    page.context.close()


def take_emails(athena: Athena, only: list[str]) -> None:
    """The demo's last reminder and last digest, as a phone and a wider screen show them."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        for name, kind in EMAIL_KINDS.items():
            for width in (390, 800):
                if only and f"{name}-{width}" not in only:
                    continue
                page = browser.new_page(viewport={"width": width, "height": 400})
                page.set_content(run_in_shell(athena, PRINT_EMAIL.format(kind=kind)))
                page.screenshot(path=FOLDER / "images" / f"{name}-{width}.png", full_page=True)
                page.close()
                sys.stdout.write(f"docs/images/{name}-{width}.png\n")


def prepare_demo(athena: Athena) -> None:
    """Add a cadence, a duplicate, and a follow-up that is due soon; wait until its reminder and a digest are sent."""
    run_in_shell(athena, PREPARE_DEMO)
    manager, maria = athena.log_in("manager"), athena.log_in("maria")
    lead = athena.call("GET", "/sales/leads/1", token=manager)
    athena.call(
        "POST", "/sales/leads", {name: lead[name] for name in ("contact_name", "email", "phone")}, token=manager
    )
    name = "Lakeside Choir"
    lead = athena.call("POST", "/sales/leads", {"company_name": name, "phone": "(617) 555-0123"}, token=maria)
    due = datetime.now(ZoneInfo("America/New_York")) + timedelta(minutes=20)
    plan = {"follow_up_type": "call", "scheduled_date": f"{due:%F}", "scheduled_time": f"{due:%H:%M}"}
    athena.call(
        "POST", "/sales/follow-ups", {**plan, "lead_id": lead["id"], "notes": "Confirm the pickup"}, token=maria
    )
    script = COUNT_EMAILS.format(kinds=list(EMAIL_KINDS.values()))
    wait_for(lambda: int(run_in_shell(athena, script)) == len(EMAIL_KINDS), "sending a reminder and a digest")


def run_in_shell(athena: Athena, script: str) -> str:
    """What `script` prints, run in Django's shell on the database of `athena`."""
    command = [sys.executable, "manage.py", "shell", "--no-imports", "--command", script]
    environment = os.environ | {"VAR_DIR": str(athena.var_dir)}
    return subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True, text=True).stdout


def create_first_administrator(athena: Athena) -> None:
    """Ada, whose password follows the pattern of the demo's accounts."""
    command = [sys.executable, "manage.py", "createsuperuser", "--noinput", "--email", "ada@example.com",
               "--full_name", "Ada"]  # fmt: skip
    settings = {"VAR_DIR": str(athena.var_dir), "DJANGO_SUPERUSER_PASSWORD": "ada123"}
    subprocess.run(command, cwd=ROOT, env=os.environ | settings, check=True)


def main(only: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder, up(Path(folder), DEMO="1") as athena:
        athena.wait_until_ready()
        prepare_demo(athena)
        take_pictures(athena, DEMO_PICTURES, only)
        take_emails(athena, only)
    mail = {"EMAIL_URL": "smtp://mail.example.com"}
    with tempfile.TemporaryDirectory() as folder, up(Path(folder), DEMO="0", **mail) as athena:
        athena.wait_until_ready()
        create_first_administrator(athena)
        take_pictures(athena, EMPTY_SYSTEM_PICTURES, only)


if __name__ == "__main__":
    main(sys.argv[1:])
