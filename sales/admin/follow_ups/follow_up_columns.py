"""The list of follow-ups and its columns. A row is a follow-up with its lead, `is_overdue`, and the list's `viewer`."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.text import Truncator

from athena.accounts.models import local_today
from athena.admin.requests import get_user
from athena.formatting import format_date
from sales.admin.base import render_score
from sales.admin.navigation import NextPageChangeList


@dataclass(frozen=True)
class Viewer:
    """Who looks at the list: their id, the date where they are, and the address of the list, to return to it."""

    user_id: int
    today: date
    path: str


class FollowUpChangeList(NextPageChangeList):
    """The list of follow-ups: gives each row its `viewer`, which the columns need."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        user = get_user(request)
        viewer = Viewer(user.pk, local_today(user), request.get_full_path())
        rows = list(self.result_list)
        for follow_up in rows:
            follow_up.viewer = viewer
        self.result_list = rows


@admin.display(description="Due", ordering="scheduled_date")
def due(follow_up: Any) -> str:
    """The date and time, with a badge if it is overdue, today or tomorrow."""
    due_text = format_date(follow_up.scheduled_date)
    if follow_up.scheduled_time:
        due_text += f", {follow_up.scheduled_time:%H:%M}"
    label = _get_badge_label(follow_up, follow_up.viewer.today)
    badge = format_html('<span class="due due-{}">{}</span> ', label.lower(), label) if label else ""
    return format_html('{}<span class="due-time">{}</span>', badge, due_text)


def _get_badge_label(follow_up: Any, today: date) -> str:
    if not follow_up.is_open:
        return ""
    if follow_up.is_overdue:
        return "Overdue"
    if follow_up.scheduled_date <= today:
        return "Today"
    return "Tomorrow" if follow_up.scheduled_date == today + timedelta(days=1) else ""


@admin.display(description="Task", ordering="lead__company_name")
def task(follow_up: Any) -> str:
    """Links to the follow-up and its lead, and the instructions."""
    notes, query = Truncator(follow_up.notes).chars(100), {"next": follow_up.viewer.path}
    return format_html(
        '<a href="{}"><strong>{}</strong></a> <a href="{}">{}</a>{}',
        reverse("admin:sales_followup_change", args=[follow_up.pk], query=query),
        follow_up.get_follow_up_type_display(),
        reverse("admin:sales_lead_change", args=[follow_up.lead_id], query=query),
        follow_up.lead,
        format_html('<span class="quiet">{}</span>', notes) if notes else "",
    )


@admin.display(description="Score", ordering="lead__score")
def score(follow_up: Any) -> str:
    return render_score(follow_up.lead.score)


@admin.display(description="Phone")
def phone(follow_up: Any) -> str:
    lead = follow_up.lead
    if not lead.phone:
        return ""
    return format_html('<a class="pill" href="tel:{}">{}</a>', lead.phone_normalised or lead.phone, lead.phone)


@admin.display(description="State")
def state(follow_up: Any) -> str:
    """The outcome or state; for the viewer's own open ones, a link to complete it."""
    if follow_up.completed:
        return str(follow_up.get_outcome_display())
    if follow_up.cancelled_at:
        return "Canceled"
    if follow_up.assigned_to_id != follow_up.viewer.user_id:
        return "Open"
    query = {"next": follow_up.viewer.path}
    url = reverse("admin:sales_followup_complete", args=[follow_up.pk], query=query)
    return format_html('<a class="pill" href="{}">Complete …</a>', url)
