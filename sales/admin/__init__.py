"""The pages of managers and salespeople: one file a subject, each a thin door to the services."""

from sales.admin import activities, follow_ups, imports, leads, rules, runs, schedules, sources, transfers

__all__ = ["activities", "follow_ups", "imports", "leads", "rules", "runs", "schedules", "sources", "transfers"]
