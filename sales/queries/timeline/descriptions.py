"""Timeline entries in words: names instead of keys, and dates and amounts as people write them."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from django.db.models import Model, TextChoices
from django.utils.dateparse import parse_date, parse_datetime
from django.utils.text import get_text_list

from athena.formatting import format_date, format_datetime, format_money
from sales import schedule
from sales.activity_descriptions import describe_completed_follow_up, describe_status_change, describe_transfer
from sales.models import Activity, FollowUp, Lead, LeadSource, LostReason

Data = Mapping[str, Any]  # what the database has recorded about an event, from JSON
Names = Mapping[str, Mapping[Any, str]]  # the names of related rows: by field, then by key

MAX_TEXT_LENGTH = 120  # of a long text, before and after a change
_LEAD_FIELDS = {field.name: field for field in Lead._meta.concrete_fields}
_RELATED: dict[str, tuple[type[Model], str, str]] = {
    "source": (LeadSource, "pk", "name"),
    "lost_reason": (LostReason, "name", "label"),
}
_CORRECTED_FIELDS = ("activity_type", "direction", "description", "notes", "occurred_at", "amount", "valid_until")


class Event(NamedTuple):
    kind: str
    data: dict[str, Any]


class Description(NamedTuple):
    title: str
    detail: str = ""


def describe_events(events: Sequence[Event]) -> list[Description]:
    """Describe events for people. The names of sources and lost reasons that occur take one query each."""
    names = {field: _read_names(field, events) for field in _RELATED}
    return [_DESCRIBE[event.kind](event.data, names) for event in events]


def _read_names(field: str, events: Iterable[Event]) -> dict[Any, str]:
    """The names of the rows that changes of this field refer to, by their keys."""
    changes = [event.data for event in events if event.data.get("field") == field]
    keys = {change[side] for change in changes for side in ("old", "new")} - {None}
    model, key, name = _RELATED[field]
    return dict(model._default_manager.filter(**{f"{key}__in": keys}).values_list(key, name)) if keys else {}


def _describe_creation(data: Data, names: Names) -> Description:
    return Description("Lead created", f"Source: {data['source_name']}" if data["source_name"] else "")


def _describe_activity(data: Data, names: Names) -> Description:
    kind = _get_label(Activity.Type, data["activity_type"])
    title = data["description"] or kind
    if data["direction"]:
        title += f" ({kind.lower() + ', ' if data['description'] else ''}{data['direction']})"
    return Description(title, _join(_describe_quote(data["data"] or {}), data["notes"]))


def _describe_quote(data: Data) -> str:
    """The amount of a quote, and until when it is valid."""
    if data.get("amount") is None:
        return ""
    validity = f", valid until {_write_date(data['valid_until'])}" if data.get("valid_until") else ""
    return format_money(data["amount"]) + validity


def _describe_plan(data: Data, names: Names) -> Description:
    first = {**data, "scheduled_date": data["first_scheduled_date"] or data["scheduled_date"]}
    title = f"{_name_follow_up(data)} planned for {_write_schedule(first)}"
    return Description(title, _join(f"For {data['assigned_to_name']}", data["notes"]))


def _describe_changed_plan(data: Data, names: Names) -> Description:
    """What changed: date, assignee, instructions or type. Nothing is known of it once the lead's data was erased."""
    old, new = data["old"], data["new"]
    if not old or not new:
        return Description("Follow-up changed")
    was = old["was"]
    changes, details = [], []
    if "scheduled_date" in new or "scheduled_time" in new:
        changes.append("rescheduled")
        details.append(f"{_write_schedule(was)} → {_write_schedule(was | new)}")
    if "assigned_to" in new:
        changes.append("reassigned")
        details.append(f"{old['assigned_to_name']} → {new['assigned_to_name']}")
    if "notes" in new:
        changes.append("reworded")
        details.append(f"{_write_text(old['notes'])} → {_write_text(new['notes'])}")
    if "follow_up_type" in new:
        changes.append("changed")
        details.append(" → ".join(_get_label(FollowUp.Type, plan["follow_up_type"]) for plan in (was, new)))
    title = f"{_name_follow_up(was)} of {_write_schedule(was)} {get_text_list(changes, 'and')}"
    return Description(title, _join(*details))


def _describe_completion(data: Data, names: Names) -> Description:
    kind, outcome = _get_label(FollowUp.Type, data["follow_up_type"]), _get_label(FollowUp.Outcome, data["outcome"])
    nothing_next = f"No next follow-up: {data['no_next_reason']}" if data["no_next_reason"] else ""
    return Description(describe_completed_follow_up(kind, outcome), _join(data["outcome_notes"], nothing_next))


def _describe_cancellation(data: Data, names: Names) -> Description:
    return Description(f"{_name_follow_up(data)} of {_write_schedule(data)} canceled", data["cancel_reason"])


def _describe_score(data: Data, names: Names) -> Description:
    title = f"Score {data['old_score']} → {data['new_score']} ({data['points_changed']:+})"
    return Description(title, data["reason"])


def _describe_transfer(data: Data, names: Names) -> Description:
    return Description(describe_transfer(data["from_name"], data["to_name"]), _join(data["reason"], data["notes"]))


def _describe_status(data: Data, names: Names) -> Description:
    old, new = (_get_label(Lead.Status, data[side]) for side in ("old", "new"))
    return Description(describe_status_change(old, new))


def _describe_field_change(data: Data, names: Names) -> Description:
    field = data["field"]
    if field == "archived":
        return Description("Lead archived" if data["new"] else "Lead restored")
    label = str(_LEAD_FIELDS[field].verbose_name) if field in _LEAD_FIELDS else field.replace("_", " ")
    old, new = (_write_lead_value(field, data[side], names) for side in ("old", "new"))
    return Description(f"{label[:1].upper()}{label[1:]} changed", f"{old} → {new}")


def _describe_correction(data: Data, names: Names) -> Description:
    old, new = data["old"], data["new"]
    if not old or not new:
        return Description("Activity corrected")
    changes = (
        f"{name.replace('_', ' ')}: {_write_activity_value(name, old[name])} → {_write_activity_value(name, new[name])}"
        for name in _CORRECTED_FIELDS
        if name in new
    )
    return Description(f"Corrected: {new['was']}", "; ".join(changes))


def _describe_merge(data: Data, names: Names) -> Description:
    new = data["new"]
    name = new.get("name") if isinstance(new, dict) else None
    return Description(f"Merged {'with' if data['field'] == 'merged' else 'into'} {name or 'another lead'}")


_DESCRIBE: dict[str, Callable[[Data, Names], Description]] = {
    "created": _describe_creation,
    "activity": _describe_activity,
    "correction": _describe_correction,
    "follow_up_planned": _describe_plan,
    "follow_up_changed": _describe_changed_plan,
    "follow_up_done": _describe_completion,
    "follow_up_cancelled": _describe_cancellation,
    "field_change": _describe_field_change,
    "status": _describe_status,
    "transfer": _describe_transfer,
    "score": _describe_score,
    "merge": _describe_merge,
}


def _write_lead_value(name: str, value: Any, names: Names) -> str:
    """The value of a lead's field, as the database has recorded it, for people."""
    if value is None or value == "":
        return "nothing"
    if name in names:
        return str(names[name].get(value, value))
    if isinstance(value, bool):
        return "yes" if value else "no"
    field = _LEAD_FIELDS.get(name)
    match field.get_internal_type() if field else "":
        case "DecimalField":
            return format_money(value)
        case "DateTimeField":
            return _write_datetime(value)
        case "DateField":
            return _write_date(value)
    choices = dict(field.flatchoices) if field else {}
    return _write_text(choices.get(value, value))


def _write_activity_value(name: str, value: Any) -> str:
    match name:
        case "activity_type" | "direction" if value:
            return _get_label(Activity.Type if name == "activity_type" else Activity.Direction, value)
        case "occurred_at" if value:
            return _write_datetime(value)
        case "valid_until" if value:
            return _write_date(value)
        case "amount" if value is not None:
            return format_money(value)
    return _write_text(value)


def _write_text(value: Any) -> str:
    """A text that is cut if it is too long; "nothing" if it is empty."""
    if value is None or value == "":
        return "nothing"
    text = str(value)
    return text if len(text) <= MAX_TEXT_LENGTH else f"{text[: MAX_TEXT_LENGTH - 1]}…"


def _get_label(choices: type[TextChoices], value: str) -> str:
    return str(choices(value).label) if value in choices.values else str(value)


def _name_follow_up(data: Data) -> str:
    return f"{_get_label(FollowUp.Type, data['follow_up_type'])} follow-up"


def _write_schedule(data: Data) -> str:
    """The date and, if there is one, the time of a follow-up."""
    day, clock = _write_date(data["scheduled_date"]), data["scheduled_time"]
    return f"{day}, {clock[:5]}" if clock else day


def _write_date(text: str) -> str:
    day = parse_date(text)
    return format_date(day) if day else text


def _write_datetime(text: str) -> str:
    """In the company's time zone."""
    at = parse_datetime(text)
    return format_datetime(at, schedule.company_zone()) if at else text


def _join(*parts: str) -> str:
    return " · ".join(part for part in parts if part)
