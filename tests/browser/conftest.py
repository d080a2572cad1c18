"""A real browser on a running Athena. Console errors and serious accessibility problems fail a test."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, sync_playwright

from tests.live import PATIENCE_SECONDS, Athena

WIDE, PHONE = 1440, 390
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]


@dataclass
class Visit:
    """A browser page of a signed-in user. `console_errors` includes violations of the CSP."""

    page: Page
    athena: Athena
    console_errors: list[str] = field(default_factory=list)

    def keep_error(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.console_errors.append(message.text)

    def go(self, path: str) -> Page:
        response = self.page.goto(self.athena.base_url + path)
        assert response is not None
        assert response.status == 200, path
        return self.page

    def problems(self) -> list[str]:
        """Console errors, content wider than the screen, and serious violations of WCAG 2.2 AA."""
        problems = [f"console: {text}" for text in self.console_errors]
        width = self.page.evaluate("document.documentElement.scrollWidth")
        if width > self.page.viewport_size["width"]:  # type: ignore[index]
            problems.append(f"{width} pixels wide")
        for violation in Axe().run(self.page, options={"runOnly": RULES}).response["violations"]:
            if violation["impact"] in ("serious", "critical"):
                problems += [f"{violation['id']}: {node['html'][:160]}" for node in violation["nodes"][:3]]
        self.console_errors.clear()  # also those of axe, whose own styles the CSP forbids
        return problems


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if program is None:
        pytest.skip("there is no Chromium")
    with sync_playwright() as playwright:
        yield playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])


@pytest.fixture
def visit(browser: Browser, live_athena: Athena) -> Iterator[Callable[..., Visit]]:
    """Signs in with a demo account on the login page: `visit("maria")`."""
    contexts: list[BrowserContext] = []

    def start(who: str, *, width: int = WIDE, javascript: bool = True) -> Visit:
        context = browser.new_context(viewport={"width": width, "height": 900}, java_script_enabled=javascript)
        context.set_default_timeout(PATIENCE_SECONDS * 1000)
        contexts.append(context)
        visit = Visit(context.new_page(), live_athena)
        visit.page.on(
            "console", lambda message: visit.console_errors.append(message.text) if message.type == "error" else None
        )
        visit.page.on("pageerror", lambda error: visit.console_errors.append(str(error)))
        visit.go("/admin/login/")
        visit.page.fill("#id_username", f"{who}@example.com")
        visit.page.fill("#id_password", f"{who}123")
        visit.page.click("[type=submit]")
        visit.page.wait_for_url("**/admin/")
        return visit

    yield start
    for context in contexts:
        context.close()
