"""`make screens`: the pictures of README.md and docs/tour.md, taken of a new demo company."""

import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from tests.live import ROOT, Athena, up

FOLDER = ROOT / "docs" / "screens"
WIDE, PHONE = 1280, 390


def open_first(page: Page) -> None:
    page.locator(".task summary").first.click()
    page.locator(".task textarea").first.fill("Wants the quote by Friday")


# file, who, width, page, what is done before the picture
PICTURES = (
    ("day", "maria", WIDE, "/admin/", None),
    ("done", "maria", WIDE, "/admin/", open_first),
    ("day-phone", "maria", PHONE, "/admin/", None),
    ("team", "manager", WIDE, "/admin/", None),
    ("lead", "manager", WIDE, "/admin/sales/lead/1/change/", None),
    ("leads", "manager", WIDE, "/admin/sales/lead/", None),
    ("unplanned", "manager", WIDE, "/admin/sales/lead/?view=unplanned", None),
)


def take(athena: Athena) -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        for name, who, width, path, act in PICTURES:
            page = browser.new_page(viewport={"width": width, "height": 900 if width == WIDE else 844})
            page.goto(f"{athena.base_url}/admin/login/?next={path.replace('?', '%3F')}")
            page.fill("#id_username", f"{who}@example.com")
            page.fill("#id_password", f"{who}123")
            page.click("[type=submit]")
            page.wait_for_load_state("networkidle")
            if act is not None:
                act(page)
            page.screenshot(path=FOLDER / f"{name}.png")
            sys.stdout.write(f"{name}.png\n")


def main() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, up(Path(folder), DEMO="1") as athena:
        athena.wait_until_ready()
        take(athena)


if __name__ == "__main__":
    main()
