"""How a lead's story is told to people: names instead of keys, days and amounts as they are written."""

from collections.abc import Callable, Iterable
from datetime import date, datetime
from typing import Any

from django.utils.dateparse import parse_date, parse_datetime
from django.utils.text import get_text_list

from athena.formatting import format_date, format_datetime, format_money
from sales import schedule
from sales.models import Activity, FollowUp, Lead, LeadSource, LostReason

Item = dict[str, Any]
_FIELDS = {field.name: field for field in Lead._meta.get_fields() if hasattr(field, "verbose_name")}
_NAMED = {"source": (LeadSource, "pk", "name"), "lost_reason": (LostReason, "name", "label")}
_CORRECTED = ("activity_type", "direction", "description", "notes", "occurred_at", "amount", "valid_until")
_MOST = 120  # characters of a long text, before and after


def told(items: list[Item]) -> list[Item]:
    """The items with `title` and `detail`. Sources and lost reasons that changed are looked up, one query each."""
    names = {field: _names(field, items) for field in _NAMED}
    for item in items:
        item["title"], item["detail"] = _WORDS[item["kind"]](item["data"], names)
    return [{**item, "data": item.pop("data")} for item in items]


def _names(field: str, items: Iterable[Item]) -> dict[Any, str]:
    """What the keys of this field that are in the story are called."""
    changes = [item["data"] for item in items if item["data"].get("field") == field]
    keys = {change[side] for change in changes for side in ("old", "new")} - {None}
    model, key, label = _NAMED[field]
    return dict(model._default_manager.filter(**{f"{key}__in": keys}).values_list(key, label)) if keys else {}


def _created(data: Item, names: Item) -> tuple[str, str]:
    return "Lead taken in", f"Source: {data['source_name']}" if data["source_name"] else ""


def _activity(data: Item, names: Item) -> tuple[str, str]:
    kind = _label(Activity.Type, data["activity_type"])
    title = data["description"] or kind
    if data["direction"]:
        title += f" ({kind.lower() + ', ' if data['description'] else ''}{data['direction']})"
    return title, _joined(_quote(data["data"] or {}), data["notes"])


def _quote(data: Item) -> str:
    """For how much a quote is, and until when."""
    if data.get("amount") is None:
        return ""
    return format_money(data["amount"]) + (
        f", valid until {_day(data['valid_until'])}" if data.get("valid_until") else ""
    )


def _planned(data: Item, names: Item) -> tuple[str, str]:
    then = data | {"scheduled_date": data["first_scheduled_date"] or data["scheduled_date"]}
    return f"{_follow_up(data)} planned for {_when(then)}", _joined(f"For {data['assigned_to_name']}", data["notes"])


def _follow_up_changed(data: Item, names: Item) -> tuple[str, str]:
    """What became of a plan: another time, assignee, instruction or type. (Nothing is left of one that was erased.)"""
    old, new = data["old"], data["new"]
    if not old or not new:
        return "Follow-up changed", ""
    was = old["was"]
    done, details = [], []
    if "scheduled_date" in new or "scheduled_time" in new:
        done.append("rescheduled")
        details.append(f"{_when(was)} → {_when(was | new)}")
    if "assigned_to" in new:
        done.append("reassigned")
        details.append(f"{old['assigned_to_name']} → {new['assigned_to_name']}")
    if "notes" in new:
        done.append("reworded")
        details.append(f"{_value('', old['notes'], {})} → {_value('', new['notes'], {})}")
    if "follow_up_type" in new:
        done.append("changed")
        details.append(" → ".join(_label(FollowUp.Type, each["follow_up_type"]) for each in (was, new)))
    return f"{_follow_up(was)} of {_when(was)} {get_text_list(done, 'and')}", _joined(*details)


def _done(data: Item, names: Item) -> tuple[str, str]:
    outcome = _label(FollowUp.Outcome, data["outcome"]).lower()
    nothing_next = f"Nothing follows: {data['no_next_reason']}" if data["no_next_reason"] else ""
    return f"{_follow_up(data)} completed: {outcome}", _joined(data["outcome_notes"], nothing_next)


def _cancelled(data: Item, names: Item) -> tuple[str, str]:
    return f"{_follow_up(data)} of {_when(data)} cancelled", data["cancel_reason"]


def _score(data: Item, names: Item) -> tuple[str, str]:
    return f"Score {data['old_score']} → {data['new_score']} ({data['points_changed']:+})", data["reason"]


def _transfer(data: Item, names: Item) -> tuple[str, str]:
    from_name, to_name = data["from_name"] or "nobody", data["to_name"] or "nobody"
    return f"Lead transferred from {from_name} to {to_name}", _joined(data["reason"], data["notes"])


def _status(data: Item, names: Item) -> tuple[str, str]:
    old, new = (_label(Lead.Status, data[side]) for side in ("old", "new"))
    return f"Status changed from {old} to {new}", ""


def _field(data: Item, names: Item) -> tuple[str, str]:
    field = data["field"]
    if field == "archived":
        return ("Lead archived" if data["new"] else "Lead restored"), ""
    title = str(_FIELDS[field].verbose_name) if field in _FIELDS else field.replace("_", " ")
    old, new = (_value(field, data[side], names) for side in ("old", "new"))
    return f"{title[:1].upper()}{title[1:]} changed", f"{old} → {new}"


def _correction(data: Item, names: Item) -> tuple[str, str]:
    old, new = data["old"], data["new"]
    if not old or not new:
        return "Activity corrected", ""
    parts = (
        f"{name.replace('_', ' ')}: {_activity_value(name, old[name])} → {_activity_value(name, new[name])}"
        for name in _CORRECTED
        if name in new
    )
    return f"Corrected: {new['was']}", "; ".join(parts)


def _merge(data: Item, names: Item) -> tuple[str, str]:
    new = data["new"]
    name = new.get("name") if isinstance(new, dict) else None
    return f"Merged {'with' if data['field'] == 'merged' else 'into'} {name or 'another lead'}", ""


_WORDS: dict[str, Callable[[Item, Item], tuple[str, str]]] = {
    "created": _created,
    "activity": _activity,
    "correction": _correction,
    "follow_up_planned": _planned,
    "follow_up_changed": _follow_up_changed,
    "follow_up_done": _done,
    "follow_up_cancelled": _cancelled,
    "field_change": _field,
    "status": _status,
    "transfer": _transfer,
    "score": _score,
    "merge": _merge,
}


def _value(field: str, value: Any, names: Item) -> str:
    """A lead's value as people read it."""
    if value is None or value == "":
        return "nothing"
    if field in names:
        return str(names[field].get(value, value))
    column = _FIELDS.get(field)
    choices = dict(getattr(column, "flatchoices", None) or ())
    if isinstance(value, bool):
        return "yes" if value else "no"
    match column.get_internal_type() if column else "":  # type: ignore[union-attr]
        case "DecimalField":
            return format_money(value)
        case "DateTimeField":
            return _moment(value)
        case "DateField":
            return _day(value)
    text = str(choices.get(value, value))
    return text if len(text) <= _MOST else f"{text[: _MOST - 1]}…"


def _activity_value(name: str, value: Any) -> str:
    labels: dict[str, Any] = {"activity_type": Activity.Type, "direction": Activity.Direction}
    if name in labels and value:
        return _label(labels[name], value)
    if value and name in ("occurred_at", "valid_until"):
        return _moment(value) if name == "occurred_at" else _day(value)
    return format_money(value) if name == "amount" and value is not None else _value("", value, {})


def _label(choices: Any, value: Any) -> str:
    return str(choices(value).label) if value in choices.values else str(value)


def _follow_up(data: Item) -> str:
    return f"{_label(FollowUp.Type, data['follow_up_type'])} follow-up"


def _when(data: Item) -> str:
    clock = data["scheduled_time"]
    return f"{_day(data['scheduled_date'])}, {clock[:5]}" if clock else _day(data["scheduled_date"])


def _day(text: str) -> str:
    day: date | None = parse_date(text)
    return format_date(day) if day else text


def _moment(text: str) -> str:
    """An instant, where the company is."""
    at: datetime | None = parse_datetime(text)
    return format_datetime(at, schedule.company_zone()) if at else text


def _joined(*parts: str) -> str:
    return " · ".join(part for part in parts if part)
