"""`/sales/follow-ups`: what is promised, to whom, and what came of it."""

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
from sales.api.follow_ups.calendar import CalendarActions
from sales.api.serializers.follow_ups import FollowUpRow, PlannedRow, TaskRow, WarningShape
from sales.models import FollowUp, Lead
from sales.models.follow_up import DUE_FIRST, OPEN, before_today
from sales.services.follow_ups import follow_ups, planning

_STATES = {"open": OPEN, "completed": Q(completed=True), "cancelled": Q(cancelled_at__isnull=False)}


class FollowUpFilters(filters.StrictFilterSet):
    lead = filters.IdsFilter()
    assigned_to = filters.IdsFilter()
    state = filters.ChoicesFilter(choices=[(name, name) for name in _STATES], method="filter_state")
    follow_up_type = filters.ChoicesFilter(choices=FollowUp.Type.choices)
    due_after = filters.DateAfterFilter(field_name="scheduled_date")
    due_before = filters.DateBeforeFilter(field_name="scheduled_date")
    overdue = filters.BooleanFilter(method="filter_overdue")

    def filter_state(self, queryset: Any, name: str, value: list[str]) -> Any:
        wanted = Q()
        for state in value:
            wanted |= _STATES[state]
        return queryset.filter(wanted)

    def filter_overdue(self, queryset: Any, name: str, value: bool) -> Any:
        late = OPEN & before_today()
        return queryset.filter(late if value else ~late)


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
    outcome = fields.ChoiceField(choices=FollowUp.Outcome.choices)
    notes = fields.LongTextField(required=False)
    schedule_next = fields.BooleanField(required=False)
    next_follow_up_days = fields.IntegerField(min_value=1, max_value=365, required=False)
    next_follow_up_date = fields.DateField(
        required=False,
        allow_null=True,
        help_text="In the place of the days: this very date, today or later. Both and different: 400.",
    )
    next_follow_up_time = fields.TimeField(
        required=False, allow_null=True, help_text="On the assignee's wall clock; null: none. Left out: as before."
    )
    next_follow_up_type = fields.ChoiceField(choices=FollowUp.Type.choices, required=False)
    next_follow_up_notes = fields.LongTextField(
        required=False, help_text="What is to be done then. Left out: what was to be done this time."
    )
    close = fields.ChoiceField(choices=[("won", "won"), ("lost", "lost")], required=False)
    lost_reason = fields.OneLineField(max_length=50, required=False)
    booked_value = fields.MoneyField(
        required=False, help_text="For `close` won. Left out: the lead's quote amount, or 400 where it has none."
    )
    no_next_reason = fields.OneLineField(max_length=200, required=False)
    amount = fields.MoneyField(required=False, allow_null=True, help_text="Of the quote that was sent (type quote).")
    valid_until = fields.DateField(required=False, allow_null=True, help_text="The quote's last day (type quote).")


class SnoozeBody(StrictSerializer):
    """One of the two."""

    minutes = fields.IntegerField(min_value=1, max_value=43_200, required=False)
    until = fields.DateTimeField(required=False)

    def validate(self, values: dict[str, Any]) -> dict[str, Any]:
        if len(values) != 1:
            raise serializers.ValidationError("Give minutes or until, one of the two.")
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
        """Plan a follow-up on a lead that you may write, for yourself; a manager may name another active user.

        What is odd about it (it lies after the trip's pickup) is in `warnings`, and refuses nothing.
        """
        follow_up = follow_ups.create(by=self.caller, **self.read_body(NewFollowUpBody))
        return Response(self._planned(follow_up), status=status.HTTP_201_CREATED)

    @extend_schema(request=FollowUpBody, responses=PlannedRow)
    def partial_update(self, request: Request, pk: str) -> Response:
        """Reschedule, reword or (managers) reassign. A new date or assignee arms the reminder again."""
        changes = self.read_body(FollowUpBody, partial=True)
        changed = follow_ups.update(by=self.caller, follow_up_id=self.pk, changes=changes, versions=self.if_match)
        return Response(self._planned(changed))

    @extend_schema(request=SnoozeBody, responses=PlannedRow)
    @action(detail=True, methods=["post"])
    def snooze(self, request: Request, pk: str) -> Response:
        """Be reminded (again) in so many minutes, or at a time of the next 30 days; the date stays. Also when overdue.

        Assignee or manager; it is the assignee who is reminded.
        """
        values = self.read_body(SnoozeBody)
        until = values.get("until") or timezone.now() + timedelta(minutes=values["minutes"])
        return Response(self._planned(follow_ups.snooze(by=self.caller, follow_up_id=self.pk, until=until)))

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, pk: str) -> Response:
        """Cancel a follow-up. It stays in the lead's story."""
        follow_ups.cancel(by=self.caller, follow_up_id=self.pk, versions=self.if_match)
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(request=CompletionBody, responses=CompletionAnswer)
    @action(detail=True, methods=["post"])
    def complete(self, request: Request, pk: str) -> Response:
        """Say what came of it and what comes next. The assignee alone.

        `schedule_next` plans the next follow-up: on `next_follow_up_date`, or in `next_follow_up_days` on a working
        day; `next_…` without it is 400 (the days are ignored). On a cadence its next step is planned by itself;
        `schedule_next` then says when and what in that step's place, `no_next_reason` stops the cadence. What makes a
        contact (no outcome but no_answer of a call, e-mail, meeting or quote) makes a new lead `contacted`.
        """
        values = self.read_body(CompletionBody)
        done = follow_ups.complete(by=self.caller, follow_up_id=self.pk, **values)
        return Response(
            {
                "follow_up_id": done.follow_up.pk,
                "completed": True,
                "outcome": done.follow_up.outcome,
                "next_follow_up_id": done.next_follow_up_id,
                "warnings": planning.warnings_about(done.following),
            }
        )

    @extend_schema(parameters=[TaskQuery, *ARRAY_SCHEMA], responses=TaskRow(many=True))
    @action(detail=False, url_path="my-tasks", filterset_class=None, pagination_class=None)
    def my_tasks(self, request: Request) -> Response:
        """What there is to do: today and later, or as the parameters say; a manager may look at a colleague's."""
        query = read_query(request, TaskQuery, ARRAY_PARAMETERS)
        assignee = self._whose(query.get("user_id"))
        today = local_today(assignee)
        tasks = FollowUp.objects.visible_to(self.caller).open().filter(assigned_to=assignee)
        if "date" in query:
            tasks = tasks.filter(scheduled_date=query["date"])
        elif query["overdue"]:
            tasks = tasks.filter(scheduled_date__lt=today)
        elif query.get("view") != "all":
            tasks = tasks.filter(scheduled_date__gte=today)
        late = Case(When(scheduled_date__lt=today, then=True), default=False, output_field=BooleanField())
        rows = TaskRow.read(tasks.annotate(is_overdue=late)).order_by(*DUE_FIRST)
        return array_response(request, rows)

    @extend_schema(parameters=[LeadQuery, *ARRAY_SCHEMA], responses=FollowUpRow(many=True))
    @action(detail=False, url_path="lead/(?P<lead_id>[0-9]+)", filterset_class=None, pagination_class=None)
    def lead(self, request: Request, lead_id: str) -> Response:
        """Every follow-up of a lead, newest date first."""
        query = read_query(request, LeadQuery, ARRAY_PARAMETERS)
        key = parse_id_or_404(lead_id)
        self.get_or_404(Lead.objects.visible_to(self.caller).filter(pk=key).values("pk"))
        planned = FollowUp.objects.filter(lead=key).with_overdue()
        if not query["include_completed"]:
            planned = planned.open()
        return array_response(request, FollowUpRow.read(planned).order_by("-scheduled_date", "-id"))

    def _planned(self, follow_up: FollowUp) -> dict[str, Any]:
        found: dict[str, Any] = FollowUpRow.read(FollowUp.objects.with_overdue().filter(pk=follow_up.pk)).get()
        return found | {"warnings": planning.warnings_about(follow_up)}

    def _whose(self, user_id: int | None) -> User:
        me: User = self.caller
        if user_id is None or user_id == me.pk:
            return me
        person = User.objects.filter(pk=user_id).first()
        if person is None:
            raise errors.NotFound("There is no such user.")
        if not User.objects.filter(policy.get_scope_filter(me), pk=user_id).exists():
            raise errors.NotAllowed("You may not read this person's tasks.")
        return person
