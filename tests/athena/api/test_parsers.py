"""What the JSON parser accepts and refuses."""

import json
from contextlib import suppress
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rest_framework.exceptions import ParseError, UnsupportedMediaType

from athena.api.parsers import MAX_DEPTH, StrictJSONParser


def parse(body, media_type="application/json"):
    return StrictJSONParser().parse(BytesIO(body), media_type)


def nested(levels):
    return b'{"a":' * (levels - 1) + b"{}" + b"}" * (levels - 1)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "not valid JSON"),
        (b"{", "not valid JSON"),
        (b"{'a': 1}", "not valid JSON"),
        (b'{"a": 1} x', "not valid JSON"),
        (b'\xef\xbb\xbf{"a": 1}', "not valid JSON"),
        (b'{"a": "\n"}', "not valid JSON"),
        (b'{"a": ' + b"9" * 5_000 + b"}", "not valid JSON"),
        (b'{"a": 1, "a": 1}', "occurs twice"),
        (b'{"b": {"a": 1, "\\u0061": 2}}', "occurs twice"),
        (b'{"a": NaN}', "NaN"),
        (b'{"a": -Infinity}', "-Infinity"),
        (b'{"a": 1e400}', "too large"),
        (b'{"a": -1e400}', "too large"),
        (b'{"a": "\xff"}', "not UTF-8"),
        (b'{"a": "\xed\xa0\x80"}', "not UTF-8"),
        ('{"a": 1}'.encode("utf-16"), "not UTF-8"),
        (b'{"\\ud800": 1}', "not allowed"),
        (b'{"\\u0000": 1}', "not allowed"),
        (b"[]", "must be a JSON object"),
        (b"null", "must be a JSON object"),
        (b'"text"', "must be a JSON object"),
        (b"12", "must be a JSON object"),
        (nested(MAX_DEPTH + 1), "levels deep"),
        (nested(100_000), "JSON"),
        (b'{"a":' + b"[" * 100_000, "JSON"),
    ],
)
def test_an_invalid_body_is_refused_with_a_reason(body, reason):
    with pytest.raises(ParseError, match=reason):
        parse(body)


def test_valid_json_is_accepted():
    assert parse(b'{"a": 1, "b": [1.5, null, true], "c": {"d": "\\u00e9\xc3\xa9 \\ud83d\\ude00"}}') == {
        "a": 1,
        "b": [1.5, None, True],
        "c": {"d": "éé 😀"},
    }
    assert parse(nested(MAX_DEPTH))


@pytest.mark.parametrize("charset", ["utf-8", "UTF-8", '"utf-8"', "utf8"])
def test_utf8_is_accepted_by_any_of_its_names(charset):
    assert parse(b"{}", f"application/json; charset={charset}") == {}


@pytest.mark.parametrize("charset", ["latin-1", "utf-16", "nonsense", ""])
def test_another_charset_is_415(charset):
    with pytest.raises(UnsupportedMediaType):
        parse(b"{}", f"application/json; charset={charset}")


@given(st.binary(max_size=200))
def test_any_bytes_are_parsed_or_refused(body):
    with suppress(ParseError):
        assert isinstance(parse(body), dict)


leaves = st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats(allow_nan=False, allow_infinity=False)
keys = st.text(st.characters(codec="utf-8", exclude_characters="\x00"))
values = st.recursive(leaves | st.text(st.characters(codec="utf-8")), lambda inner: st.lists(inner, max_size=4))


@given(st.dictionaries(keys, values, max_size=5))
def test_what_python_writes_is_read_back(value):
    assert parse(json.dumps(value).encode()) == value
