"""The page that imports spend from a file."""

from datetime import date

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from sales.models import LeadSource, SourceSpend
from tests.sales.admin.scoring.test_scoring_rules import read_page

UPLOAD = reverse("admin:sales_sourcespend_upload")
HEADER = "month,source,campaign,amount\n"


@pytest.fixture
def fair(db):
    source = LeadSource.objects.create(name="<Fair>")
    SourceSpend.objects.create(source=source, month=date(2026, 5, 1), amount=310)
    return source


def test_a_file_is_previewed_and_then_saved(browse, manager, fair):
    content = f"{HEADER}2026-05,<fair>,,320\n2026-06,<Fair>,June,5.50\n"
    client = browse(manager)
    upload = SimpleUploadedFile("spend.csv", b"\xef\xbb\xbf" + content.encode())

    preview = read_page(client.post(UPLOAD, {"step": "preview", "file": upload}))
    assert "What would be saved: 2 amounts, $325.50 in all" in preview
    assert "Replaces $310" in preview
    assert SourceSpend.objects.count() == 1

    response = client.post(UPLOAD, {"step": "save", "text": content}, follow=True)
    assert response.redirect_chain == [(reverse("admin:sales_sourcespend_changelist"), 302)]
    assert "2 amounts were saved, $325.50 in all." in read_page(response)
    assert list(SourceSpend.objects.order_by("month").values_list("campaign", "amount")) == [("", 320), ("June", 5.5)]


def test_a_file_with_a_wrong_row_is_not_saved(browse, manager, fair):
    content = f"{HEADER}2026-06,<Fair>,,1\n2026-05,Expo,,x\n"
    page = read_page(browse(manager).post(UPLOAD, {"step": "save", "text": content}))
    assert "Wrong rows: 1 of 2. Correct them first." in page
    assert "1 of 2 rows is wrong" in page
    assert SourceSpend.objects.count() == 1


@pytest.mark.parametrize(
    "data",
    [
        pytest.param({"file": ("month".encode("utf-16"))}, id="no rows"),
        pytest.param({"file": b""}, id="an empty file"),
        pytest.param({"file": b"x" * 1_000_001}, id="a byte too many"),
        pytest.param({"text": ""}, id="nothing"),
        pytest.param({"text": "colour\nred\n"}, id="other columns"),
    ],
)
def test_what_is_not_a_file_of_spend_is_refused(browse, manager, fair, data):
    values = {
        name: SimpleUploadedFile("x.csv", value) if isinstance(value, bytes) else value for name, value in data.items()
    }
    assert 'class="errorlist"' in read_page(browse(manager).post(UPLOAD, {"step": "save", **values}))
    assert SourceSpend.objects.count() == 1
