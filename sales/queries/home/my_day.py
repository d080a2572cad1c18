"""What a salesperson has before them today: their home page."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Sum
from django.db.models.functions import Coalesce

from athena.accounts.models import User, local_today
from sales.models import CadenceEnrolment, FollowUp, Lead
from sales.models.follow_up import DUE_ORDER
from sales.models.lead import LeadQuerySet
from sales.queries.home import lead_views
from sales.schedule import get_month_start

MAX_TASKS = 15  # of each kind, as a rule; the rest is behind a link
MAX_LEADS = 8
COMING_DAYS = 7


@dataclass(frozen=True)
class Shortlist:
    """The first rows of a list, and how long it is."""

    rows: list[Any]
    count: int

    @property
    def hidden_count(self) -> int:
        return self.count - len(self.rows)


@dataclass(frozen=True)
class MonthSummary:
    """What a person has done since the first of the month; `booked` in the company's currency."""

    completed: int
    new_leads: int
    bookings: int
    booked: Decimal


@dataclass(frozen=True)
class MyDay:
    """Each task is a `FollowUp` with its lead; each lead shelf is of their own leads."""

    overdue: Shortlist
    today: Shortlist
    coming: Shortlist
    unplanned: Shortlist
    new: Shortlist
    hot: Shortlist
    month: MonthSummary

    @property
    def is_empty(self) -> bool:
        """Nothing at all is theirs."""
        return not any(
            shelf.count for shelf in (self.overdue, self.today, self.coming, self.unplanned, self.new, self.hot)
        )

    @property
    def is_clear(self) -> bool:
        """Nothing is left to do today."""
        return not (self.overdue.count or self.today.count)


def my_day(user: User, *, tasks_shown: int = MAX_TASKS) -> MyDay:
    """The follow-ups that are this person's, and their leads. At most ten queries."""
    today = local_today(user)
    overdue, now, coming = (
        Q(scheduled_date__lt=today),
        Q(scheduled_date=today),
        Q(scheduled_date__gt=today, scheduled_date__lte=today + timedelta(days=COMING_DAYS)),
    )
    since = get_month_start(user)
    tasks = FollowUp.objects.open().without_archived_leads().filter(assigned_to=user.pk)
    many = (
        tasks.filter(scheduled_date__lte=today + timedelta(days=COMING_DAYS))
        .order_by()
        .aggregate(overdue=Count("pk", filter=overdue), now=Count("pk", filter=now), coming=Count("pk", filter=coming))
    )
    completed = FollowUp.objects.filter(completed=True, completed_by=user.pk, completed_at__gte=since).count()
    mine = Lead.objects.filter(assigned_to=user.pk, archived_at__isnull=True)  # one's own are always visible
    counted = lead_views.count_leads(user, mine, ("unplanned", "hot", "new"))
    views = lead_views.LEAD_VIEWS
    return MyDay(
        overdue=_tasks(tasks.filter(overdue), many["overdue"], tasks_shown),
        today=_tasks(tasks.filter(now), many["now"], tasks_shown),
        coming=_tasks(tasks.filter(coming), many["coming"], tasks_shown),
        unplanned=_leads(views["unplanned"].filter_leads(mine, user), counted["unplanned"]),
        new=_leads(views["new"].filter_leads(mine, user), counted["new"], "-created_at"),
        hot=_leads(views["hot"].filter_leads(mine, user), counted["hot"]),
        month=_month(mine, since, completed),
    )


def _tasks(tasks: "QuerySet[FollowUp]", count: int, most: int) -> Shortlist:
    """The first in the order of the day, each with `has_next_step`: whether a cadence plans what comes after it."""
    has_next_step = Exists(CadenceEnrolment.objects.with_next_step().filter(follow_up=OuterRef("pk")))
    rows = tasks.select_related("lead").annotate(has_next_step=has_next_step).order_by(*DUE_ORDER)
    return Shortlist(list(rows[:most]) if count else [], count)


def _leads(leads: LeadQuerySet, count: int, order: str = "-score") -> Shortlist:
    return Shortlist(list(leads.order_by(order, "-id")[:MAX_LEADS]) if count else [], count)


def _month(mine: LeadQuerySet, since: datetime, completed: int) -> MonthSummary:
    won = Q(status=Lead.Status.WON, closed_at__gte=since)
    found = (
        mine.filter(won | Q(created_at__gte=since))
        .order_by()
        .aggregate(
            new_leads=Count("pk", filter=Q(created_at__gte=since)),
            bookings=Count("pk", filter=won),
            booked=Coalesce(Sum("booked_value", filter=won), Decimal(0)),
        )
    )
    return MonthSummary(completed=completed, **found)
