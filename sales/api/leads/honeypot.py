"""The honeypot of intake forms: a field that people do not see. Robots fill it in, and their inquiry is dropped."""

from typing import Any

from athena.api import fields

HONEYPOT = "website"  # the name of the field in `templates/intake/form.html`, and of the key in the body


def make_honeypot_field() -> fields.OneLineField:
    return fields.OneLineField(
        max_length=200,
        required=False,
        help_text="A trap for robots, which people do not see. If it is filled in, the inquiry is dropped.",
    )


def remove_honeypot(values: dict[str, Any]) -> bool:
    """Remove the field from a valid body. Returns whether it was filled in."""
    return bool(values.pop(HONEYPOT, ""))
