"""Cadences: series of planned steps that managers define, and the leads that are enrolled in them."""

from typing import Self

from django.db import models
from django.db.models import F, Q

from athena.db import Now
from sales.models.fields import line_field, text_field, unique_name_constraint
from sales.models.follow_ups.follow_up import FollowUp
from sales.models.leads.lead import Lead, LeadRelatedQuerySet

MAX_STEP_DAY = 365


class Cadence(models.Model):
    name = models.CharField(max_length=100, unique=True)
    is_active = models.BooleanField(
        default=True, db_default=True, help_text="Leads can be enrolled in it. Enrolled leads continue in any case."
    )
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        db_table = "cadences"
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(condition=~Q(name=""), name="cadences_named"),
            unique_name_constraint("cadences_name_in_any_case", "name"),
        ]

    def __str__(self) -> str:
        return self.name


class CadenceStep(models.Model):
    cadence = models.ForeignKey(Cadence, models.CASCADE, related_name="steps", db_index=False)
    day = models.IntegerField(help_text="Days after the lead was enrolled: 0, 1, 3 …")
    follow_up_type = models.CharField(max_length=50, choices=FollowUp.Type)
    notes = text_field(help_text="What to do.")

    class Meta:
        db_table = "cadence_steps"
        ordering = ["cadence", "day"]
        verbose_name = "step"
        constraints = [
            models.UniqueConstraint(
                fields=["cadence", "day"],
                name="cadence_steps_once_a_day",
                violation_error_message="A cadence has at most one step a day.",
            ),
            models.CheckConstraint(condition=Q(day__range=(0, MAX_STEP_DAY)), name="cadence_steps_day"),
            models.CheckConstraint(
                condition=Q(follow_up_type__in=FollowUp.Type.values), name="cadence_steps_type_known"
            ),
        ]

    def __str__(self) -> str:
        return f"Day {self.day}: {self.get_follow_up_type_display()}"


class CadenceEnrolmentQuerySet(LeadRelatedQuerySet):
    def running(self) -> Self:
        return self.filter(stopped_at__isnull=True)

    def with_next_step(self) -> Self:
        """Running, with another step to come."""
        later = CadenceStep.objects.filter(cadence=models.OuterRef("cadence"), day__gt=models.OuterRef("day"))
        return self.running().filter(models.Exists(later.order_by()))


class CadenceEnrolment(models.Model):
    """The enrollment of a lead in a cadence, and the step that it has reached."""

    lead = models.ForeignKey(Lead, models.CASCADE, related_name="cadences", db_index=False)
    cadence = models.ForeignKey(Cadence, models.PROTECT, related_name="enrolments")
    day = models.IntegerField()  # of the step that the lead has reached
    follow_up = models.OneToOneField(FollowUp, models.SET_NULL, null=True, related_name="enrolment")  # that step's
    started_at = models.DateTimeField(db_default=Now())
    stopped_at = models.DateTimeField(null=True)
    stop_reason = line_field()

    objects = CadenceEnrolmentQuerySet.as_manager()

    class Meta:
        db_table = "cadence_enrolments"
        ordering = ["-started_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["lead"], condition=Q(stopped_at__isnull=True), name="cadence_enrolments_one_runs"
            ),
            models.CheckConstraint(
                condition=Q(stopped_at__isnull=True) | ~Q(stop_reason=""), name="cadence_enrolments_stopped_why"
            ),
        ]
        indexes = [models.Index(F("lead"), F("id").desc(), name="idx_cadence_enrolments_lead")]

    def __str__(self) -> str:
        return f"{self.cadence} (day {self.day})"
