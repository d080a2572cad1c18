"""The pages of managers and salespeople: one file a subject, each a thin door to the services."""

from sales.admin import (
    activities,
    assignment,
    cadences,
    follow_ups,
    imports,
    intake,
    leads,
    people,
    rules,
    runs,
    schedules,
    sources,
    transfers,
)

__all__ = [
    "activities",
    "assignment",
    "cadences",
    "follow_ups",
    "imports",
    "intake",
    "leads",
    "people",
    "rules",
    "runs",
    "schedules",
    "sources",
    "transfers",
]
