"""Spend from a CSV file: planned first, then written as a whole or not at all."""

from datetime import date
from decimal import Decimal

import pytest

from sales import errors
from sales.models import LeadSource, SourceSpend
from sales.services import sources
from sales.services.imports import spend_import

MAY = date(2026, 5, 1)
HEADER = "month,source,campaign,amount\n"


@pytest.fixture
def fair(db):
    return LeadSource.objects.create(name="Fair")


def list_spend():
    return list(SourceSpend.objects.order_by("month", "campaign").values_list("month", "campaign", "amount"))


def test_a_file_is_planned_and_then_saved_whole(manager, fair):
    sources.set_spend(by=manager, source_id=fair.pk, month=MAY, amount=Decimal(10))
    text = '\ufeffSource,month,Amount,campaign\r\nfair,2026-05,20.50,\r\n\r\n Fair ,2026-06-01,7,"June, 1st"\r\n'

    plan = spend_import.plan_spend(by=manager, text=text)

    assert [row.line for row in plan.rows] == [2, 4]
    assert [row.amount for row in plan.rows] == [Decimal("20.50"), Decimal(7)]
    assert [row.replaces for row in plan.rows] == [Decimal("10.00"), None]
    assert plan.wrong_rows == []
    assert plan.total == Decimal("27.50")
    assert list_spend() == [(MAY, "", 10)]

    spend_import.save_spend(by=manager, text=text)
    assert list_spend() == [(MAY, "", Decimal("20.50")), (date(2026, 6, 1), "June, 1st", Decimal(7))]
    spend_import.save_spend(by=manager, text=text)
    assert len(list_spend()) == 2


def test_spend_that_the_file_does_not_name_stays(manager, fair):
    other = LeadSource.objects.create(name="Other")
    for source, month, campaign in ((other, MAY, ""), (fair, date(2026, 4, 1), ""), (fair, MAY, "weddings")):
        sources.set_spend(by=manager, source_id=source.pk, month=month, amount=Decimal(10), campaign=campaign)

    spend_import.save_spend(by=manager, text=HEADER + "2026-05,Fair,,20\n")

    amounts = SourceSpend.objects.values_list("source__name", "month", "campaign", "amount")
    assert set(amounts) == {
        ("Other", MAY, "", 10),
        ("Fair", date(2026, 4, 1), "", 10),
        ("Fair", MAY, "weddings", 10),
        ("Fair", MAY, "", 20),
    }


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        pytest.param("2026-13,Fair,,1", "month", id="month 13"),
        pytest.param("05/2026,Fair,,1", "month", id="year last"),
        pytest.param("2026-05-02,Fair,,1", "month", id="a date"),
        pytest.param("2026-05,Fare,,1", "no source", id="unknown source"),
        pytest.param("2026-05,,,1", "no source", id="no source"),
        pytest.param("2026-05,Fair,,-1", "Amount", id="below zero"),
        pytest.param("2026-05,Fair,,1e3", "Amount", id="exponent"),
        pytest.param("2026-05,Fair,,١", "Amount", id="Arabic digit"),
        pytest.param("2026-05,Fair,,1.234", "Amount", id="thousands or not"),
        pytest.param("2026-05,Fair,,99999999999", "Amount", id="too large"),
        pytest.param("2026-05,Fair,,NaN", "Amount", id="not a number"),
        pytest.param("2026-05,Fair,1", "columns", id="a cell too few"),
        pytest.param(f"2026-05,Fair,{'x' * 101},1", "campaign", id="long campaign"),
        pytest.param("2026-06,Fair,,1", "Line 2 is for the same month", id="repeated"),
    ],
)
def test_a_wrong_row_is_named_and_nothing_is_saved(manager, fair, row, problem):
    text = f"{HEADER}2026-06,Fair,,5\n{row}\n"

    (wrong,) = spend_import.plan_spend(by=manager, text=text).wrong_rows

    assert wrong.line == 3
    (only_problem,) = wrong.problems
    assert problem in only_problem
    with pytest.raises(spend_import.SpendRefused, match="Wrong rows: 1 of 2"):
        spend_import.save_spend(by=manager, text=text)
    assert list_spend() == []


@pytest.mark.parametrize(
    "cells", ["2026-05,Fair,,#REF!", "=A1,Fair,,1", "2026-05,Fair,########,1", "2026-05,Fair,,€ 5"]
)
def test_a_cell_without_a_value_makes_its_row_wrong(manager, fair, cells):
    assert len(spend_import.plan_spend(by=manager, text=HEADER + cells).wrong_rows) == 1


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="empty"),
        pytest.param("\n", id="blank"),
        pytest.param("a,b\n1,2\n", id="other columns"),
        pytest.param(HEADER, id="header only"),
        pytest.param("month,source,amount\n", id="a column too few"),
        pytest.param("month,month,source,campaign,amount\n", id="a column twice"),
        pytest.param(HEADER + '2026-05,"x', id="open quotation"),
        pytest.param(HEADER + "\x00", id="NUL"),
        pytest.param(HEADER + "2026-05,Fair,,1\n" * (spend_import.MAX_ROWS + 1), id="a row too many"),
    ],
)
def test_text_that_is_not_such_a_table_is_refused(manager, fair, text):
    with pytest.raises(errors.Invalid) as refused:
        spend_import.save_spend(by=manager, text=text)
    assert list(refused.value.fields) == ["file"]
    assert list_spend() == []


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_text_file_is_decoded(encoding):
    assert spend_import.decode_file("Straße\n".encode(encoding)) == "Straße\n"


@pytest.mark.parametrize(
    "content", [b"\xff\xfe\x00", "Straße".encode("latin-1"), b"PK\x03\x04"], ids=["cut off", "latin-1", "ZIP"]
)
def test_a_file_that_is_not_text_is_refused(content):
    with pytest.raises(errors.Invalid):
        spend_import.decode_file(content)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(HEADER + "2026-05,Fair,June,1200.50\n", id="commas"),
        pytest.param(HEADER.replace(",", ";") + "2026-05;Fair;June;1,200.50\n", id="semicolons"),
        pytest.param("\r\n" + HEADER.replace(",", "|") + "May-26|Fair|June|$1,200.50\r", id="bars"),
        pytest.param(
            "sep=\t\n" + HEADER.replace(",", "\t") + "2026/5\tFair\tJune\t1200.50 USD\nTotal\t\t\t1200.50",
            id="tabs and a total",
        ),
        pytest.param(
            HEADER + '2026-05-01 00:00:00, Fair, \u200bJune\xa0, "1,200.50"\n\nGenerated by Ads Manager,,,\n',
            id="spaces and a footer",
        ),
        pytest.param(HEADER + "May 2026,Fair,June,'1200.4999\n", id="apostrophe"),
    ],
)
def test_spreadsheets_write_the_same_in_many_ways(manager, fair, text):
    spend_import.save_spend(by=manager, text=text)
    assert list_spend() == [(MAY, "June", Decimal("1200.50"))]
