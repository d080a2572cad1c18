"""Tables as CSV, and that no cell is a formula."""

import csv
import io
from decimal import Decimal

import pytest

from athena.http.tables import columns_of, csv_response, safe


@pytest.mark.parametrize(
    "text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", " =1", "\u00a0=1", "fine\n=1", "a\r\n -1"]
)
def test_what_a_spreadsheet_would_run_is_text(text):
    assert all(not line.lstrip().startswith(("=", "+", "-", "@")) for line in safe(text).split("\n"))
    assert safe(text).replace("'", "") == text


@pytest.mark.parametrize("cell", ["plain", "a-b", "1 = 1", "", "it's", -1, Decimal("-1.50"), None])
def test_what_it_would_not_stays(cell):
    assert safe(cell) is cell or safe(cell) == cell


def test_a_file():
    rows = [
        {"name": 'Łódź, "fair"', "quote": {"median": -1.5, "p90": None}},
        {"name": "=cmd", "quote": {"median": 2, "p90": 3}},
    ]
    answer = csv_response("speed", columns_of(rows[0]), rows)
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert answer["Content-Disposition"] == 'attachment; filename="speed.csv"'
    assert answer.content.startswith(b"\xef\xbb\xbf")
    assert list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig")))) == [
        ["name", "quote.median", "quote.p90"], ['Łódź, "fair"', "-1.5", ""], ["'=cmd", "2", "3"],
    ]  # fmt: skip
