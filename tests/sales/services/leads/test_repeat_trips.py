"""Repeat trips: which won trips are due for another call, and the leads that copy them."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
import time_machine
from django.db import IntegrityError, transaction

from notifications.models import Notification
from sales import errors
from sales.models import FollowUp, Lead
from sales.services.leads import repeat_trips

NOW = "2026-12-01T15:00Z"
JUNE = datetime(2026, 6, 12, 11, 30, tzinfo=UTC)  # 7:30 in New York
pytestmark = pytest.mark.usefixtures("db")


@pytest.fixture
def won(make_lead, rep):
    def make(**fields):
        return make_lead(**{"assigned_to": rep, "status": "won", "pickup_at": JUNE, **fields})

    return make


@pytest.mark.parametrize(
    ("pickup", "is_listed"),
    [
        ("2026-06-01T04:00Z", True),  # midnight in New York: the anniversary is in exactly 6 months
        ("2026-06-01T03:59Z", False),
        ("2026-09-02T03:59Z", True),  # the last minute of the day 9 months before
        ("2026-09-02T04:00Z", False),
        ("2025-06-12T12:00Z", False),
    ],
)
@time_machine.travel(NOW, tick=False)
def test_trips_with_an_anniversary_in_6_to_9_months_are_listed_for_another_call(won, pickup, is_listed):
    won(pickup_at=pickup)
    assert Lead.objects.call_again().exists() == is_listed


@time_machine.travel(NOW, tick=False)
def test_the_window_is_a_setting(settings, won):
    settings.CALL_AGAIN_FROM_MONTHS, settings.CALL_AGAIN_TO_MONTHS = 2, 3
    won()
    inside = won(pickup_at="2026-02-10T12:00Z")
    assert list(Lead.objects.call_again()) == [inside]


@time_machine.travel(NOW, tick=False)
def test_lost_archived_repeated_and_active_clients_trips_are_not_listed(won, make_lead):
    won(status="lost", lost_reason_id="price")
    won(archived_at=NOW)
    won(email_normalised="a@example.com")
    make_lead(email_normalised="a@example.com")  # an open lead of the same client
    won(phone_normalised="+12125550123")
    make_lead(phone_normalised="+12125550123")
    repeated = won()
    make_lead(repeat_of=repeated, status="lost", lost_reason_id="price")
    listed = won(email_normalised="", phone_normalised="")
    make_lead(email_normalised="", phone_normalised="")
    assert list(Lead.objects.call_again()) == [listed]


@time_machine.travel(NOW, tick=False)
def test_a_repeat_lead_copies_the_won_trip(won, rep):
    old = won(
        email="a@example.com",
        phone="212 555 0123",
        trip_type="round_trip",
        return_at=JUNE + timedelta(hours=30),
        pickup_location="Gym",
        estimated_passengers=50,
        estimated_value=4000,
        booked_value=4500,
        quote_amount=4400,
    )
    new = repeat_trips.repeat_trip(by=rep, lead_id=old.pk)
    assert new.repeat_of == old
    assert new.is_repeat is True
    assert new.status == "new"
    assert new.assigned_to == rep
    assert new.pickup_at == datetime(2027, 6, 12, 11, 30, tzinfo=UTC)
    assert new.return_at == datetime(2027, 6, 13, 17, 30, tzinfo=UTC)
    assert new.email_normalised == "a@example.com"
    assert new.pickup_location == "Gym"
    assert new.estimated_passengers == 50
    assert new.estimated_value == Decimal(4500)
    assert new.quote_amount is None
    assert new.booked_value is None
    assert new.notes == "Same trip as on Fri 12 Jun 2026, booked for $4,500."
    follow_up = FollowUp.objects.get()
    assert follow_up.lead == new
    assert follow_up.assigned_to == rep
    assert follow_up.follow_up_type == "call"
    assert follow_up.scheduled_date == date(2026, 12, 1)
    assert new.next_follow_up_date == follow_up.due_at
    with pytest.raises(errors.AlreadyRepeated):
        repeat_trips.repeat_trip(by=rep, lead_id=old.pk)
    with pytest.raises(IntegrityError), transaction.atomic():
        Lead.objects.create(company_name="x", repeat_of=old)
    assert Lead.objects.count() == 2


@time_machine.travel("2030-03-01T15:00Z", tick=False)
def test_the_new_pickup_is_the_next_future_anniversary(won, rep):
    leap = won(pickup_at="2028-02-29T17:00Z", return_at="2028-03-01T17:00Z")
    new = repeat_trips.repeat_trip(by=rep, lead_id=leap.pk)
    assert new.pickup_at.isoformat() == "2031-02-28T17:00:00+00:00"
    assert new.return_at.isoformat() == "2031-03-01T17:00:00+00:00"


def test_only_won_trips_are_repeated_by_users_who_may_change_the_lead(
    won, make_lead, rep, colleague, stranger, manager, leaver
):
    old = won()
    for by, error in ((colleague, errors.NotYourLead), (stranger, errors.NotFound)):
        with pytest.raises(error):
            repeat_trips.repeat_trip(by=by, lead_id=old.pk)
    for lead in (make_lead(assigned_to=rep, pickup_at=JUNE), won(pickup_at=None)):
        with pytest.raises(errors.NotWon):
            repeat_trips.repeat_trip(by=rep, lead_id=lead.pk)
    assert repeat_trips.repeat_trip(by=manager, lead_id=old.pk).assigned_to == rep
    assert list(Notification.objects.values_list("kind", "recipient")) == [("lead_assigned", rep.pk)]
    unassigned = repeat_trips.repeat_trip(by=manager, lead_id=won(assigned_to=leaver).pk)
    assert unassigned.assigned_to is None
    assert not FollowUp.objects.filter(lead=unassigned).exists()


@time_machine.travel(NOW, tick=False)
def test_trips_are_repeated_automatically_if_the_setting_is_on(settings, won):
    first = won(email="a@example.com", email_normalised="a@example.com")
    other = won(company_name="Other")
    won(email="a@example.com", email_normalised="a@example.com", company_name="The same client's second trip")
    assert repeat_trips.repeat_due_trips() == 0
    settings.CALL_AGAIN_BY_ITSELF = True
    assert repeat_trips.repeat_due_trips() == 2
    assert repeat_trips.repeat_due_trips() == 0
    assert set(Lead.objects.exclude(repeat_of=None).values_list("repeat_of", flat=True)) == {first.pk, other.pk}
