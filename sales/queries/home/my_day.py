"""A salesperson's home page: their follow-ups of today, their leads, and their month."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Generic, TypeVar

from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Sum
from django.db.models.functions import Coalesce

from athena.accounts.models import User, local_today
from sales.models import CadenceEnrolment, FollowUp, Lead
from sales.models.follow_ups.follow_up import DUE_ORDER
from sales.models.leads.lead import LeadQuerySet
from sales.queries.home.lead_views import LEAD_VIEWS, count_leads
from sales.schedule import get_month_start

MAX_TASKS = 15  # in each list of follow-ups; the others are behind a link
MAX_LEADS = 8  # in each list of leads
COMING_DAYS = 7

Item = TypeVar("Item", FollowUp, Lead)


@dataclass(frozen=True)
class Shortlist(Generic[Item]):
    """The first rows of a list, and the number of all its rows."""

    rows: list[Item]
    count: int

    @property
    def hidden_count(self) -> int:
        return self.count - len(self.rows)


@dataclass(frozen=True)
class MonthSummary:
    """What a person has done since the first of the month. `booked` is the won value, in the company's currency."""

    completed: int
    new_leads: int
    bookings: int
    booked: Decimal


@dataclass(frozen=True)
class MyDay:
    """The lists of one person's home page: their open follow-ups by date, their own leads, and their month."""

    overdue: Shortlist[FollowUp]
    today: Shortlist[FollowUp]
    coming: Shortlist[FollowUp]
    unplanned: Shortlist[Lead]
    new: Shortlist[Lead]
    hot: Shortlist[Lead]
    month: MonthSummary

    @property
    def is_empty(self) -> bool:
        """Whether they have no follow-up and no lead in any list."""
        counts = (self.overdue.count, self.today.count, self.coming.count)
        return not any((*counts, self.unplanned.count, self.new.count, self.hot.count))

    @property
    def is_clear(self) -> bool:
        """Whether nothing is left to do today."""
        return not (self.overdue.count or self.today.count)


def get_my_day(user: User, *, max_tasks: int = MAX_TASKS) -> MyDay:
    """What the home page of `user` shows, with dates where they are. At most ten queries."""
    today = local_today(user)
    last_day = today + timedelta(days=COMING_DAYS)
    is_overdue, is_today = Q(scheduled_date__lt=today), Q(scheduled_date=today)
    is_coming = Q(scheduled_date__gt=today, scheduled_date__lte=last_day)
    tasks = FollowUp.objects.open().without_archived_leads().filter(assigned_to=user.pk)
    task_counts = (
        tasks.filter(scheduled_date__lte=last_day)
        .order_by()
        .aggregate(
            overdue=Count("pk", filter=is_overdue),
            today=Count("pk", filter=is_today),
            coming=Count("pk", filter=is_coming),
        )
    )
    month_start = get_month_start(user)
    completed = FollowUp.objects.filter(completed=True, completed_by=user.pk, completed_at__gte=month_start).count()
    leads = Lead.objects.filter(assigned_to=user.pk, archived_at__isnull=True)  # own leads are always visible
    lead_counts = count_leads(user, leads, ("unplanned", "hot", "new"))

    def list_leads(view: str, order: str = "-score") -> Shortlist[Lead]:
        return _list_leads(LEAD_VIEWS[view].filter_leads(leads, user), lead_counts[view], order)

    return MyDay(
        overdue=_list_tasks(tasks.filter(is_overdue), task_counts["overdue"], max_tasks),
        today=_list_tasks(tasks.filter(is_today), task_counts["today"], max_tasks),
        coming=_list_tasks(tasks.filter(is_coming), task_counts["coming"], max_tasks),
        unplanned=list_leads("unplanned"),
        new=list_leads("new", order="-created_at"),
        hot=list_leads("hot"),
        month=_sum_up_month(leads, month_start, completed),
    )


def _list_tasks(tasks: "QuerySet[FollowUp]", count: int, limit: int) -> Shortlist[FollowUp]:
    """The tasks that are due first, with their leads, annotated with `has_next_step`: a cadence plans the next one."""
    has_next_step = Exists(CadenceEnrolment.objects.with_next_step().filter(follow_up=OuterRef("pk")))
    rows = tasks.select_related("lead").annotate(has_next_step=has_next_step).order_by(*DUE_ORDER)
    return Shortlist(list(rows[:limit]) if count else [], count)


def _list_leads(leads: LeadQuerySet, count: int, order: str) -> Shortlist[Lead]:
    return Shortlist(list(leads.order_by(order, "-id")[:MAX_LEADS]) if count else [], count)


def _sum_up_month(leads: LeadQuerySet, month_start: datetime, completed: int) -> MonthSummary:
    is_new = Q(created_at__gte=month_start)
    is_won = Q(status=Lead.Status.WON, closed_at__gte=month_start)
    sums = (
        leads.filter(is_won | is_new)
        .order_by()
        .aggregate(
            new_leads=Count("pk", filter=is_new),
            bookings=Count("pk", filter=is_won),
            booked=Coalesce(Sum("booked_value", filter=is_won), Decimal(0)),
        )
    )
    return MonthSummary(completed=completed, **sums)
