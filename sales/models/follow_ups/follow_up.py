"""A follow-up: a planned next step for a lead, and its outcome."""

from datetime import date, timedelta
from typing import Self

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Coalesce
from django.utils import timezone

from athena import time_zones
from athena.accounts.models import User
from athena.db import Now
from athena.formatting import format_date
from sales.models.fields import line_field, text_field, user_field
from sales.models.leads.lead import Lead
from sales.schedule import UNTIMED_DUE_TIME

IS_OPEN = Q(completed=False, cancelled_at__isnull=True)
DUE_ORDER = ("scheduled_date", Coalesce("scheduled_time", models.Value(UNTIMED_DUE_TIME)), "id")


class FollowUpQuerySet(models.QuerySet["FollowUp"]):
    def visible_to(self, user: User) -> Self:
        """The follow-ups of the leads that `user` may read."""
        leads = Lead.objects.visible_to(user).order_by()
        return self.filter(lead__in=leads.values("pk"))

    def open(self) -> Self:
        """Neither completed nor cancelled."""
        return self.filter(IS_OPEN)

    def without_archived_leads(self) -> Self:
        """Without follow-ups of archived leads. (These are few: they are looked up, not each one's lead.)"""
        archived = Lead.objects.filter(archived_at__isnull=False).order_by()
        return self.exclude(lead__in=archived.values("pk"))

    def overdue(self) -> Self:
        """Open, and dated before today where the assignee is. Takes one small query for the users' time zones."""
        return self.filter(IS_OPEN & is_before_today())

    def with_overdue(self) -> Self:
        """Annotates each with `is_overdue`."""
        is_overdue = models.When(IS_OPEN & is_before_today(), then=True)
        return self.annotate(is_overdue=models.Case(is_overdue, default=False, output_field=models.BooleanField()))


def is_before_today() -> Q:
    """Whether `scheduled_date` is before today where the assignee is. One small query for the users' time zones."""
    zones_by_date = find_zones_by_date()
    days = sorted(zones_by_date)
    condition = Q(scheduled_date__lt=days[0]) if days else Q(pk__in=())
    for day in days[1:]:
        users = User.objects.filter(time_zone__in=zones_by_date[day]).order_by().values("pk")
        condition |= Q(scheduled_date__lt=day, assigned_to__in=users)
    return condition


def find_zones_by_date(day_starts_after: timedelta = timedelta()) -> dict[date, list[str]]:
    """The time zones of all users, by the date it is there now. One small query.

    With `day_starts_after`, a date begins that long after midnight, on the wall clock.
    """
    zones_by_date: dict[date, list[str]] = {}
    now = timezone.now()
    for name in User.objects.order_by().values_list("time_zone", flat=True).distinct():
        clock = now.astimezone(time_zones.find_zone(name)).replace(tzinfo=None)
        zones_by_date.setdefault((clock - day_starts_after).date(), []).append(name)
    return zones_by_date


class FollowUp(models.Model):
    class Type(models.TextChoices):
        CALL = "call", "Call"
        EMAIL = "email", "Email"
        MEETING = "meeting", "Meeting"
        QUOTE = "quote", "Quote"
        OTHER = "other", "Other"

    class Outcome(models.TextChoices):
        SUCCESSFUL = "successful", "Successful"
        NO_ANSWER = "no_answer", "No answer"
        VOICEMAIL = "voicemail", "Voicemail"
        RESCHEDULED = "rescheduled", "Rescheduled"
        LOST = "lost", "Lost"

    lead = models.ForeignKey(Lead, models.CASCADE, related_name="follow_ups", db_index=False)
    activity = models.ForeignKey(
        "sales.Activity", models.SET_NULL, null=True, editable=False, related_name="+", db_index=False
    )  # the activity that completing it wrote
    follow_up_type = models.CharField(max_length=50, choices=Type)
    scheduled_date = models.DateField()
    scheduled_time = models.TimeField(null=True, blank=True, help_text="On the assignee's wall clock.")
    first_scheduled_date = models.DateField(null=True, editable=False)
    due_at = models.DateTimeField(null=True, editable=False)
    completed = models.BooleanField(default=False, db_default=False)
    completed_at = models.DateTimeField(null=True, blank=True)
    completed_by = user_field("completed_by", null=True, blank=True)
    outcome = models.CharField(max_length=50, choices=Outcome, null=True, blank=True)
    notes = text_field(help_text="What to do.")
    outcome_notes = text_field(help_text="What was the result.")
    no_next_reason = line_field(help_text="Why nothing follows.")
    remind_at = models.DateTimeField(null=True, editable=False)
    reminder_sent = models.BooleanField(default=False, db_default=False, editable=False)
    reminder_no = models.IntegerField(default=1, db_default=1, editable=False)
    late_when_planned = models.BooleanField(
        default=False, db_default=False, editable=False
    )  # its date was over for the assignee when it was planned: no reminder, no overdue notice
    snoozed_until = models.DateTimeField(null=True, editable=False)  # a snooze that is to come, equal to `remind_at`
    plan_remind_at = models.DateTimeField(
        null=True, editable=False
    )  # the plan's own reminder during a snooze, if unsent
    snooze_no = models.IntegerField(default=0, db_default=0, editable=False)  # raised with each snooze and new plan
    overdue_no = models.IntegerField(
        default=0, db_default=0, editable=False
    )  # `reminder_no` of the last overdue notice
    escalated_no = models.IntegerField(default=0, db_default=0, editable=False)  # `reminder_no` of the last escalation
    assigned_to = user_field("assigned_to", related_name="follow_ups")
    created_by = user_field("created_by", null=True, editable=False)
    planned = models.JSONField(null=True, editable=False)  # the first plan, for the timeline
    cancelled_at = models.DateTimeField(null=True, editable=False)
    cancelled_by = user_field("cancelled_by", null=True, editable=False)
    cancel_reason = line_field()
    version = models.IntegerField(default=1, db_default=1, editable=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    updated_at = models.DateTimeField(db_default=Now(), editable=False)

    objects = FollowUpQuerySet.as_manager()

    class Meta:
        db_table = "follow_ups"
        verbose_name = "follow-up"
        ordering = ["scheduled_date", "scheduled_time", "id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(follow_up_type__in=["call", "email", "meeting", "quote", "other"]),
                name="valid_follow_up_type",
            ),
            models.CheckConstraint(
                condition=Q(outcome__isnull=True)
                | Q(outcome__in=["successful", "no_answer", "voicemail", "rescheduled", "lost"]),
                name="valid_outcome",
            ),
            models.CheckConstraint(
                condition=Q(completed=True, completed_at__isnull=False, outcome__isnull=False)
                | Q(completed=False, completed_at__isnull=True, completed_by__isnull=True, outcome__isnull=True),
                name="follow_ups_completed_whole",
            ),
            models.CheckConstraint(
                condition=Q(completed=False) | Q(cancelled_at__isnull=True), name="follow_ups_one_end"
            ),
            models.CheckConstraint(condition=Q(reminder_no__gte=1), name="follow_ups_reminder_no"),
        ]
        indexes = [
            models.Index(F("lead"), F("created_at").desc(), name="idx_follow_ups_lead"),
            models.Index("assigned_to", "scheduled_date", "completed", "outcome", name="idx_follow_ups_assigned"),
            models.Index(
                "assigned_to",
                "scheduled_date",
                "scheduled_time",
                "id",
                name="idx_follow_ups_scheduled",
                condition=IS_OPEN,
            ),
            models.Index("scheduled_date", name="idx_follow_ups_overdue", condition=IS_OPEN),
            models.Index("remind_at", name="idx_follow_ups_remind", condition=IS_OPEN & Q(reminder_sent=False)),
            models.Index("lead", "due_at", name="idx_follow_ups_next", condition=IS_OPEN),
            models.Index("assigned_to", "lead", name="idx_follow_ups_scope", condition=Q(cancelled_at__isnull=True)),
            models.Index("completed_by", "completed_at", name="idx_follow_ups_done", condition=Q(completed=True)),
            models.Index("id", name="idx_follow_ups_no_due", condition=IS_OPEN & Q(due_at__isnull=True)),
        ]

    def __str__(self) -> str:
        return f"{self.get_follow_up_type_display()} on {format_date(self.scheduled_date)}"

    @property
    def is_open(self) -> bool:
        return not self.completed and self.cancelled_at is None
