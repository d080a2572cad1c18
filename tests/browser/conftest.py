"""A real browser on a running Athena: what it logs, and what a screen reader would stumble over, fails the test."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.live import PATIENCE_SECONDS, Athena

WIDE, PHONE = 1440, 390
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]


@dataclass
class Visit:
    """A page of somebody who is logged in. `wrong` holds the errors of its console, CSP violations among them."""

    page: Page
    athena: Athena
    wrong: list[str] = field(default_factory=list)

    def go(self, path: str) -> Page:
        answer = self.page.goto(self.athena.base_url + path)
        assert answer is not None
        assert answer.status == 200, path
        return self.page

    def problems(self) -> list[str]:
        """What the console says, what is wider than the screen, and what is serious by WCAG 2.2 AA."""
        found, self.wrong[:] = [f"console: {said}" for said in self.wrong], []
        width = self.page.evaluate("document.documentElement.scrollWidth")
        if width > self.page.viewport_size["width"]:  # type: ignore[index]
            found.append(f"{width} pixels wide")
        for each in Axe().run(self.page, options={"runOnly": RULES}).response["violations"]:
            if each["impact"] in ("serious", "critical"):
                found += [f"{each['id']}: {node['html'][:160]}" for node in each["nodes"][:3]]
        self.wrong.clear()  # the policy forbids the styles that axe itself tries to write
        return found


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if program is None:
        pytest.skip("there is no Chromium")
    with sync_playwright() as playwright:
        yield playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])


@pytest.fixture
def visit(browser: Browser, live_athena: Athena) -> Iterator[Callable[..., Visit]]:
    """Logs a demo account in, through the page."""
    contexts: list[BrowserContext] = []

    def start(who: str, *, width: int = WIDE, javascript: bool = True) -> Visit:
        context = browser.new_context(viewport={"width": width, "height": 900}, java_script_enabled=javascript)
        context.set_default_timeout(PATIENCE_SECONDS * 1000)
        contexts.append(context)
        visit = Visit(context.new_page(), live_athena)
        visit.page.on("console", lambda said: visit.wrong.append(said.text) if said.type == "error" else None)
        visit.page.on("pageerror", lambda error: visit.wrong.append(str(error)))
        visit.go("/admin/login/")
        visit.page.fill("#id_username", f"{who}@example.com")
        visit.page.fill("#id_password", f"{who}123")
        visit.page.click("[type=submit]")
        visit.page.wait_for_url("**/admin/")
        return visit

    yield start
    for context in contexts:
        context.close()
