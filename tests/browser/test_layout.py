"""Every page of the admin at five widths, what folds both closed and open: nothing is squeezed, hidden or astray."""

from collections.abc import Iterable
from pathlib import Path

import pytest

from tests.browser.pages import ANSWERS_TO_POST, OTHERS, WITHOUT_A_PAGE, all_names, names_of_models

pytestmark = pytest.mark.live

WIDTHS = (390, 1024, 1280, 1440, 1920)
MEASURE = (Path(__file__).parent / "layout.js").read_text()
UNFOLD = """() => {
    const closed = [...document.querySelectorAll("details:not([open])")];
    for (const details of closed) details.open = true;
    return closed.length;
}"""


def problems_of(page) -> set[str]:
    """What is wrong with the page that is shown, at each width, closed and open."""
    found: dict[str, list[int]] = {}
    for state in ("closed", "open"):
        if state == "open" and not page.evaluate(UNFOLD):
            break
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 900})
            for problem in page.evaluate(MEASURE):
                found.setdefault(f"{state}: {problem}", []).append(width)
    return {f"at {', '.join(map(str, widths))}, {problem}" for problem, widths in found.items()}


def look_at(visit, addresses: Iterable[str]) -> tuple[int, dict[str, set[str]]]:
    """How many of the addresses have a page for this user, and what is wrong with those that have."""
    pages, wrong = 0, {}
    for address in addresses:
        answer = visit.page.goto(visit.athena.base_url + address)
        if answer.status == 200:
            pages += 1
            if problems := problems_of(visit.page):
                wrong[address] = problems
        else:
            assert answer.status in (403, 404), address  # a right that this user lacks: other tests look at those
    return pages, wrong


def first_row(page) -> str | None:
    """The key of the first row that the list shown links to."""
    link = page.locator("#result_list a[href*='/change/']").first
    return link.get_attribute("href").split("/change/")[0].rsplit("/", 1)[1] if link.count() else None


def test_each_address_of_the_admin_is_looked_at_or_has_no_page():
    listed = {*names_of_models(), *OTHERS, *ANSWERS_TO_POST, *WITHOUT_A_PAGE}
    assert set(all_names()) == listed


def test_pages_that_models_have_by_themselves(visit):
    here, found, pages = visit("admin"), {}, 0
    for name, address in names_of_models().items():
        if name.endswith("changelist"):
            key = first_row(here.page) if here.page.goto(here.athena.base_url + address).status == 200 else None
        if "{pk}" in address and key is None:
            continue
        count, wrong = look_at(here, [address.format(pk=key)])
        pages, found = pages + count, found | wrong
    assert found == {}
    assert pages > 80


@pytest.mark.parametrize("who", ["maria", "manager"])
def test_all_other_pages(visit, who):
    here = visit(who)
    here.go("/admin/")
    task = here.page.locator(".task form").first.get_attribute("action") if here.page.locator(".task").count() else None
    addresses = [address for name, each in OTHERS.items() for address in each if "{" not in address]
    pages, wrong = look_at(here, [*addresses, *([task] if task else [])])
    assert wrong == {}
    assert pages > (6 if who == "maria" else 16)


def test_an_error_has_a_page_that_fits(visit):
    here = visit("maria")
    assert here.page.goto(f"{here.athena.base_url}/admin/sales/lead/99999999/timeline/").status == 404
    here.console_errors.clear()  # the console says 404
    assert here.problems() == []
    assert problems_of(here.page) == set()
    here.page.get_by_role("link", name="Home").click()
    here.page.wait_for_url("**/admin/")


def press(page, name):
    """Press a button that opens a page, in this tab where it wants another one."""
    page.evaluate("document.querySelectorAll('[formtarget]').forEach(button => button.removeAttribute('formtarget'))")
    page.get_by_role("button", name=name, exact=True).first.click()
    page.wait_for_load_state()


def reassign(page):
    press(page, "Transfer")
    page.check("#id_receivers_0")
    page.fill("#id_reason", "On holiday")
    press(page, "Preview")


def import_file(page):
    lines = ["Company,Contact,E-mail,Passengers", "North Choir,Nina,nina@example.com,40", f"{LONG},,x@example.com,many"]
    file = {"name": "leads.csv", "mimeType": "text/csv", "buffer": "\n".join(lines).encode()}
    page.set_input_files("[name=file]", file)
    press(page, "Upload and preview")
    page.get_by_text("Rows", exact=True).wait_for()


def ask_to_undo_an_import(page):
    import_file(page)
    page.get_by_role("button", name="Import 1 row").first.click()
    press(page, "Undo this import")
    page.get_by_text("that the import created will be archived").wait_for()


def import_doubted(page):
    lines = ["Company,Passengers,Pickup date,Value", "North Choir,many,03/04/2027,1.250", "South Choir,40,04/05/2027,x"]
    file = {"name": "doubted.csv", "mimeType": "text/csv", "buffer": "\n".join(lines).encode()}
    page.set_input_files("[name=file]", file)
    press(page, "Upload and preview")
    page.get_by_text("not read until you choose").first.wait_for()


def run_on_all(action):
    """Choose an action of a list for every row that it shows."""

    def run(page):
        page.check("#action-toggle")
        page.select_option("[name=action]", action)
        page.click("button[name=index]")
        page.wait_for_load_state()

    return run


def refuse_completion(page):
    page.get_by_role("link", name="Complete …").first.click()
    page.wait_for_load_state()
    page.uncheck("[name=schedule_next]")
    page.select_option("[name=close]", "won")
    page.fill("[name=booked_value]", "")
    page.select_option("[name=outcome]", "rescheduled")
    press(page, "Complete")
    page.locator(".errorlist").first.wait_for()


def import_spend(page):
    page.fill("#id_text", "month,source,campaign,amount\n2026-05,Google Ads,,1250.00\n2026-13,Nobody,,x")
    press(page, "Preview")


def preview_rule(page):
    press(page, "Preview the scores")


def try_rule(page):
    page.fill("#id_rule_name", "Everything")
    press(page, "Try it on recent leads")


LONG = "Donaudampfschifffahrtsgesellschaft" * 4
# Pages that come of a POST: where one begins, and what one does there.
AFTER_A_POST = {
    "reassigning": ("/admin/sales/lead/1/change/", reassign),
    "a cadence": ("/admin/sales/lead/1/change/", lambda page: press(page, "Enroll in a cadence")),
    "an import": ("/admin/sales/leadimport/add/", import_file),
    "undoing an import": ("/admin/sales/leadimport/add/", ask_to_undo_an_import),
    "a doubted import": ("/admin/sales/leadimport/add/", import_doubted),
    "archiving": ("/admin/sales/lead/", run_on_all("archive_selected")),
    "cancelling": ("/admin/sales/followup/", run_on_all("cancel_selected")),
    "a refused completion": ("/admin/sales/followup/?whose=me", refuse_completion),
    "spend": ("/admin/sales/sourcespend/upload/", import_spend),
    "a scoring rule": ("/admin/sales/leadscoringrule/1/change/", preview_rule),
    "an assignment rule": ("/admin/sales/assignmentrule/add/", try_rule),
    "a refused lead": ("/admin/sales/lead/add/", lambda page: press(page, "Save")),
    "a refused follow-up": ("/admin/sales/followup/add/", lambda page: press(page, "Save")),
    "a refused activity": ("/admin/sales/activity/add/", lambda page: press(page, "Save")),
}  # fmt: skip


@pytest.mark.parametrize("name", AFTER_A_POST)
def test_pages_that_come_of_a_post(visit, name):
    address, act = AFTER_A_POST[name]
    page = visit("manager").go(address)
    act(page)
    assert problems_of(page) == set()


def test_the_longest_words_stay_in_their_places(visit):
    here = visit("manager")
    token = here.athena.log_in("manager")
    values = {
        "company_name": LONG, "contact_name": LONG[:100], "email": f"{LONG[:60]}@{LONG[:60]}.example.com",
        "notes": f"https://example.com/{LONG * 5} {LONG * 3}", "pickup_location": LONG, "dropoff_location": LONG,
        "campaign": LONG[:100], "estimated_value": 9_999_999_999, "trip_type": "multi_day",
    }  # fmt: skip
    lead, twin = (here.athena.call("POST", "/sales/leads", values, token=token)["id"] for _ in range(2))
    pages = ("lead/", f"lead/{lead}/change/", f"lead/{lead}/timeline/", f"lead/merge/?id={lead}&id={twin}",
             "lead/duplicates/")  # fmt: skip
    here.athena.call("POST", f"/sales/leads/{lead}/activities", {"activity_type": "note", "description": LONG * 3,
                     "notes": LONG * 5}, token=token)  # fmt: skip
    _, wrong = look_at(here, [f"/admin/sales/{page}" for page in pages])
    assert wrong == {}
