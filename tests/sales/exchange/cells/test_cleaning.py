"""What spreadsheets and other programs leave in cells: cleaned with a remark, or refused with the reason."""

import pytest

from sales.exchange.cells import parsing
from sales.exchange.cells.cleaning import Kind, clean
from sales.exchange.columns import BY_NAME, COLUMNS
from sales.exchange.row_reader import read_row

LOOKUPS = parsing.Lookups()
ERRORS = (
    *("#DIV/0!", "#N/A", "#NAME?", "#NULL!", "#NUM!", "#REF!", "#VALUE!", "#SPILL!", "#CALC!", "#GETTING_DATA"),
    *("#BLOCKED!", "#FIELD!", "#CONNECT!", "#UNKNOWN!", "#BUSY!", "#PYTHON!", "#ERROR!", "#NV", "#WERT!", "Err:502"),
    *("##", "########", "=A1", "\u200b=A1", " =SUM(A1)", "Caf\ufffd", "\ufeff#REF!"),
)


@pytest.mark.parametrize("text", ERRORS)
def test_a_formula_or_an_error_is_refused_in_every_column(text):
    for column in COLUMNS:
        values, problems = read_row([column.name], [text], LOOKUPS)
        assert values == {}
        assert list(problems) == [column.label]


@pytest.mark.parametrize("name", [column.name for column in COLUMNS if column.kind.name in ("LINE", "PHONE", "TEXT")])
@pytest.mark.parametrize("text", ["4.4791E+11", "6.17556E+09", "4,4791E+11", "1E+15"])
def test_a_number_that_has_lost_digits_is_refused_in_every_text(name, text):
    _, problems = read_row([name], [text], LOOKUPS)
    assert list(problems) == [BY_NAME[name].label]


@pytest.mark.parametrize(
    ("column", "text", "value", "has_remark"),
    [
        ("phone", "6175550142.0", "6175550142", True),
        ("phone", "'6175550142", "6175550142", True),
        ("phone", "'+1 617 555 0142", "+1 617 555 0142", False),
        ("phone", "p:+16175550177", "+16175550177", True),
        ("phone", "tel:+1-617-555-0177", "+1-617-555-0177", True),
        ("phone", "Ph: 617 555 0177", "617 555 0177", True),
        ("phone", "Mobile: 617 555 0177", "617 555 0177", True),
        ("phone", "\u202a+1 617 555 0156\u202c", "+1 617 555 0156", True),
        ("phone", "617\xa0555\u202f0157", "617 555 0157", False),
        ("phone", "-", None, True),
        ("phone", "n/a", None, True),
        ("email", "ann@x.example\u200b", "ann@x.example", True),
        ("email", "mailto:ann@x.example", "ann@x.example", True),
        ("email", "E-mail: ann@x.example", "ann@x.example", True),
        ("email", "Ann Smith <ann@x.example>", "ann@x.example", False),
        ("email", '"Smith, Ann" <ann@x.example>', "ann@x.example", False),
        ("email", "'ann@x.example", "ann@x.example", True),
        ("email", "ann@x.example;", "ann@x.example", False),
        ("email", "None", None, True),
        ("company_name", "Echo\r\n Athletics", "Echo Athletics", True),
        ("company_name", "Echo\vAthletics", "Echo Athletics", True),
        ("company_name", "NBSP\xa0Club", "NBSP Club", False),
        ("company_name", "Be\u00adta\ufeff", "Beta", True),
        ("company_name", "'t Hooft", "'t Hooft", False),
        ("company_name", "\u0646\u200c\u0645", "\u0646\u200c\u0645", False),
        ("campaign", "2026.0", "2026", True),
        ("contact_name", "Nil", "Nil", False),
        ("notes", "line 1\vline 2", "line 1\nline 2", False),
        ("estimated_passengers", "44.99999999", 45, True),
        ("estimated_passengers", "'45", 45, True),
        ("estimated_passengers", "1 200", 1200, False),
        ("estimated_passengers", "1\u202f200", 1200, False),
        ("is_repeat", "1.0", True, False),
        ("estimated_passengers", "n/a", None, True),
        ("estimated_value", "1353.125", "1353.13", True),
        ("estimated_value", "1200.00", "1200.00", False),
        ("is_repeat", "-", None, True),
    ],
)
def test_cells_are_cleaned_and_visible_changes_have_a_remark(column, text, value, has_remark):
    cleaned = {}
    values, problems = read_row([column], [text], LOOKUPS, [column], cleaned)
    assert problems == {}
    assert values.get(column) == value
    assert bool(cleaned) is has_remark


@pytest.mark.parametrize(("kind", "longest"), [(Kind.LINE, 2_000), (Kind.VALUE, 300)])
def test_text_of_the_greatest_length_is_cleaned_and_longer_text_is_refused(kind, longest):
    text = "é" * longest
    assert clean(text, kind) == (text, [])
    with pytest.raises(ValueError, match=f"Shorten it to {longest:,}"):
        clean(f"{text}é", kind)
