"""Sources, and what they cost, month by month or from a file."""

from datetime import date
from decimal import Decimal

import pytest

from sales import errors
from sales.models import LeadSource, SourceSpend
from sales.services import sources
from sales.services.imports import spend_import

MAY = date(2026, 5, 1)


@pytest.fixture
def fair(db):
    return LeadSource.objects.create(name="Fair")


def spent():
    return list(SourceSpend.objects.order_by("month", "campaign").values_list("month", "campaign", "amount"))


def test_a_source_is_made_and_changed_by_managers(manager, rep):
    source = sources.create(by=manager, values={"name": "Expo", "channel": "trade_show"})
    sources.update(by=manager, source_id=source.pk, changes={"is_active": False, "unit_cost": Decimal("2.50")})
    source.refresh_from_db()
    assert (source.channel, source.is_active, source.unit_cost) == ("trade_show", False, Decimal("2.50"))
    for call in (
        lambda: sources.create(by=rep, values={"name": "Mine"}),
        lambda: sources.update(by=rep, source_id=source.pk, changes={"name": "Mine"}),
        lambda: sources.set_spend(by=rep, source_id=source.pk, month=MAY, amount=Decimal(1)),
        lambda: spend_import.save_spend(by=rep, text=""),
    ):
        with pytest.raises(errors.NotAllowed):
            call()


def test_a_name_is_given_once(manager, fair):
    with pytest.raises(errors.Invalid) as refused:
        sources.create(by=manager, values={"name": "Fair"})
    assert list(refused.value.fields) == ["name"]
    other = sources.create(by=manager, values={"name": "Other"})
    with pytest.raises(errors.Invalid):
        sources.update(by=manager, source_id=other.pk, changes={"name": "Fair"})


def test_spend_is_said_once_a_month_and_replaced(manager, fair):
    first = sources.set_spend(by=manager, source_id=fair.pk, month=MAY, amount=Decimal(10))
    again = sources.set_spend(by=manager, source_id=fair.pk, month=MAY, amount=Decimal(12))
    assert (first[1], again[1], first[0].pk == again[0].pk, spent()) == (True, False, True, [(MAY, "", 12)])
    with pytest.raises(errors.Invalid):
        sources.set_spend(by=manager, source_id=fair.pk, month=date(2026, 5, 2), amount=Decimal(12))
    with pytest.raises(errors.NotFound):
        sources.set_spend(by=manager, source_id=9999, month=MAY, amount=Decimal(12))


def test_a_file_is_planned_and_then_written_whole(manager, fair):
    sources.set_spend(by=manager, source_id=fair.pk, month=MAY, amount=Decimal(10))
    text = '\ufeffSource,month,Amount,campaign\r\nfair,2026-05,20.50,\r\n\r\n Fair ,2026-06-01,7,"June, 1st"\r\n'
    plan = spend_import.plan_spend(by=manager, text=text)
    assert [(line.number, line.amount, line.replaces, line.wrong) for line in plan.lines] == [
        (2, Decimal("20.50"), Decimal("10.00"), ()), (4, Decimal(7), None, ()),
    ]  # fmt: skip
    assert (plan.total, spent()) == (Decimal("27.50"), [(MAY, "", 10)])
    spend_import.save_spend(by=manager, text=text)
    assert spent() == [(MAY, "", Decimal("20.50")), (date(2026, 6, 1), "June, 1st", Decimal(7))]
    spend_import.save_spend(by=manager, text=text)
    assert len(spent()) == 2


HEAD = "month,source,campaign,amount\n"


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("2026-13,Fair,,1", "month"), ("05/2026,Fair,,1", "month"), ("2026-05-02,Fair,,1", "month"),
        ("2026-05,Fare,,1", "no source"), ("2026-05,,,1", "no source"), ("2026-05,Fair,,-1", "amount"),
        ("2026-05,Fair,,1e3", "amount"), ("2026-05,Fair,,١", "amount"), ("2026-05,Fair,,1.234", "amount"),
        ("2026-05,Fair,,99999999999", "amount"), ("2026-05,Fair,,NaN", "amount"), ("2026-05,Fair,1", "columns"),
        (f"2026-05,Fair,{'x' * 101},1", "campaign"), ("2026-06,Fair,,1", "Line 2 says it already"),
    ],
)  # fmt: skip
def test_a_wrong_line_is_named_and_nothing_is_written(manager, fair, line, why):
    text = f"{HEAD}2026-06,Fair,,5\n{line}\n"
    (wrong,) = spend_import.plan_spend(by=manager, text=text).wrong
    assert (wrong.number, len(wrong.wrong), why in wrong.wrong[0]) == (3, 1, True)
    with pytest.raises(spend_import.SpendRefused, match="1 of 2 lines are wrong"):
        spend_import.save_spend(by=manager, text=text)
    assert spent() == []


@pytest.mark.parametrize(
    "text",
    ["", "\n", "a,b\n1,2\n", HEAD, "month,source,amount\n", "month,month,source,campaign,amount\n", HEAD + '2026-05,"x',
     HEAD + "\x00", HEAD + "2026-05,Fair,,1\n" * (spend_import.MAX_ROWS + 1)],
)  # fmt: skip
def test_what_is_no_such_table_is_refused(manager, fair, text):
    with pytest.raises(errors.Invalid) as refused:
        spend_import.save_spend(by=manager, text=text)
    assert list(refused.value.fields) == ["file"]
    assert spent() == []


def test_files_are_text():
    for encoding in ("utf-8", "utf-8-sig", "utf-16"):
        assert spend_import.decode_file("Straße\n".encode(encoding)) == "Straße\n"
    for content in (b"\xff\xfe\x00", "Straße".encode("latin-1"), b"PK\x03\x04"):
        with pytest.raises(errors.Invalid):
            spend_import.decode_file(content)


@pytest.mark.parametrize(
    "text",
    [
        HEAD + "2026-05,Fair,June,1200.50\n",
        HEAD.replace(",", ";") + "2026-05;Fair;June;1,200.50\n",
        "\r\n" + HEAD.replace(",", "|") + "May-26|Fair|June|$1,200.50\r",
        "sep=\t\n" + HEAD.replace(",", "\t") + "2026/5\tFair\tJune\t1200.50 USD\nTotal\t\t\t1200.50",
        HEAD + '2026-05-01 00:00:00, Fair, \u200bJune\xa0, "1,200.50"\n\nGenerated by Ads Manager,,,\n',
        HEAD + "May 2026,Fair,June,'1200.4999\n",
    ],
)
def test_spreadsheets_write_the_same_in_many_ways(manager, fair, text):
    spend_import.save_spend(by=manager, text=text)
    assert spent() == [(MAY, "June", Decimal("1200.50"))]


@pytest.mark.parametrize("line", ["2026-05,Fair,,#REF!", "=A1,Fair,,1", "2026-05,Fair,########,1", "2026-05,Fair,,€ 5"])
def test_what_is_no_value_is_refused_there_too(manager, fair, line):
    assert len(spend_import.plan_spend(by=manager, text=HEAD + line).wrong) == 1
