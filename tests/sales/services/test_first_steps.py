"""Hiding the first steps on the home page."""

import pytest

from notifications import preferences
from notifications.models import Preference
from sales import errors
from sales.queries.home.first_steps import get_first_steps
from sales.services.first_steps import hide


def test_hiding_twice_stores_one_row_which_stays_when_preferences_change(manager):
    for _ in range(2):
        hide(by=manager)
    assert Preference.objects.filter(user=manager).count() == 1
    wanted = {"lead_assigned": ["email"]}
    preferences.set_preferences(by=manager, wanted=wanted, reminder_minutes=30, digest_hour=7)
    assert get_first_steps(manager) is None


def test_a_salesperson_has_no_first_steps_to_hide(rep):
    with pytest.raises(errors.NotAllowed):
        hide(by=rep)
    assert not Preference.objects.exists()
