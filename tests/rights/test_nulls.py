"""JSON `null` for what may be left out: it means left out, or empties a column that can be empty.

Each body of the served schema, with each of its properties that is not required as `null`, is answered as without it.
"""

import pytest

from sales.models import FollowUp, Lead
from tests.athena.api.routes import BASE, served
from tests.rights.conftest import PEOPLE, columns
from tests.rights.test_api import TABLE, ask, clients  # noqa: F401  (fixtures)

SPECIFIED = {  # what the specification of the API calls Optional
    ("sales/follow-ups", "post"): {"scheduled_time", "notes"},
    ("sales/follow-ups/{pk}", "patch"): {"scheduled_date", "scheduled_time", "notes"},
    ("sales/follow-ups/{pk}/complete", "post"): {
        "notes", "schedule_next", "next_follow_up_days", "next_follow_up_type", "no_next_reason",
    },
    ("sales/leads/{pk}/transfer", "post"): {"reason", "notes"},
    ("sales/leads", "post"): {"notes", "assigned_to", "source"},
    ("sales/leads/bulk-transfer", "post"): {"until", "notes", "way", "dry_run"},
}  # fmt: skip


def schema_of(route, method):
    """The properties of a route's body, and which of them are required; nothing where it takes no body."""
    content = served()["paths"][BASE + route.replace("{pk}", "{id}")][method].get("requestBody", {}).get("content", {})
    shape = content.get("application/json", {}).get("schema", {})
    shape = served()["components"]["schemas"].get(shape.get("$ref", "").rpartition("/")[2], shape)
    return shape.get("properties", {}), set(shape.get("required", ()))


OPTIONAL = [
    (route, method, name)
    for route, method, variant in TABLE
    if variant == "" and method != "get"
    for name in schema_of(route, method)[0]
    if name not in schema_of(route, method)[1] and name not in (TABLE[route, method, variant][0] or ())
]


def test_what_the_specification_calls_optional_is_among_them():
    for (route, method), names in SPECIFIED.items():
        properties, required = schema_of(route, method)
        assert names <= set(properties) - required


@pytest.mark.parametrize(("route", "method"), sorted({(route, method) for route, method, _ in TABLE}))
def test_the_schema_says_that_it_may_be_null(route, method):
    properties, required = schema_of(route, method)
    not_null = {name for name, shape in properties.items() if not shape.get("nullable") and not shape.get("readOnly")}
    assert not_null <= required


@pytest.mark.parametrize(("route", "method", "name"), OPTIONAL)
def test_null_is_as_good_as_nothing(ask, route, method, name):  # noqa: F811
    body, expected = TABLE[route, method, ""]
    statuses = columns(expected)
    who = min(PEOPLE, key=lambda person: (statuses[person] >= 400, person == "nobody"))
    assert ask(who, route, method, "", {**(body or {}), name: None})[0] == statuses[who]


def test_a_required_field_is_not_null(ask):  # noqa: F811
    for route, method, name in (
        ("sales/follow-ups", "post", "scheduled_date"), ("sales/leads/{pk}/transfer", "post", "to_user_id"),
        ("sales/leads/bulk-transfer", "post", "reason"), ("sales/scoring/rules", "post", "points"),
        ("sales/follow-ups/{pk}/complete", "post", "outcome"), ("sales/leads/{pk}/activities", "post", "activity_type"),
    ):  # fmt: skip
        who = "owner" if "complete" in route else "admin"
        assert ask(who, route, method, "", {**TABLE[route, method, ""][0], name: None})[0] == 400


def test_a_change_by_null(clients, world):  # noqa: F811
    """It leaves text and choices as they are, and empties a column that can be empty."""
    Lead.objects.filter(pk=world.lead.pk).update(notes="Kept", status="contacted", pickup_at="2026-05-01T10:00Z")
    FollowUp.objects.filter(pk=world.plan.pk).update(notes="Kept", scheduled_time="09:30")
    nothing = dict.fromkeys(("notes", "status", "company_name", "is_repeat", "pickup_at", "estimated_value"))
    assert clients["owner"].patch(f"{BASE}sales/leads/{world.lead.pk}", nothing).status_code == 200
    lead = Lead.objects.get(pk=world.lead.pk)
    assert lead.notes == "Kept"
    assert lead.status == "contacted"
    assert lead.company_name == "Harbor Choir"
    assert lead.pickup_at is None
    nothing = dict.fromkeys(("notes", "scheduled_date", "scheduled_time", "follow_up_type", "assigned_to"))
    assert clients["owner"].patch(f"{BASE}sales/follow-ups/{world.plan.pk}", nothing).status_code == 200
    plan = FollowUp.objects.get(pk=world.plan.pk)
    assert plan.notes == "Kept"
    assert str(plan.scheduled_date) == "2099-01-05"
    assert plan.scheduled_time is None
