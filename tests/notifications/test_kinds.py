"""Kinds of notifications: the page that one opens, and the channels that send it."""

import pytest

from notifications import kinds
from notifications.kinds import Kind


@pytest.mark.parametrize(
    ("page", "context", "path"),
    [
        ("admin/sales/lead/{lead_id}/change/", {"lead_id": 7}, "/admin/sales/lead/7/change/"),
        ("admin/sales/lead/{lead_id}/change/", {}, ""),
        ("admin/sales/lead/{lead_id}/change/", ["not a mapping"], ""),
        ("", {"lead_id": 7}, ""),
    ],
)
def test_the_page_is_filled_in_from_the_context(page, context, path):
    assert Kind("x", "X", "X.", page).build_path(context) == path


def test_a_notification_about_several_leads_opens_the_list():
    kind = Kind("x", "X", "X.", "admin/sales/lead/{lead_id}/change/", list_page="admin/sales/lead/")
    assert kind.build_path({"lead_id": 7}) == "/admin/sales/lead/7/change/"
    assert kind.build_path({"count": 2}) == "/admin/sales/lead/"


@pytest.mark.parametrize(
    ("channel", "choice", "is_sent"),
    [
        ("email", None, True),
        ("email", False, False),
        ("in_app", None, False),
        ("in_app", True, True),
        ("pigeon", None, False),
        ("pigeon", True, False),
    ],
    ids=["on by default", "turned off", "off by default", "turned on", "not named", "not named but turned on"],
)
def test_a_channel_sends_a_kind_that_names_it_unless_the_user_decides_otherwise(channel, choice, is_sent):
    kind = Kind("x", "X", "X.", channels=("email", "in_app"), off_by_default=frozenset({"in_app"}))
    assert kind.is_sent_by(channel, choice) == is_sent


def test_an_unregistered_kind_gets_a_label_from_its_name():
    assert kinds.get_kind("long_gone") == Kind("long_gone", "Long gone", "")
