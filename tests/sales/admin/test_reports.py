"""The reports' pages: the chart, the table, the file. (Their figures: tests/sales/queries.)"""

from datetime import date

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from sales.models import LeadSource, SourceSpend
from tests.sales.admin.test_rules import text

UPLOAD = reverse("admin:sales_sourcespend_upload")
HEAD = "month,source,campaign,amount\n"


def page(name):
    return reverse(f"admin:sales_leadsource_{name}")


@pytest.fixture
def fair(make_lead, rep):
    source = LeadSource.objects.create(name="<Fair>")
    SourceSpend.objects.create(source=source, month=date(2026, 5, 1), amount=310)
    make_lead(
        assigned_to=rep, source=source, status="won", booked_value=1200, created_at="2026-05-10T12:00Z",
        first_contacted_at="2026-05-10T15:00Z",
    )  # fmt: skip
    make_lead(
        assigned_to=rep, source=source, status="lost", lost_reason_id="price", created_at="2026-05-10T12:00Z",
        closed_at="2026-05-12T12:00Z",
    )  # fmt: skip
    return source


def test_what_sources_earn(browse, manager, fair):
    found = text(browse(manager).get(page("roi") + "?start_date=2026-05-01&end_date=2026-05-10"))
    assert '<th scope="row">&lt;Fair&gt;</th>' in found
    assert "<title>&lt;Fair&gt;: 1,200</title>" in found
    assert "<title>&lt;Fair&gt;: 100</title>" in found
    assert '<td class="number">1,100</td>' in found  # (1200 - 100) / 100, in per cent
    assert "start_date=2026-05-01&amp;end_date=2026-05-10&amp;format=csv" in found


@pytest.mark.parametrize(("name", "title"), [("speed", "Time to first contact"), ("losses", "Lost leads")])
def test_the_others(browse, manager, fair, name, title):
    found = text(browse(manager).get(page(name)))
    assert f"<figcaption>{title}" in found
    assert "<svg viewBox=" in found


@pytest.mark.parametrize("name", ["roi", "speed", "losses"])
def test_the_file_is_the_same_as_the_apis(browse, api, manager, fair, name):
    path = {"roi": "source-roi"}.get(name, name)
    ours = browse(manager).get(page(name) + "?by=source&format=csv")
    assert ours.content == api(manager).get(f"/api/v1/sales/reports/{path}?by=source&format=csv").content


def test_what_is_asked_wrongly_is_said_beside_it(browse, manager, fair):
    found = text(browse(manager).get(page("roi") + "?start_date=2026-05-02&end_date=2026-05-01"))
    assert "The end is before the start." in found
    assert "<tfoot>" not in found
    assert "Enter a valid date." in text(browse(manager).get(page("speed") + "?start_date=x"))
    assert "Select a valid choice" in text(browse(manager).get(page("losses") + "?by=colour"))


def test_nothing_in_the_period(browse, manager):
    assert "There is nothing in this period." in text(browse(manager).get(page("losses")))


def test_spend_from_a_file_is_looked_at_and_then_saved(browse, manager, fair):
    content = f"{HEAD}2026-05,<fair>,,320\n2026-06,<Fair>,June,5.50\n"
    browser = browse(manager)
    upload = SimpleUploadedFile("spend.csv", b"\xef\xbb\xbf" + content.encode())
    looked = text(browser.post(UPLOAD, {"step": "preview", "file": upload}))
    assert "What would be saved: 2 amounts, 325.50 in all" in looked
    assert "replaces 310.00" in looked
    assert SourceSpend.objects.count() == 1
    answer = browser.post(UPLOAD, {"step": "save", "text": content})
    assert answer["Location"] == reverse("admin:sales_sourcespend_changelist")
    assert list(SourceSpend.objects.order_by("month").values_list("campaign", "amount")) == [("", 320), ("June", 5.5)]


def test_a_wrong_file_is_not_saved(browse, manager, fair):
    browser = browse(manager)
    wrong = text(browser.post(UPLOAD, {"step": "save", "text": f"{HEAD}2026-06,<Fair>,,1\n2026-05,Expo,,x\n"}))
    assert "1 of 2 lines are wrong." in wrong
    for files in (
        {"file": SimpleUploadedFile("x.csv", "month".encode("utf-16"))}, {"file": SimpleUploadedFile("x.csv", b"")},
        {"file": SimpleUploadedFile("x.csv", b"x" * 1_000_001)}, {"text": ""}, {"text": "colour\nred\n"},
    ):  # fmt: skip
        assert 'class="errorlist"' in text(browser.post(UPLOAD, {"step": "save", **files}))
    assert SourceSpend.objects.count() == 1
