"""Putting the first steps away."""

import pytest

from notifications import preferences
from notifications.models import Preference
from sales import errors
from sales.queries.home.first_steps import get_first_steps
from sales.services.first_steps import hide


def test_it_is_one_row_that_lasts(manager):
    for _ in range(2):
        hide(by=manager)
    assert Preference.objects.filter(user=manager).count() == 1
    wanted = {"lead_assigned": ["email"]}
    preferences.set_preferences(by=manager, wanted=wanted, reminder_minutes=30, digest_hour=7)
    assert get_first_steps(manager) is None


def test_a_salesperson_has_none_to_put_away(rep):
    with pytest.raises(errors.NotAllowed):
        hide(by=rep)
    assert not Preference.objects.exists()
