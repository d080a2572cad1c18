"""Template tags for the reports."""

from typing import Any

from django import template

from sales.reports.registry import REPORTS

register = template.Library()


@register.inclusion_tag("admin/sales/report_tabs.html")
def report_tabs(current_slug: str = "") -> dict[str, Any]:
    """Links to all reports; the report with `current_slug` is marked."""
    return {"reports": list(REPORTS.values()), "current_slug": current_slug}
