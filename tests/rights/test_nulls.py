"""JSON `null` for an optional field: it means that the field is left out, or it empties a nullable column.

A body with `null` for an optional property of the served schema gets the same response as the body without it.
"""

import pytest

from sales.models import FollowUp, Lead
from tests.athena.api.routes import BASE, get_served_schema
from tests.rights.conftest import PEOPLE, statuses_by_person
from tests.rights.test_api import TABLE, clients, send_request  # noqa: F401  (fixtures)

OPTIONAL_BY_CONTRACT = {  # fields that the contract of the API calls optional
    ("sales/follow-ups", "post"): {"scheduled_time", "notes"},
    ("sales/follow-ups/{pk}", "patch"): {"scheduled_date", "scheduled_time", "notes"},
    ("sales/follow-ups/{pk}/complete", "post"): {
        "notes", "schedule_next", "next_follow_up_days", "next_follow_up_type", "no_next_reason",
    },
    ("sales/leads/{pk}/transfer", "post"): {"reason", "notes"},
    ("sales/leads", "post"): {"notes", "assigned_to", "source"},
    ("sales/leads/bulk-transfer", "post"): {"until", "notes", "way", "dry_run"},
}  # fmt: skip


def read_body_schema(route, method):
    """The properties of the body of a route, and the names of the required ones; both empty if it takes no body."""
    content = (
        get_served_schema()["paths"][BASE + route.replace("{pk}", "{id}")][method]
        .get("requestBody", {})
        .get("content", {})
    )
    schema = content.get("application/json", {}).get("schema", {})
    schema = get_served_schema()["components"]["schemas"].get(schema.get("$ref", "").rpartition("/")[2], schema)
    return schema.get("properties", {}), set(schema.get("required", ()))


OPTIONAL_FIELDS = [
    (route, method, name)
    for route, method, variant in TABLE
    if variant == "" and method != "get"
    for name in read_body_schema(route, method)[0]
    if name not in read_body_schema(route, method)[1] and name not in (TABLE[route, method, variant][0] or ())
]


def test_optional_fields_of_the_contract_are_optional_in_the_schema():
    for (route, method), names in OPTIONAL_BY_CONTRACT.items():
        properties, required = read_body_schema(route, method)
        assert names <= set(properties) - required


@pytest.mark.parametrize(("route", "method"), sorted({(route, method) for route, method, _ in TABLE}))
def test_optional_fields_are_nullable_in_the_schema(route, method):
    properties, required = read_body_schema(route, method)
    not_nullable = {
        name for name, schema in properties.items() if not schema.get("nullable") and not schema.get("readOnly")
    }
    assert not_nullable <= required


@pytest.mark.parametrize(("route", "method", "name"), OPTIONAL_FIELDS)
def test_null_is_the_same_as_leaving_a_field_out(send_request, route, method, name):  # noqa: F811
    body, expected = TABLE[route, method, ""]
    statuses = statuses_by_person(expected)
    person = min(PEOPLE, key=lambda person: (statuses[person] >= 400, person == "nobody"))
    assert send_request(person, route, method, "", {**(body or {}), name: None})[0] == statuses[person]


def test_a_required_field_may_not_be_null(send_request):  # noqa: F811
    for route, method, name in (
        ("sales/follow-ups", "post", "scheduled_date"), ("sales/leads/{pk}/transfer", "post", "to_user_id"),
        ("sales/leads/bulk-transfer", "post", "reason"), ("sales/scoring/rules", "post", "points"),
        ("sales/follow-ups/{pk}/complete", "post", "outcome"), ("sales/leads/{pk}/activities", "post", "activity_type"),
    ):  # fmt: skip
        person = "owner" if "complete" in route else "admin"
        assert send_request(person, route, method, "", {**TABLE[route, method, ""][0], name: None})[0] == 400


def test_a_patch_with_nulls(clients, world):  # noqa: F811
    """A null leaves texts and choices as they are, and empties a nullable column."""
    Lead.objects.filter(pk=world.lead.pk).update(notes="Kept", status="contacted", pickup_at="2026-05-01T10:00Z")
    FollowUp.objects.filter(pk=world.follow_up.pk).update(notes="Kept", scheduled_time="09:30")
    nulls = dict.fromkeys(("notes", "status", "company_name", "is_repeat", "pickup_at", "estimated_value"))
    assert clients["owner"].patch(f"{BASE}sales/leads/{world.lead.pk}", nulls).status_code == 200
    lead = Lead.objects.get(pk=world.lead.pk)
    assert lead.notes == "Kept"
    assert lead.status == "contacted"
    assert lead.company_name == "Harbor Choir"
    assert lead.pickup_at is None
    nulls = dict.fromkeys(("notes", "scheduled_date", "scheduled_time", "follow_up_type", "assigned_to"))
    assert clients["owner"].patch(f"{BASE}sales/follow-ups/{world.follow_up.pk}", nulls).status_code == 200
    follow_up = FollowUp.objects.get(pk=world.follow_up.pk)
    assert follow_up.notes == "Kept"
    assert str(follow_up.scheduled_date) == "2099-01-05"
    assert follow_up.scheduled_time is None
