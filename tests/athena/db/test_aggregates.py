"""Percentiles and durations are the same on both databases."""

from datetime import UTC, datetime, timedelta
from statistics import median, quantiles

import pytest
from django.db.models import F, FloatField, Q, Value
from django.db.models.functions import Cast

from athena.db.aggregates import Hours, Percentile
from sales.models import Lead

AT = datetime(2026, 3, 8, tzinfo=UTC)


@pytest.fixture
def passengers(make_lead):
    numbers = [5, 1, 4, 1, 50, 9, 2, 6, 53]
    for number in (*numbers, None):
        make_lead(estimated_passengers=number)
    return numbers


def aggregate_passengers(**percentiles):
    value = Cast(F("estimated_passengers"), FloatField())
    return Lead.objects.aggregate(**{name: Percentile(value, *arguments) for name, arguments in percentiles.items()})


def test_percentiles_equal_those_of_python(passengers):
    medians = aggregate_passengers(median=(), p90=(0.9,), least=(0.0,), most=(1.0,))
    p90 = quantiles(passengers, n=10, method="inclusive")[-1]
    assert medians == {"median": median(passengers), "p90": pytest.approx(p90), "least": 1.0, "most": 53.0}


def test_percentiles_of_no_rows_one_row_and_two_rows(make_lead):
    assert aggregate_passengers(median=()) == {"median": None}
    make_lead(estimated_passengers=10)
    assert aggregate_passengers(median=(), p90=(0.9,)) == {"median": 10.0, "p90": 10.0}
    make_lead(estimated_passengers=20)
    assert aggregate_passengers(median=(), p90=(0.9,)) == {"median": 15.0, "p90": pytest.approx(19.0)}


def test_percentiles_by_group_and_with_a_filter(passengers):
    Lead.objects.filter(estimated_passengers__gte=50).update(status="contacted")
    value = Cast(F("estimated_passengers"), FloatField())
    below = Percentile(value, filter=Q(estimated_passengers__lt=53))
    medians = Lead.objects.order_by().values_list("status").annotate(median=below)
    assert dict(medians) == {"new": 4.0, "contacted": 50.0}


def test_hours_between_two_datetimes(make_lead):
    make_lead(created_at=AT, closed_at=AT + timedelta(days=2, minutes=45, microseconds=36))
    make_lead(created_at=AT, closed_at=AT - timedelta(hours=1))
    make_lead(created_at=AT)
    percentiles = Lead.objects.annotate(
        hours=Hours("created_at", "closed_at"), days=Hours("created_at", Value(AT)) / 24.0
    )
    assert [(pytest.approx(lead.hours) if lead.hours else None, lead.days) for lead in percentiles.order_by("pk")] == [
        (48.75000001, 0.0), (-1.0, 0.0), (None, 0.0),
    ]  # fmt: skip
