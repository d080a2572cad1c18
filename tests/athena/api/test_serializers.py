"""Bodies: unknown keys are refused, read-only keys ignored."""

import pytest
from rest_framework import serializers

from athena.api import fields
from athena.api.serializers import Row, StrictSerializer


class Shape(Row):
    id = serializers.IntegerField()
    name = serializers.CharField()


class Body(StrictSerializer):
    name = fields.OneLineField()
    count = fields.CountField(required=False)
    created = fields.IntegerField(read_only=True)

    class Meta:
        row = Shape


@pytest.mark.parametrize(
    ("data", "invalid_fields"),
    [
        ({"name": "a", "colour": "red"}, {"colour"}),
        ({"colour": "red", "count": -1}, {"colour", "count", "name"}),
        ({"name": "a", "Name": "b"}, {"Name"}),
        ({}, {"name"}),
    ],
)
def test_all_invalid_fields_are_named_at_once(data, invalid_fields):
    body = Body(data=data)
    assert not body.is_valid()
    assert set(body.errors) == invalid_fields


def test_keys_of_the_row_and_read_only_fields_are_ignored():
    body = Body(data={"id": 7, "name": "a", "created": "never"})
    assert body.is_valid()
    assert body.validated_data == {"name": "a"}


def test_a_partial_body_may_lack_required_fields():
    body = Body(data={"count": 3}, partial=True)
    assert body.is_valid()
    assert body.validated_data == {"count": 3}
