"""What scores were."""

from datetime import date, datetime, time, timedelta

from sales import schedule
from sales.models import Lead, LeadScoreHistory


def find_score_at(lead_id: int, day: date) -> int | None:
    """The lead's score when `day` ended where the company is; None where it came in later. The lead must exist."""
    end = datetime.combine(day + timedelta(days=1), time(), schedule.company_zone())
    changes = LeadScoreHistory.objects.filter(lead=lead_id, changed_at__lt=end)
    last = changes.order_by("-changed_at", "-id").first()
    if last is not None:
        score: int = last.new_score
        return score
    return 0 if Lead.objects.filter(pk=lead_id, created_at__lt=end).exists() else None
