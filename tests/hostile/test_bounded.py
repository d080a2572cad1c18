"""Bodies and queries in which very much is wrong: the answer is short, and little is looked at."""

import json

import pytest
from rest_framework.exceptions import ErrorDetail

from athena.api import fields
from athena.api.serializers import StrictSerializer
from sales.models import IntakeForm
from tests.athena.api.routes import BASE, READ_ROUTES, WRITE_ROUTES

MANY = 20_000
MOST_BYTES, MOST_NAMES = 64_000, 21  # (20, and what concerns no field)
MOST_LOOKED_AT = 1_500  # messages that are made on the way, whatever the number of things that are wrong
LISTS = ("lead_ids", "receivers", "duplicate_ids", "rules", "kinds")
QUOTES = '"' * 50_000

BODIES = {
    "unknown keys": {f"key{n}": n for n in range(MANY)},
    "long unknown keys": {f"{n}{'k' * 9_000}": n for n in range(100)},
    "long text": dict.fromkeys(("company_name", "time_zone", "notes", "email", "password", "key", "reason"), QUOTES),
    "lists of nothing that fits": {name: [{}] * MANY for name in LISTS},
    "lists within what is allowed": {name: ["x"] * 150 for name in LISTS},
    "lists of unknown keys": {name: [{f"key{n}": n for n in range(1_000)}] * 10 for name in LISTS},
    "nested": {name: {f"key{n}": {"a": [{}] * 10} for n in range(1_000)} for name in (*LISTS, "rule")},
    "numbers": {name: [1.5] * MANY for name in (*LISTS, "points", "source", "estimated_value")},
}


@pytest.fixture
def made(monkeypatch):
    """How many messages were made."""
    count = [0]
    make = ErrorDetail.__new__

    def counting(cls, *args, **kwargs):
        count[0] += 1
        return make(cls, *args, **kwargs)

    monkeypatch.setattr(ErrorDetail, "__new__", counting)
    return count


def check(response, count):
    names = json.loads(response.content) if response.content else {}
    assert response.status_code < 500
    assert len(response.content) <= MOST_BYTES
    assert isinstance(names, list) or len(names) <= MOST_NAMES or response.status_code < 300
    assert count[0] <= MOST_LOOKED_AT


@pytest.mark.parametrize("shape", BODIES)
def test_the_answer_to_a_body(api, admin, made, shape):
    client, body = api(admin), json.dumps(BODIES[shape])
    assert len(body) < 1_048_576
    for route, method in WRITE_ROUTES:
        made[0] = 0
        path = BASE + route.replace("{pk}", "1").replace("{lead_id}", "1")
        check(client.generic(method.upper(), path, body, "application/json"), made)


def test_twenty_unknown_keys_are_named_however_many_there_are(api, db):
    for count in (19, 20, 21, MANY):
        body = {f"key{n}": n for n in range(count)}
        response = api().post("/api/v1/auth/login", {"email": "a", "password": "b", **body})
        assert response.status_code == 400
        assert len(response.json()) == min(count, 20)


def test_the_answer_to_a_query(api, admin, made):
    client = api(admin)
    for query in ("&".join(f"p{n}=1" for n in range(990)), "&".join(f"p{n}=1" for n in range(4_000)),
                  f"cursor={'x' * 8_000}", f"{'n' * 8_000}=1", "&".join(["status=x"] * 900),
                  f"search={'x' * 8_000}", "&".join(["%FF=%FF"] * 900), f"token={'%22' * 2_500}"):  # fmt: skip
        for route in READ_ROUTES:
            made[0] = 0
            response = client.get(f"{BASE}{route.replace('{pk}', '1').replace('{lead_id}', '1')}?{query}")
            check(response, made)


@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "multipart/form-data; boundary=x"])
def test_the_answer_to_a_form_of_a_page(client, db, kind):
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


def shapes(shape=StrictSerializer):
    for each in shape.__subclasses__():
        yield each
        yield from shapes(each)


def test_every_list_in_a_body_is_a_bounded_one():
    """Other kinds look at each item before they count them."""
    found = {shape: [name for name, field in shape().fields.items() if hasattr(field, "child")] for shape in shapes()}
    lists = [shape().fields[name] for shape, names in found.items() for name in names]
    assert {type(each) for each in lists} == {fields.ListField}
    assert len(lists) >= len(LISTS)
