"""The form for web sites, in a real browser without JavaScript."""

import os
import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from tests.live import Athena

pytestmark = pytest.mark.live


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    binary = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if binary is None:
        pytest.skip("There is no Chromium (apt install chromium; brew install chromium).")
    with sync_playwright() as playwright:
        arguments = ["--no-sandbox"] if os.getuid() == 0 else []
        browser = playwright.chromium.launch(executable_path=binary, args=arguments)
        context = browser.new_context(java_script_enabled=False, viewport={"width": 390, "height": 844})
        yield context.new_page()
        browser.close()


@pytest.fixture
def address(live_athena: Athena) -> str:
    """The form of the demo's web site."""
    return f"{live_athena.base_url}/intake/demo/"


def test_somebody_asks_for_a_bus_with_a_slip_on_the_way(page: Page, live_athena: Athena, address: str) -> None:
    page.goto(f"{address}?utm_source=newsletter")
    page.get_by_label("Your name").fill("Nina Browser")
    page.get_by_label("Phone").fill("(617) 555-0177")
    page.get_by_label("Passengers").fill("about 40")
    page.get_by_label("Kind of trip").select_option("Round trip")
    page.get_by_label("Pickup").fill("2027-05-07T08:30")
    page.get_by_label("Anything else").fill("With instruments\nand <b>two</b> stops")
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_role("alert")).to_contain_text("not sent yet")
    expect(page.get_by_label("Passengers")).to_have_value("about 40")
    expect(page.get_by_label("Passengers")).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_label("Anything else")).to_have_value("With instruments\nand <b>two</b> stops")
    expect(page.get_by_label("Pickup")).to_have_value("2027-05-07T08:30")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.get_by_label("Passengers").fill("40")
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_role("heading")).to_have_text("Thank you")
    token = live_athena.log_in("admin")
    (lead,) = live_athena.call("GET", "/sales/leads?search=nina%20browser", token=token)["results"]
    assert (lead["estimated_passengers"], lead["utm_source"], lead["trip_type"]) == (40, "newsletter", "round_trip")
    assert lead["pickup_at"] == "2027-05-07T12:30:00+00:00"
