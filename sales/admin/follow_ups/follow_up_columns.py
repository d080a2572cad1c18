"""The columns of the list of follow-ups, made anew for whoever looks at it."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

from django.contrib import admin
from django.urls import reverse
from django.utils import dateformat
from django.utils.html import format_html
from django.utils.text import Truncator

from sales.admin.base import render_score

Column = Callable[[Any], str]


def due(today: date) -> Column:
    """When, and how urgent that is on a calendar that shows `today`."""

    @admin.display(description="Due", ordering="scheduled_date")
    def due(follow_up: Any) -> str:
        day = follow_up.scheduled_date
        when = dateformat.format(day, "D j M" if day.year == today.year else "D j M Y")
        if follow_up.scheduled_time:
            when += f", {follow_up.scheduled_time:%H:%M}"
        label, kind = _badge(follow_up, today)
        badge = format_html('<span class="due due-{}">{}</span> ', kind, label) if label else ""
        return format_html('{}<span class="due-time">{}</span>', badge, when)

    return due


def _badge(follow_up: Any, today: date) -> tuple[str, str]:
    if not follow_up.is_open:
        return "", ""
    if follow_up.is_overdue:
        return "Overdue", "overdue"
    if follow_up.scheduled_date <= today:
        return "Today", "today"
    return ("Tomorrow", "tomorrow") if follow_up.scheduled_date == today + timedelta(days=1) else ("", "")


def what(path: str) -> Column:
    """What is to be done, about whom: a link to each, which comes back to `path`."""

    @admin.display(description="What", ordering="lead__company_name")
    def what(follow_up: Any) -> str:
        notes, back = Truncator(follow_up.notes).chars(100), {"next": path}
        return format_html(
            '<a href="{}"><strong>{}</strong></a> <a href="{}">{}</a>{}',
            reverse("admin:sales_followup_change", args=[follow_up.pk], query=back),
            follow_up.get_follow_up_type_display(),
            reverse("admin:sales_lead_change", args=[follow_up.lead_id], query=back),
            follow_up.lead,
            format_html('<span class="quiet">{}</span>', notes) if notes else "",
        )

    return what


@admin.display(description="Score", ordering="lead__score")
def score(follow_up: Any) -> str:
    return render_score(follow_up.lead.score)


@admin.display(description="Phone")
def phone(follow_up: Any) -> str:
    lead = follow_up.lead
    if not lead.phone:
        return ""
    return format_html('<a class="pill" href="tel:{}">{}</a>', lead.phone_normalised or lead.phone, lead.phone)


def end(user_id: int, path: str) -> Column:
    """How it ended; of one's own that have not, a link to say so that comes back to `path`."""

    @admin.display(description="State")
    def end(follow_up: Any) -> str:
        if follow_up.completed:
            return str(follow_up.get_outcome_display())
        if follow_up.cancelled_at:
            return "Cancelled"
        if follow_up.assigned_to_id != user_id:
            return "Open"
        url = reverse("admin:sales_followup_complete", args=[follow_up.pk], query={"next": path})
        return format_html('<a class="pill" href="{}">Done …</a>', url)

    return end
