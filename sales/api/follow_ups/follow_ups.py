"""`/sales/follow-ups`: plan, list, change, snooze, complete and cancel follow-ups."""

from datetime import timedelta
from typing import Any

from django.db.models import BooleanField, Case, Q, QuerySet, When
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from athena.accounts.models import User, local_today
from athena.api import fields, filters
from athena.api.filters import read_query
from athena.api.pagination import ARRAY_PARAMETERS, ARRAY_SCHEMA, array_response
from athena.api.row_ids import parse_id_or_404
from athena.api.serializers import StrictSerializer
from athena.api.viewsets import ViewSet
from sales import errors, policy
from sales.api.follow_ups.calendar_feed import CalendarActions
from sales.api.serializers.follow_ups import FollowUpRow, PlannedRow, TaskRow, WarningShape
from sales.models import FollowUp, Lead
from sales.models.follow_ups.follow_up import DUE_ORDER, IS_OPEN, is_before_today
from sales.models.leads.lead import CLOSED_STATUSES
from sales.services.follow_ups import completion, follow_ups, planning
from sales.services.follow_ups.completion import CompletionInput

MAX_SNOOZE_MINUTES = follow_ups.MAX_SNOOZE // timedelta(minutes=1)

_STATES = {"open": IS_OPEN, "completed": Q(completed=True), "cancelled": Q(cancelled_at__isnull=False)}


class FollowUpFilters(filters.StrictFilterSet):
    lead = filters.IdsFilter()
    assigned_to = filters.IdsFilter()
    state = filters.ChoicesFilter(choices=[(name, name) for name in _STATES], method="filter_state")
    follow_up_type = filters.ChoicesFilter(choices=FollowUp.Type.choices)
    due_after = filters.DateAfterFilter(field_name="scheduled_date")
    due_before = filters.DateBeforeFilter(field_name="scheduled_date")
    overdue = filters.BooleanFilter(method="filter_overdue")

    def filter_state(self, queryset: Any, name: str, value: list[str]) -> Any:
        condition = Q()
        for state in value:
            condition |= _STATES[state]
        return queryset.filter(condition)

    def filter_overdue(self, queryset: Any, name: str, value: bool) -> Any:
        is_overdue = IS_OPEN & is_before_today()
        return queryset.filter(is_overdue if value else ~is_overdue)


class FollowUpBody(StrictSerializer):
    follow_up_type = fields.ChoiceField(choices=FollowUp.Type.choices)
    scheduled_date = fields.DateField()
    scheduled_time = fields.TimeField(required=False, allow_null=True)
    notes = fields.LongTextField(required=False)
    assigned_to = fields.IdField(required=False)

    class Meta:
        row = FollowUpRow


class NewFollowUpBody(FollowUpBody):
    lead_id = fields.IdField()


class CompletionBody(StrictSerializer):
    """The fields of `CompletionInput`, with the same limits."""

    outcome = fields.ChoiceField(choices=FollowUp.Outcome.choices)
    notes = fields.LongTextField(required=False, max_length=completion.MAX_NOTES_LENGTH)
    schedule_next = fields.BooleanField(required=False)
    next_follow_up_days = fields.IntegerField(
        min_value=completion.MIN_NEXT_DAYS, max_value=completion.MAX_NEXT_DAYS, required=False
    )
    next_follow_up_date = fields.DateField(
        required=False,
        allow_null=True,
        help_text="The date, today or later, instead of a number of days. If both are given and differ: 400.",
    )
    next_follow_up_time = fields.TimeField(
        required=False,
        allow_null=True,
        help_text="On the assignee's clock; null for no time. Default: the time of this follow-up.",
    )
    next_follow_up_type = fields.ChoiceField(choices=FollowUp.Type.choices, required=False)
    next_follow_up_notes = fields.LongTextField(
        required=False,
        max_length=completion.MAX_NOTES_LENGTH,
        help_text="Instructions for the next follow-up. Default: those of this one.",
    )
    close = fields.ChoiceField(choices=[(status, status) for status in CLOSED_STATUSES], required=False)
    lost_reason = fields.OneLineField(max_length=completion.MAX_LOST_REASON_LENGTH, required=False)
    booked_value = fields.MoneyField(
        required=False, help_text="With `close` won. Default: the lead's quote amount; 400 if it has none."
    )
    no_next_reason = fields.OneLineField(max_length=completion.MAX_REASON_LENGTH, required=False)
    amount = fields.MoneyField(required=False, allow_null=True, help_text="The amount of the quote (type quote only).")
    valid_until = fields.DateField(
        required=False, allow_null=True, help_text="The last day of the quote (type quote only)."
    )


class SnoozeBody(StrictSerializer):
    """Either `minutes` or `until`."""

    minutes = fields.IntegerField(min_value=1, max_value=MAX_SNOOZE_MINUTES, required=False)
    until = fields.DateTimeField(required=False)

    def validate(self, values: dict[str, Any]) -> dict[str, Any]:
        if len(values) != 1:
            raise serializers.ValidationError("Give either minutes or until.")
        return values


class CompletionAnswer(serializers.Serializer):  # type: ignore[type-arg]
    follow_up_id = serializers.IntegerField()
    completed = serializers.BooleanField()
    outcome = serializers.ChoiceField(FollowUp.Outcome.choices)
    next_follow_up_id = serializers.IntegerField(allow_null=True)
    warnings = WarningShape(many=True)


class TaskQuery(StrictSerializer):
    date = fields.DateField(required=False)
    overdue = fields.BooleanField(required=False, default=False)
    view = fields.ChoiceField(choices=[("all", "all"), ("upcoming", "upcoming")], required=False)
    user_id = fields.IdField(required=False)


class LeadQuery(StrictSerializer):
    include_completed = fields.BooleanField(required=False, default=True)


class FollowUpViewSet(CalendarActions, ViewSet):
    queryset = FollowUp.objects.none()
    row = FollowUpRow
    filterset_class = FollowUpFilters
    orderings = {"scheduled_date": "scheduled_date", "due_at": "due_at", "created_at": "created_at"}
    default_ordering = "scheduled_date"
    action_permissions = {"complete": "sales.change_followup", "snooze": "sales.change_followup"}

    def get_queryset(self) -> "QuerySet[FollowUp]":
        return FollowUp.objects.visible_to(self.caller).with_overdue()

    @extend_schema(request=NewFollowUpBody, responses={201: PlannedRow})
    def create(self, request: Request) -> Response:
        """Plan a follow-up for a lead that you may change. It is yours; a manager may name another active user.

        `warnings` says if it is after the trip's pickup; it is planned all the same.
        """
        follow_up = follow_ups.create(by=self.caller, **self.read_body(NewFollowUpBody))
        return Response(self._present_plan(follow_up), status=status.HTTP_201_CREATED)

    @extend_schema(request=FollowUpBody, responses=PlannedRow)
    def partial_update(self, request: Request, pk: str) -> Response:
        """Change an open follow-up; only managers change the assignee. A new date or assignee brings a new reminder."""
        changes = self.read_body(FollowUpBody, partial=True)
        changed = follow_ups.update(by=self.caller, follow_up_id=self.pk, changes=changes, versions=self.if_match)
        return Response(self._present_plan(changed))

    @extend_schema(request=SnoozeBody, responses=PlannedRow)
    @action(detail=True, methods=["post"])
    def snooze(self, request: Request, pk: str) -> Response:
        """Remind the assignee (again) after some minutes, or at a time within 30 days. The date stays.

        For the assignee and managers. An overdue follow-up can be snoozed, too.
        """
        values = self.read_body(SnoozeBody)
        until = values.get("until") or timezone.now() + timedelta(minutes=values["minutes"])
        return Response(self._present_plan(follow_ups.snooze(by=self.caller, follow_up_id=self.pk, until=until)))

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, pk: str) -> Response:
        """Cancel an open follow-up. It stays in the lead's timeline."""
        follow_ups.cancel(by=self.caller, follow_up_id=self.pk, versions=self.if_match)
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(request=CompletionBody, responses=CompletionAnswer)
    @action(detail=True, methods=["post"])
    def complete(self, request: Request, pk: str) -> Response:
        """Record the outcome and what happens next. Only for the assignee.

        `schedule_next` plans the next follow-up: on `next_follow_up_date`, or in `next_follow_up_days` days (3 by
        default), moved to a working day. Without it a date, time or notes of the next follow-up are 400. On a cadence
        the next step is planned automatically; `schedule_next` plans something else in its place, and `no_next_reason`
        stops the cadence. A call, email, meeting or quote makes a new lead `contacted`, unless the outcome is
        `no_answer`.
        """
        completion_input = CompletionInput(**self.read_body(CompletionBody))
        result = follow_ups.complete(by=self.caller, follow_up_id=self.pk, completion_input=completion_input)
        return Response(
            {
                "follow_up_id": result.follow_up.pk,
                "completed": True,
                "outcome": result.follow_up.outcome,
                "next_follow_up_id": result.next_follow_up_id,
                "warnings": planning.find_warnings(result.next_follow_up),
            }
        )

    @extend_schema(parameters=[TaskQuery, *ARRAY_SCHEMA], responses=TaskRow(many=True))
    @action(detail=False, url_path="my-tasks", filterset_class=None, pagination_class=None)
    def my_tasks(self, request: Request) -> Response:
        """Your open follow-ups: from today on, or as the parameters say. A manager may read those of their people."""
        query = read_query(request, TaskQuery, ARRAY_PARAMETERS)
        assignee = self._find_assignee(query.get("user_id"))
        today = local_today(assignee)
        tasks = FollowUp.objects.visible_to(self.caller).open().filter(assigned_to=assignee)
        if "date" in query:
            tasks = tasks.filter(scheduled_date=query["date"])
        elif query["overdue"]:
            tasks = tasks.filter(scheduled_date__lt=today)
        elif query.get("view") != "all":
            tasks = tasks.filter(scheduled_date__gte=today)
        is_overdue = Case(When(scheduled_date__lt=today, then=True), default=False, output_field=BooleanField())
        rows = TaskRow.read(tasks.annotate(is_overdue=is_overdue)).order_by(*DUE_ORDER)
        return array_response(request, rows)

    @extend_schema(parameters=[LeadQuery, *ARRAY_SCHEMA], responses=FollowUpRow(many=True))
    @action(detail=False, url_path="lead/(?P<lead_id>[0-9]+)", filterset_class=None, pagination_class=None)
    def lead(self, request: Request, lead_id: str) -> Response:
        """The follow-ups of a lead, latest date first."""
        query = read_query(request, LeadQuery, ARRAY_PARAMETERS)
        key = parse_id_or_404(lead_id)
        self.get_or_404(Lead.objects.visible_to(self.caller).filter(pk=key).values("pk"))
        rows = FollowUp.objects.filter(lead=key).with_overdue()
        if not query["include_completed"]:
            rows = rows.open()
        return array_response(request, FollowUpRow.read(rows).order_by("-scheduled_date", "-id"))

    def _present_plan(self, follow_up: FollowUp) -> dict[str, Any]:
        row: dict[str, Any] = FollowUpRow.read(FollowUp.objects.with_overdue().filter(pk=follow_up.pk)).get()
        return row | {"warnings": planning.find_warnings(follow_up)}

    def _find_assignee(self, user_id: int | None) -> User:
        """The user with this id, whose tasks the caller may read; by default the caller."""
        me: User = self.caller
        if user_id is None or user_id == me.pk:
            return me
        person = User.objects.filter(pk=user_id).first()
        if person is None:
            raise errors.NotFound("There is no such user.")
        if not User.objects.filter(policy.get_scope_filter(me), pk=user_id).exists():
            raise errors.NotAllowed("You may not read this person's tasks.")
        return person
