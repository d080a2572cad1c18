"""The filters of the list of follow-ups. By default it shows open ones."""

from collections.abc import Iterator
from typing import Any

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.db.models import Exists, OuterRef
from django.http import HttpRequest

from athena.accounts.models import User
from athena.admin.requests import get_user
from sales import policy
from sales.admin.leads.lead_filters import parse_id
from sales.models import FollowUp
from sales.queries.home.follow_up_days import NAMED_DAYS, DayConditions


def get_state(request: HttpRequest) -> str:
    """The state that the list shows: the chosen one, "completed" if only an outcome is chosen, or else "open"."""
    has_outcome = any(name.startswith("outcome") for name in request.GET)
    return request.GET.get("state") or ("completed" if has_outcome else "open")


class StateFilter(admin.SimpleListFilter):
    title, parameter_name = "state", "state"

    def __init__(self, request: HttpRequest, *args: Any) -> None:
        self.default = get_state(request)
        super().__init__(request, *args)

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [
            ("open", "To do"),
            ("overdue", "Overdue"),
            ("completed", "Completed"),
            ("cancelled", "Canceled"),
            ("all", "All"),
        ]

    def value(self) -> str:
        return super().value() or self.default

    def choices(self, changelist: Any) -> Iterator[Any]:
        return iter(list(super().choices(changelist))[1:])  # without Django's own "All", which is the default here

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        match self.value():
            case "open":
                return queryset.open()
            case "overdue":
                return queryset.overdue()
            case "completed":
                return queryset.filter(completed=True)
            case "cancelled":
                return queryset.filter(cancelled_at__isnull=False)
        return None


class DayFilter(admin.SimpleListFilter):
    """Open follow-ups of a named day, a date or a week (`2026-W49`)."""

    title, parameter_name = "day", "day"
    template = "admin/sales/no_sidebar_filter.html"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return list(NAMED_DAYS.items())

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        if not self.value():
            return None
        try:
            return queryset.open().filter(DayConditions(get_user(request)).get_condition(str(self.value())))
        except ValueError as error:
            raise IncorrectLookupParameters(error) from error


class AssigneeFilter(admin.SimpleListFilter):
    title, parameter_name = "whose", "whose"
    template = "admin/sales/no_sidebar_filter.html"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        user = get_user(request)
        follow_ups = FollowUp.objects.visible_to(user).open()
        has_follow_ups = Exists(follow_ups.filter(assigned_to=OuterRef("pk")).order_by())
        people = User.objects.filter(policy.get_visible_owner_filter(user), has_follow_ups).exclude(pk=user.pk)
        return [("me", "Mine"), *((str(pk), name) for pk, name in people.values_list("pk", "full_name"))]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        return filter_by_assignee(queryset, self.value(), get_user(request))


def filter_by_assignee(rows: Any, assignee: str | None, user: User) -> Any:
    """The rows assigned to `assignee`, which is `me` (meaning `user`) or a user's id; all rows if it is empty."""
    if not assignee:
        return rows
    return rows.filter(assigned_to=user.pk if assignee == "me" else parse_id(assignee))
