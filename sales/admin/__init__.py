"""The admin pages of managers and salespeople, a module per subject. They call services for every write."""

from sales.admin import activities, periodic_tasks, privacy_requests, sources
from sales.admin.follow_ups import cadences, follow_up_admin
from sales.admin.imports import exports, imports
from sales.admin.leads import intake_forms, lead_admin
from sales.admin.ownership import assignment_rules, handovers, transfers
from sales.admin.reports import report_pages
from sales.admin.scoring import scoring_rules, scoring_runs

__all__ = [
    "activities",
    "assignment_rules",
    "cadences",
    "exports",
    "follow_up_admin",
    "handovers",
    "imports",
    "intake_forms",
    "lead_admin",
    "periodic_tasks",
    "privacy_requests",
    "report_pages",
    "scoring_rules",
    "scoring_runs",
    "sources",
    "transfers",
]
