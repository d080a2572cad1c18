"""Every page has the Content-Security-Policy and contains nothing that it forbids."""

from datetime import date
from html.parser import HTMLParser

import pytest
from django.contrib import admin
from django.urls import reverse

from sales.reports.registry import REPORTS
from sales.services import periodic_tasks
from sales.services.follow_ups import follow_ups

STRICT = {
    "default-src": "'none'", "script-src": "'self'", "style-src": "'self'", "img-src": "'self' data:",
    "font-src": "'self'", "connect-src": "'self'", "form-action": "'self'", "base-uri": "'none'",
    "frame-ancestors": "'none'",
}  # fmt: skip
REPORT_PAGES = [f"/admin/reports/{slug}/" for slug in REPORTS]
RULES = [f"/admin/sales/leadscoringrule/{page}" for page in ("", "add/", "matches/")]
PAGES = [
    "/admin/",
    "/admin/password_change/",
    "/api/v1/docs",
    "/admin/sales/sourcespend/upload/",
    *RULES,
    *REPORT_PAGES,
]


class BlockedContent(HTMLParser):
    """Collects what a strict policy would block."""

    def __init__(self) -> None:
        super().__init__()
        self.blocked: list[str] = []

    def handle_starttag(self, tag, attributes):
        values = dict(attributes)
        has_data_type = (values.get("type") or "") not in ("", "module", "text/javascript")
        if tag == "style" or (tag == "script" and "src" not in values and not has_data_type):
            self.blocked.append(f"<{tag}>")
        self.blocked += [
            f"{name}={value}" for name, value in attributes
            if name == "style" or name.startswith("on") or (value or "").strip().lower().startswith("javascript:")
        ]  # fmt: skip
        for name in ("src", "href") if tag in ("script", "link", "img") else ():
            if (values.get(name) or "").startswith(("http:", "https:", "//")):
                self.blocked.append(values[name])


def assert_page_obeys_policy(response):
    assert response.status_code == 200
    policy = dict(part.strip().split(" ", 1) for part in response["Content-Security-Policy"].split(";"))
    page = BlockedContent()
    page.feed(response.content.decode())
    assert policy == STRICT
    assert page.blocked == []


@pytest.mark.parametrize("url", PAGES)
def test_a_page_obeys_the_policy(browse, admin_user_page, url):
    assert_page_obeys_policy(admin_user_page.get(url))


@pytest.fixture
def admin_user_page(browse, admin):
    return browse(admin)


def test_the_login_page_obeys_the_policy(client, db):
    assert_page_obeys_policy(client.get("/admin/login/"))


@pytest.mark.parametrize("model", admin.site._registry, ids=lambda model: model._meta.label)
@pytest.mark.parametrize("name", ["changelist", "add", "change", "history", "delete"])
def test_an_admin_page_obeys_the_policy(browse, admin, manager, rep, make_lead, model, name):
    periodic_tasks.install()
    lead = make_lead(assigned_to=rep)
    follow_ups.create(by=rep, lead_id=lead.pk, follow_up_type="call", scheduled_date=date(2027, 1, 5))
    page = f"admin:{model._meta.app_label}_{model._meta.model_name}_{name}"
    row = model._default_manager.first()
    if name in ("change", "history", "delete") and row is None:
        return
    response = browse(admin).get(reverse(page, args=[row.pk] if name in ("change", "history", "delete") else []))
    if response.status_code != 403:
        assert_page_obeys_policy(response)
