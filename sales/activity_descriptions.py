"""Sentences that say what happened to a lead. Services store them in activities, and the timeline shows them."""

NOBODY = "nobody"
TRANSFERRED_FROM, TRANSFERRED_TO = "Lead transferred from ", " to "


def describe_completed_follow_up(type_label: str, outcome_label: str) -> str:
    return f"{type_label} follow-up completed: {outcome_label.lower()}"


def describe_status_change(old_label: str, new_label: str) -> str:
    return f"Status changed from {old_label} to {new_label}"


def describe_transfer(old_owner: str | None, new_owner: str | None) -> str:
    return f"{TRANSFERRED_FROM}{old_owner or NOBODY}{TRANSFERRED_TO}{new_owner or NOBODY}"
