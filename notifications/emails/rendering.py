"""The texts of a notification: the templates of its kind, filled in from its context."""

import re
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.template.loader import render_to_string

from notifications import kinds

_BLANK_LINES = re.compile(r"\n\s*\n")


def render_subject(kind: str, context: Mapping[str, Any]) -> str:
    """Return the subject in one line. Raises whatever the template raises for a context that does not fit it."""
    return " ".join(_render(kind, "subject.txt", context).split())


def render_text(kind: str, context: Mapping[str, Any]) -> str:
    """Return the plain text, without the blank lines that empty template tags leave.

    Raises whatever the template raises for a context that does not fit it.
    """
    return _BLANK_LINES.sub("\n\n", _render(kind, "txt", context)).strip()


def render_html(kind: str, context: Mapping[str, Any]) -> str:
    """Return the HTML document. Raises whatever the template raises for a context that does not fit it."""
    return _render(kind, "html", context)


def render_title(kind: str, context: Mapping[str, Any]) -> str:
    """Return the subject, or the kind's label if the subject cannot be rendered."""
    try:
        return render_subject(kind, context)
    except Exception:  # this is one row of a list, and the other rows must be shown
        return kinds.get_kind(kind).label


def render_body(kind: str, context: Mapping[str, Any]) -> str:
    """Return the plain text, or nothing if it cannot be rendered."""
    try:
        return render_text(kind, context)
    except Exception:
        return ""


def _render(kind: str, part: str, context: Mapping[str, Any]) -> str:
    return render_to_string(f"notifications/{kind}.{part}", {**context, "base_url": settings.BASE_URL})
