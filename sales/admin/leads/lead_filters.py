"""The filters of the list of leads."""

from typing import Any

from django.conf import settings
from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.db.models import Exists, OuterRef
from django.http import Http404, HttpRequest

from athena.accounts.models import User
from athena.admin.requests import get_user
from athena.api.row_ids import parse_id_or_404
from sales import policy
from sales.models import FollowUp, Lead
from sales.queries.home import lead_views


def parse_id(value: str) -> int:
    """The id in a filter's value. If it is not an id, the list shows its page for wrong filters."""
    try:
        return parse_id_or_404(value)
    except Http404 as error:
        raise IncorrectLookupParameters(value) from error


class ViewFilter(admin.SimpleListFilter):
    """The named views, shown as tabs above the list."""

    title, parameter_name = "view", "view"
    template = "admin/sales/no_sidebar_filter.html"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(view.name, view.label) for view in lead_views.LEAD_VIEWS.values()]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        view = lead_views.LEAD_VIEWS.get(self.value() or "")
        return view.filter_leads(queryset, get_user(request)) if view else None


class OwnerFilter(admin.SimpleListFilter):
    """By owner; offers only owners whose leads the user may read."""

    title, parameter_name = "owner", "owner"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        user = get_user(request)
        owns = Exists(Lead.objects.filter(assigned_to=OuterRef("pk"), archived_at__isnull=True))
        people = User.objects.filter(policy.get_visible_owner_filter(user), owns)
        names = people.values_list("pk", "full_name")
        return [("me", "Me"), ("none", "Unassigned"), *((str(pk), name) for pk, name in names)]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        value = self.value()
        if value is None:
            return None
        if value == "none":
            return queryset.filter(assigned_to__isnull=True)
        return queryset.filter(assigned_to=request.user.pk if value == "me" else parse_id(value))


class PlanFilter(admin.SimpleListFilter):
    """By what should be done next."""

    title, parameter_name = "next step", "plan"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        unplanned = Lead.objects.visible_to(get_user(request)).unplanned().count()
        return [
            ("unplanned", f"Unplanned ({unplanned})"),
            ("overdue", "Overdue"),
            ("planned", "Planned"),
            ("trip_passed", "Trip passed: close the lead"),
            ("call_again", "Last year's trips: call again"),
        ]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        if self.value() == "unplanned":
            return queryset.filter(pk__in=Lead.objects.unplanned().order_by().values("pk"))
        if self.value() == "overdue":
            return queryset.filter(pk__in=FollowUp.objects.overdue().order_by().values("lead"))
        if self.value() == "planned":
            return queryset.filter(pk__in=FollowUp.objects.open().order_by().values("lead"))
        if self.value() == "trip_passed":
            return queryset.filter(pk__in=Lead.objects.trip_passed().order_by().values("pk"))
        if self.value() == "call_again":
            return queryset.filter(pk__in=Lead.objects.call_again(get_user(request)).order_by().values("pk"))
        return None


class ScoreFilter(admin.SimpleListFilter):
    """By bands of the score."""

    title, parameter_name = "score", "score_band"
    bands = {
        "hot": (settings.HOT_SCORE, 100),
        "warm": (settings.HOT_SCORE // 2, settings.HOT_SCORE - 1),
        "cold": (0, settings.HOT_SCORE // 2 - 1),
    }

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(name, f"{name.title()} ({low} to {high})") for name, (low, high) in self.bands.items()]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        band = self.bands.get(self.value() or "")
        return queryset.filter(score__range=band) if band else None


class ArchivedFilter(admin.SimpleListFilter):
    """Archived leads, for managers. Without it the list has none."""

    title, parameter_name = "archive", "archived"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("yes", "Archived")] if policy.is_manager(get_user(request)) else []

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        return queryset.filter(archived_at__isnull=self.value() != "yes")
