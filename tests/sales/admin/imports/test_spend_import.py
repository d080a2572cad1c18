"""The page on which a manager uploads a file of spend."""

from datetime import date

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from sales.models import LeadSource, SourceSpend
from tests.sales.admin.scoring.test_scoring_rules import text

UPLOAD = reverse("admin:sales_sourcespend_upload")
HEADER = "month,source,campaign,amount\n"


@pytest.fixture
def fair(db):
    source = LeadSource.objects.create(name="<Fair>")
    SourceSpend.objects.create(source=source, month=date(2026, 5, 1), amount=310)
    return source


def test_spend_from_a_file_is_looked_at_and_then_saved(browse, manager, fair):
    content = f"{HEADER}2026-05,<fair>,,320\n2026-06,<Fair>,June,5.50\n"
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
    wrong = text(browser.post(UPLOAD, {"step": "save", "text": f"{HEADER}2026-06,<Fair>,,1\n2026-05,Expo,,x\n"}))
    assert "1 of 2 lines are wrong." in wrong
    for files in (
        {"file": SimpleUploadedFile("x.csv", "month".encode("utf-16"))}, {"file": SimpleUploadedFile("x.csv", b"")},
        {"file": SimpleUploadedFile("x.csv", b"x" * 1_000_001)}, {"text": ""}, {"text": "colour\nred\n"},
    ):  # fmt: skip
        assert 'class="errorlist"' in text(browser.post(UPLOAD, {"step": "save", **files}))
    assert SourceSpend.objects.count() == 1
