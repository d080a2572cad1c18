"""What a notification says: its kind's templates, filled in. Everything that people typed stays text."""

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.template.loader import render_to_string

from notifications import kinds


def render_subject(kind: str, context: Mapping[str, Any]) -> str:
    """One line. Raises whatever a template makes of a context that is not its own."""
    return " ".join(_filled(kind, "subject.txt", context).split())


def render_text(kind: str, context: Mapping[str, Any]) -> str:
    return _filled(kind, "txt", context).strip()


def render_html(kind: str, context: Mapping[str, Any]) -> str:
    return _filled(kind, "html", context)


def render_title(kind: str, context: Mapping[str, Any]) -> str:
    """The subject; the kind's own name for what can't be said (any longer)."""
    try:
        return render_subject(kind, context)
    except Exception:  # it is one line of somebody's list, and the others are to be seen
        return kinds.get_kind(kind).label


def render_body(kind: str, context: Mapping[str, Any]) -> str:
    """The text; empty for what can't be said (any longer)."""
    try:
        return render_text(kind, context)
    except Exception:
        return ""


def _filled(kind: str, part: str, context: Mapping[str, Any]) -> str:
    return render_to_string(f"notifications/{kind}.{part}", {**context, "base_url": settings.BASE_URL})
