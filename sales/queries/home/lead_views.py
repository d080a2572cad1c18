"""Named lists of leads ("hot", "stale" …), which the home pages and the list of leads share."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import time, timedelta

from django.db.models import Count, Q
from django.db.models.functions import Coalesce
from django.utils import timezone

from athena.accounts.models import User, local_instant, local_today
from sales.models import Lead
from sales.models.leads.lead import IS_OPEN, LeadQuerySet, is_hot, is_hot_and_uncontacted, is_unplanned

STALE_DAYS = 14
EXPIRING_DAYS = 7


@dataclass(frozen=True)
class LeadView:
    """A named list of leads. `get_condition` says which leads belong, today where the user is; archived leads never do.

    `open_only`: all of its leads are open.
    """

    name: str
    label: str
    description: str
    get_condition: Callable[[User], Q]
    open_only: bool = True

    def filter_leads(self, leads: LeadQuerySet, user: User) -> LeadQuerySet:
        """Those of `leads` that belong to this view for `user`."""
        return leads.alias(touched_at=_TOUCHED_AT).filter(self.get_condition(user))


def _is_mine(user: User) -> Q:
    return IS_OPEN & Q(assigned_to=user.pk)


def _is_new(user: User) -> Q:
    return Q(status=Lead.Status.NEW, first_contacted_at__isnull=True)


def _has_trip_this_week(user: User) -> Q:
    monday = local_today(user) - timedelta(days=local_today(user).weekday())
    start, end = (local_instant(user, day, time.min) for day in (monday, monday + timedelta(days=7)))
    return ~Q(status=Lead.Status.LOST) & Q(pickup_at__gte=start, pickup_at__lt=end)


def _is_stale(user: User) -> Q:
    return IS_OPEN & Q(touched_at__lt=timezone.now() - timedelta(days=STALE_DAYS))


def _is_expiring(user: User) -> Q:
    today = local_today(user)
    return Q(status=Lead.Status.QUOTED, quote_valid_until__range=(today, today + timedelta(days=EXPIRING_DAYS)))


_TOUCHED_AT = Coalesce("last_activity_at", "created_at")

LEAD_VIEWS: dict[str, LeadView] = {
    view.name: view
    for view in (
        LeadView("open", "Open", "Leads that are neither won nor lost.", lambda user: IS_OPEN),
        LeadView("mine", "Mine", "Open leads that you own.", _is_mine),
        LeadView(
            "unowned", "Unassigned", "Open leads without an owner.", lambda user: IS_OPEN & Q(assigned_to__isnull=True)
        ),
        LeadView("new", "New", "New leads that nobody has contacted yet.", _is_new),
        LeadView("unplanned", "Unplanned", "Open leads without an open follow-up.", lambda user: is_unplanned()),
        LeadView("hot", "Hot", "Open leads with the best scores.", lambda user: is_hot()),
        LeadView(
            "uncontacted",
            "Hot, not contacted",
            "Hot leads that nobody has called or written to.",
            lambda user: is_hot_and_uncontacted(),
        ),
        LeadView(
            "week",
            "Trips this week",
            "Open or won leads with a pickup from Monday to Sunday of this week.",
            _has_trip_this_week,
            open_only=False,
        ),
        LeadView("stale", "Stale", f"Open leads without an activity for {STALE_DAYS} days.", _is_stale),
        LeadView("expiring", "Expiring quotes", f"Quotes that expire within {EXPIRING_DAYS} days.", _is_expiring),
    )
}


def count_leads(user: User, leads: LeadQuerySet, names: Iterable[str]) -> dict[str, int]:
    """The number of `leads` in each of the named views. One query, and one more for each view with closed leads."""
    views = [LEAD_VIEWS[name] for name in names]
    counters = build_counters(user, (view.name for view in views if view.open_only))
    counts: dict[str, int] = select_open_leads(leads).aggregate(**counters)
    others = [view for view in views if not view.open_only]
    return counts | {view.name: view.filter_leads(leads, user).order_by().count() for view in others}


def select_open_leads(leads: LeadQuerySet) -> LeadQuerySet:
    """The open ones of `leads`, prepared for `build_counters`."""
    return leads.order_by().filter(IS_OPEN).alias(touched_at=_TOUCHED_AT)


def build_counters(user: User, names: Iterable[str]) -> dict[str, Count]:
    """For each of the named views, all of open leads only, an aggregate that counts its leads."""
    return {name: Count("pk", filter=LEAD_VIEWS[name].get_condition(user)) for name in names}
