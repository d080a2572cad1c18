"""No cell in a file of Athena runs as a formula, and Athena reads its own files back unchanged."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from athena.http.spreadsheet_cells import escape_formula, unescape_formula


@pytest.mark.parametrize(
    ("typed", "cell"),
    [
        ("=1+1", "'=1+1"),
        ("+12125550100", "'+12125550100"),
        ("-5", "'-5"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\t=1"),
        ("\tx", "'\tx"),
        ("\rx", "'\rx"),
        ("  =1", "'  =1"),
        ("\u00a0=1", "'\u00a0=1"),
        ("\ufeff=1", "'\ufeff=1"),
        ("＝1", "'＝1"),
        ("two\n=lines", "two\n'=lines"),
        ("two\r\n  =lines", "two\r\n'  =lines"),
        ("two\r=lines", "two\r'=lines"),
        ("\n=1", "\n'=1"),
        ("two\u2028=lines", "two\u2028'=lines"),
        ("'=1", "''=1"),
        ("a=1", "a=1"),
        ("O'Hara", "O'Hara"),
        ("'tis", "'tis"),
        ("", ""),
    ],
)
def test_a_formula_gets_an_apostrophe_and_loses_it_again(typed: str, cell: str) -> None:
    assert escape_formula(typed) == cell
    assert unescape_formula(cell) == typed


@pytest.mark.parametrize("value", [None, True, -5, Decimal("-1.50"), -0.5, date(2026, 5, 1)])
def test_other_values_than_text_stay_as_they_are(value: object) -> None:
    assert escape_formula(value) is value


@given(st.text(alphabet="='+-@\t\r\n \u2028a", max_size=12))
def test_any_text_is_read_back_and_no_line_of_it_is_a_formula(text: str) -> None:
    cell = escape_formula(text)
    assert unescape_formula(cell) == text
    assert not any(line.lstrip()[:1] in tuple("=+-@") or line[0] in "\t\r" for line in cell.splitlines(keepends=True))
