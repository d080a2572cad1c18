"""For bodies and queries with very many errors, the response is short and few items are examined."""

import json

import pytest
from rest_framework.exceptions import ErrorDetail

from athena.api import fields
from athena.api.serializers import StrictSerializer
from sales.models import IntakeForm
from tests.athena.api.routes import BASE, READ_ROUTES, WRITE_ROUTES

MANY_ITEMS = 20_000
MAX_RESPONSE_BYTES, MAX_NAMED_FIELDS = 64_000, 21  # 20 fields, and errors that concern no field
MAX_ERROR_DETAILS = 1_500  # error messages that may be created, whatever the number of errors
LISTS = ("lead_ids", "receivers", "duplicate_ids", "rules", "kinds")
QUOTES = '"' * 50_000

BODIES = {
    "unknown keys": {f"key{n}": n for n in range(MANY_ITEMS)},
    "long unknown keys": {f"{n}{'k' * 9_000}": n for n in range(100)},
    "long text": dict.fromkeys(("company_name", "time_zone", "notes", "email", "password", "key", "reason"), QUOTES),
    "lists of invalid items": {name: [{}] * MANY_ITEMS for name in LISTS},
    "lists of allowed length": {name: ["x"] * 150 for name in LISTS},
    "lists of unknown keys": {name: [{f"key{n}": n for n in range(1_000)}] * 10 for name in LISTS},
    "nested": {name: {f"key{n}": {"a": [{}] * 10} for n in range(1_000)} for name in (*LISTS, "rule")},
    "numbers": {name: [1.5] * MANY_ITEMS for name in (*LISTS, "points", "source", "estimated_value")},
}


@pytest.fixture
def count_error_details(monkeypatch):
    """A list with the number of error messages that were created."""
    count = [0]
    original_new = ErrorDetail.__new__

    def new_and_count(cls, *args, **kwargs):
        count[0] += 1
        return original_new(cls, *args, **kwargs)

    monkeypatch.setattr(ErrorDetail, "__new__", new_and_count)
    return count


def assert_response_is_bounded(response, count):
    names = json.loads(response.content) if response.content else {}
    assert response.status_code < 500
    assert len(response.content) <= MAX_RESPONSE_BYTES
    assert isinstance(names, list) or len(names) <= MAX_NAMED_FIELDS or response.status_code < 300
    assert count[0] <= MAX_ERROR_DETAILS


@pytest.mark.parametrize("shape", BODIES)
def test_the_response_to_a_body_is_bounded(api, admin, count_error_details, shape):
    client, body = api(admin), json.dumps(BODIES[shape])
    assert len(body) < 1_048_576
    for route, method in WRITE_ROUTES:
        count_error_details[0] = 0
        path = BASE + route.replace("{pk}", "1").replace("{lead_id}", "1")
        assert_response_is_bounded(client.generic(method.upper(), path, body, "application/json"), count_error_details)


def test_at_most_twenty_unknown_keys_are_named(api, db):
    for count in (19, 20, 21, MANY_ITEMS):
        body = {f"key{n}": n for n in range(count)}
        response = api().post("/api/v1/auth/login", {"email": "a", "password": "b", **body})
        assert response.status_code == 400
        assert len(response.json()) == min(count, 20)


def test_the_response_to_a_query_is_bounded(api, admin, count_error_details):
    client = api(admin)
    for query in ("&".join(f"p{n}=1" for n in range(990)), "&".join(f"p{n}=1" for n in range(4_000)),
                  f"cursor={'x' * 8_000}", f"{'n' * 8_000}=1", "&".join(["status=x"] * 900),
                  f"search={'x' * 8_000}", "&".join(["%FF=%FF"] * 900), f"token={'%22' * 2_500}"):  # fmt: skip
        for route in READ_ROUTES:
            count_error_details[0] = 0
            response = client.get(f"{BASE}{route.replace('{pk}', '1').replace('{lead_id}', '1')}?{query}")
            assert_response_is_bounded(response, count_error_details)


@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "multipart/form-data; boundary=x"])
def test_the_response_to_form_data_is_bounded(client, db, kind):
    form = IntakeForm.objects.create(name="Site", key="k")
    part = '--x\r\nContent-Disposition: form-data; name="{}"\r\n\r\n{}\r\n'
    for names, value in (([f"f{n}" for n in range(9_000)], "1"), ([f"f{n}" for n in range(90)], "x" * 9_000),
                         (["notes", "username", "contact_name", "x" * 60_000], QUOTES)):  # fmt: skip
        pairs = [("key", form.key), *((name, value) for name in names)]
        body = "&".join(f"{name}={value}" for name, value in pairs)
        if kind.startswith("multipart"):
            body = "".join(part.format(*pair) for pair in pairs) + "--x--\r\n"
        for path in ("/api/v1/intake/leads", "/admin/login/"):
            response = client.generic("POST", path, body, kind)
            assert response.status_code < 500
            assert len(response.content) < 250_000


def list_serializers(shape=StrictSerializer):
    for subclass in shape.__subclasses__():
        yield subclass
        yield from list_serializers(subclass)


def test_every_list_in_a_body_is_bounded():
    """Other list fields validate each item before they count the items."""
    list_fields = {
        shape: [name for name, field in shape().fields.items() if hasattr(field, "child")]
        for shape in list_serializers()
    }
    lists = [shape().fields[name] for shape, names in list_fields.items() for name in names]
    assert {type(field) for field in lists} == {fields.ListField}
    assert len(lists) >= len(LISTS)
