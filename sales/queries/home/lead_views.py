"""The lists of leads that people come back to, each under a name: the same leads on a home page and in the list."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import time, timedelta

from django.db.models import Count, Q
from django.db.models.functions import Coalesce
from django.utils import timezone

from athena.accounts.models import User, local_instant, local_today
from sales.models import Lead
from sales.models.lead import IS_OPEN, LeadQuerySet, is_hot, is_hot_and_uncontacted, is_unplanned

STALE_DAYS = 14
EXPIRING_DAYS = 7


@dataclass(frozen=True)
class LeadView:
    """`leads` says which, as this person's calendar has it today; archived ones never belong."""

    name: str
    label: str
    description: str
    leads: Callable[[User], Q]
    open_only: bool = True

    def filter_leads(self, leads: LeadQuerySet, user: User) -> LeadQuerySet:
        return leads.alias(touched_at=_TOUCHED_AT).filter(self.leads(user))


def _mine(user: User) -> Q:
    return IS_OPEN & Q(assigned_to=user.pk)


def _new(user: User) -> Q:
    return Q(status=Lead.Status.NEW, first_contacted_at__isnull=True)


def _trips_this_week(user: User) -> Q:
    monday = local_today(user) - timedelta(days=local_today(user).weekday())
    first, after = (local_instant(user, day, time.min) for day in (monday, monday + timedelta(days=7)))
    return ~Q(status=Lead.Status.LOST) & Q(pickup_at__gte=first, pickup_at__lt=after)


def _stale(user: User) -> Q:
    return IS_OPEN & Q(touched_at__lt=timezone.now() - timedelta(days=STALE_DAYS))


def _expiring(user: User) -> Q:
    today = local_today(user)
    return Q(status=Lead.Status.QUOTED, quote_valid_until__range=(today, today + timedelta(days=EXPIRING_DAYS)))


_TOUCHED_AT = Coalesce("last_activity_at", "created_at")

LEAD_VIEWS: dict[str, LeadView] = {
    view.name: view
    for view in (
        LeadView("open", "Open", "Neither won nor lost.", lambda user: IS_OPEN),
        LeadView("mine", "Mine", "Open leads that you own.", _mine),
        LeadView(
            "unowned", "Unowned", "Open leads that nobody owns.", lambda user: IS_OPEN & Q(assigned_to__isnull=True)
        ),
        LeadView("new", "New", "Nobody has contacted them yet.", _new),
        LeadView(
            "unplanned", "Unplanned", "Open leads that nobody has planned to follow up.", lambda user: is_unplanned()
        ),
        LeadView("hot", "Hot", "Open leads with the best scores.", lambda user: is_hot()),
        LeadView(
            *("uncontacted", "Hot, not contacted", "Hot leads that nobody has called or written to."),
            lambda user: is_hot_and_uncontacted(),
        ),
        LeadView(
            "week",
            "Trips this week",
            "Trips that start from Monday to Sunday, won or still open.",
            _trips_this_week,
            False,
        ),
        LeadView("stale", "Stale", f"Open leads without any activity for {STALE_DAYS} days.", _stale),
        LeadView("expiring", "Expiring quotes", f"Quotes that end within {EXPIRING_DAYS} days.", _expiring),
    )
}


def count_leads(user: User, leads: LeadQuerySet, names: Iterable[str]) -> dict[str, int]:
    """How many of these leads are in each of the views. One query, and one for each that holds closed ones."""
    views = [LEAD_VIEWS[name] for name in names]
    open_ones = build_counters(user, (view.name for view in views if view.open_only))
    found: dict[str, int] = select_open_leads(leads).aggregate(**open_ones)
    return found | {
        view.name: view.filter_leads(leads, user).order_by().count() for view in views if not view.open_only
    }


def select_open_leads(leads: LeadQuerySet) -> LeadQuerySet:
    """The open leads, to be counted by `counters`."""
    return leads.order_by().filter(IS_OPEN).alias(touched_at=_TOUCHED_AT)


def build_counters(user: User, names: Iterable[str]) -> dict[str, Count]:
    """For each of the views, all of which are of open leads, an aggregate that counts its leads."""
    return {name: Count("pk", filter=LEAD_VIEWS[name].leads(user)) for name in names}
