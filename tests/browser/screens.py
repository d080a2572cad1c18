"""`make screens`: the pictures of README.md, docs/tour.md and docs/first-steps.md, taken of new companies."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from tests.live import ROOT, Athena, up

FOLDER = ROOT / "docs" / "screens"
WIDE, PHONE = 1280, 390


def open_first(page: Page) -> None:
    page.locator(".task summary").first.click()
    page.locator(".task textarea").first.fill("Wants the quote by Friday")


Picture = tuple[str, str, int, str, Callable[[Page], None] | None]
# file, who, width, page, what is done before the picture
OF_A_DEMO: tuple[Picture, ...] = (
    ("day", "maria", WIDE, "/admin/", None),
    ("done", "maria", WIDE, "/admin/", open_first),
    ("day-phone", "maria", PHONE, "/admin/", None),
    ("team", "manager", WIDE, "/admin/", None),
    ("lead", "manager", WIDE, "/admin/sales/lead/1/change/", None),
    ("leads", "manager", WIDE, "/admin/sales/lead/", None),
    ("unplanned", "manager", WIDE, "/admin/sales/lead/?view=unplanned", None),
)
OF_AN_EMPTY_SYSTEM: tuple[Picture, ...] = (("first-steps", "ada", WIDE, "/admin/", None),)


def take(athena: Athena, pictures: tuple[Picture, ...]) -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        for name, who, width, path, act in pictures:
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
    for demo, pictures in (("1", OF_A_DEMO), ("0", OF_AN_EMPTY_SYSTEM)):
        mail = {} if demo == "1" else {"EMAIL_URL": "smtp://mail.example.com"}
        with tempfile.TemporaryDirectory() as folder, up(Path(folder), DEMO=demo, **mail) as athena:
            athena.wait_until_ready()
            if demo == "0":
                make_ada(athena)
            take(athena, pictures)


def make_ada(athena: Athena) -> None:
    """The first administrator, whose password is as those of the demo's people."""
    command = [sys.executable, "manage.py", "createsuperuser", "--noinput", "--email", "ada@example.com",
               "--full_name", "Ada"]  # fmt: skip
    settings = {"VAR_DIR": str(athena.var_dir), "DJANGO_SUPERUSER_PASSWORD": "ada123"}
    subprocess.run(command, cwd=ROOT, env=os.environ | settings, check=True)


if __name__ == "__main__":
    main()
