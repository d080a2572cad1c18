"""Finds a lead's score on an earlier day."""

from datetime import date, datetime, time, timedelta

from sales import schedule
from sales.models import Lead, LeadScoreHistory


def find_score_at(lead_id: int, day: date) -> int | None:
    """The lead's score at the end of `day`, on the company's calendar; None if it came in later. It must exist."""
    end = datetime.combine(day + timedelta(days=1), time(), schedule.company_zone())
    changes = LeadScoreHistory.objects.filter(lead=lead_id, changed_at__lt=end)
    score: int | None = changes.order_by("-changed_at", "-id").values_list("new_score", flat=True).first()
    if score is not None:
        return score
    return 0 if Lead.objects.filter(pk=lead_id, created_at__lt=end).exists() else None
