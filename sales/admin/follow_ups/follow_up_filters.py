"""What the list of follow-ups can be narrowed to: it begins with what is to be done."""

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
    """The state that a list is asked for. Who asks for an outcome, and no state, asks for what has one."""
    has_outcome = any(name.startswith("outcome") for name in request.GET)
    return request.GET.get("state") or ("completed" if has_outcome else "open")


class StateFilter(admin.SimpleListFilter):
    title, parameter_name = "state", "state"

    def __init__(self, request: HttpRequest, *args: Any) -> None:
        self.unasked = get_state(request)
        super().__init__(request, *args)

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [
            ("open", "To do"),
            ("overdue", "Overdue"),
            ("completed", "Completed"),
            ("cancelled", "Cancelled"),
            ("all", "All"),
        ]

    def value(self) -> str:
        return super().value() or self.unasked

    def choices(self, changelist: Any) -> Iterator[Any]:
        return iter(list(super().choices(changelist))[1:])  # without Django's own "All": nothing asked is something

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
    """A name, a date or a week (`2026-W49`): of what is open."""

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
        seen = FollowUp.objects.visible_to(user).open()
        busy = Exists(seen.filter(assigned_to=OuterRef("pk")).order_by())
        people = User.objects.filter(policy.get_visible_owner_filter(user), busy).exclude(pk=user.pk)
        return [("me", "Mine"), *((str(pk), name) for pk, name in people.values_list("pk", "full_name"))]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        return filter_by_assignee(queryset, self.value(), get_user(request))


def filter_by_assignee(rows: Any, whose: str | None, user: User) -> Any:
    """Those of this person (`me`, or an id); all where nobody is named."""
    if not whose:
        return rows
    return rows.filter(assigned_to=user.pk if whose == "me" else parse_id(whose))
