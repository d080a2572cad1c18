"""Lead sources and their monthly spend."""

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


def list_spend():
    return list(SourceSpend.objects.order_by("month", "campaign").values_list("month", "campaign", "amount"))


def test_managers_create_and_change_sources(manager, rep):
    source = sources.create(by=manager, values={"name": "Expo", "channel": "trade_show"})
    sources.update(by=manager, source_id=source.pk, changes={"is_active": False, "unit_cost": Decimal("2.50")})
    source.refresh_from_db()
    assert source.channel == "trade_show"
    assert source.is_active is False
    assert source.unit_cost == Decimal("2.50")
    for call in (
        lambda: sources.create(by=rep, values={"name": "Mine"}),
        lambda: sources.update(by=rep, source_id=source.pk, changes={"name": "Mine"}),
        lambda: sources.set_spend(by=rep, source_id=source.pk, month=MAY, amount=Decimal(1)),
        lambda: spend_import.save_spend(by=rep, text=""),
    ):
        with pytest.raises(errors.NotAllowed):
            call()


def test_a_source_name_is_unique(manager, fair):
    with pytest.raises(errors.Invalid) as refused:
        sources.create(by=manager, values={"name": "Fair"})
    assert list(refused.value.fields) == ["name"]
    other = sources.create(by=manager, values={"name": "Other"})
    with pytest.raises(errors.Invalid):
        sources.update(by=manager, source_id=other.pk, changes={"name": "Fair"})


def test_a_month_has_one_amount_which_can_be_replaced(manager, fair):
    first, is_first_new = sources.set_spend(by=manager, source_id=fair.pk, month=MAY, amount=Decimal(10))
    second, is_second_new = sources.set_spend(by=manager, source_id=fair.pk, month=MAY, amount=Decimal(12))
    assert is_first_new is True
    assert is_second_new is False
    assert first.pk == second.pk
    assert list_spend() == [(MAY, "", 12)]
    with pytest.raises(errors.Invalid):
        sources.set_spend(by=manager, source_id=fair.pk, month=date(2026, 5, 2), amount=Decimal(12))
    with pytest.raises(errors.NotFound):
        sources.set_spend(by=manager, source_id=9999, month=MAY, amount=Decimal(12))
