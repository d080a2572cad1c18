"""The kinds of things people are told of."""

from pathlib import Path

import pytest
from django.template.loader import get_template

from notifications import kinds
from notifications.kinds import Kind

FOLDER = Path(__file__).parents[2] / "templates" / "notifications"


@pytest.mark.parametrize("kind", kinds.get_all(), ids=lambda kind: kind.name)
def test_every_kind_says_what_it_is_and_has_its_three_templates(kind):
    for ending in ("subject.txt", "txt", "html"):
        get_template(f"notifications/{kind.name}.{ending}")
    assert all([kind.label, kind.description.endswith("."), len(kind.name) <= 50])


def test_every_template_is_of_a_kind_that_is_registered():
    named = {path.name.partition(".")[0] for path in FOLDER.glob("*.subject.txt")}
    assert named == {kind.name for kind in kinds.get_all()}


@pytest.mark.parametrize(
    ("page", "context", "path"),
    [
        ("admin/sales/lead/{lead_id}/change/", {"lead_id": 7}, "/admin/sales/lead/7/change/"),
        ("admin/sales/lead/{lead_id}/change/", {}, ""),
        ("admin/sales/lead/{lead_id}/change/", ["not a mapping"], ""),
        ("", {"lead_id": 7}, ""),
    ],
)
def test_where_a_notification_leads(page, context, path):
    assert Kind("x", "X", "X.", page).build_path(context) == path


def test_where_one_leads_that_tells_of_several():
    kind = Kind("x", "X", "X.", "admin/sales/lead/{lead_id}/change/", list_page="admin/sales/lead/")
    assert (kind.build_path({"lead_id": 7}), kind.build_path({"count": 2})) == (
        "/admin/sales/lead/7/change/", "/admin/sales/lead/",
    )  # fmt: skip


def test_a_kind_that_nobody_registered_has_a_name_to_show():
    assert kinds.get_kind("long_gone") == Kind("long_gone", "Long gone", "")
