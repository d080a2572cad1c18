"""Scoring: the rules, the runs that score all leads, and the history of scores."""

from django.db import models
from django.db.models import F, Q

from athena.db import Now
from sales.models.fields import line_field, unique_name_constraint, user_field
from sales.models.leads.activity import Activity
from sales.models.leads.lead import Lead, LeadRelatedQuerySet


class RuleSet(models.Model):
    """The version of the rules as a whole: a single row. Every change of a rule raises it."""

    id = models.SmallIntegerField(primary_key=True, default=1)
    version = models.IntegerField(default=1, db_default=1)

    class Meta:
        db_table = "rule_set"
        constraints = [models.CheckConstraint(condition=Q(id=1), name="rule_set_one_row")]

    def __str__(self) -> str:
        return f"version {self.version}"


class LeadScoringRule(models.Model):
    """A rule: a lead whose field fulfils the operator and the value gets the points."""

    class Type(models.TextChoices):
        ATTRIBUTE = "attribute", "Details of the lead"
        ACTIVITY = "activity", "Activities"
        ENGAGEMENT = "engagement", "Their responses"

    class Operator(models.TextChoices):
        EQUALS = "equals", "is"
        NOT_EQUALS = "not_equals", "is not"
        CONTAINS = "contains", "contains"
        GREATER_THAN = "greater_than", "is more than"
        AT_LEAST = "at_least", "is at least"
        LESS_THAN = "less_than", "is less than"
        AT_MOST = "at_most", "is at most"
        BETWEEN = "between", "is between"
        IN = "in", "is one of"
        IS_SET = "is_set", "is known"

    rule_name = models.CharField(max_length=100, unique=True)
    rule_type = models.CharField(max_length=50, choices=Type)
    condition_field = models.CharField(max_length=100)
    condition_operator = models.CharField(max_length=20, choices=Operator)
    condition_value = models.CharField(
        max_length=255, help_text="For “is between”, such as 25,50; for “is one of”, such as school,church."
    )
    points = models.IntegerField(help_text="From −100 to 100.")
    is_active = models.BooleanField(default=True, db_default=True)
    within_days = models.IntegerField(null=True, blank=True, help_text="Only events of the last N days count.")
    half_life_days = models.IntegerField(
        null=True, blank=True, help_text="The points halve every N days after the event."
    )
    group = line_field(50, help_text="Of the matching rules in a group, only the one with the most points counts.")
    version = models.IntegerField(default=1, db_default=1, editable=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    updated_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        db_table = "lead_scoring_rules"
        ordering = ["-points", "id"]
        verbose_name = "scoring rule"
        constraints = [
            unique_name_constraint("scoring_rules_name_in_any_case", "rule_name"),
            models.CheckConstraint(
                condition=Q(rule_type__in=["attribute", "activity", "engagement"]), name="scoring_rules_type_known"
            ),
            models.CheckConstraint(
                condition=Q(
                    condition_operator__in=[
                        "equals",
                        "not_equals",
                        "contains",
                        "greater_than",
                        "at_least",
                        "less_than",
                        "at_most",
                        "between",
                        "in",
                        "is_set",
                    ]
                ),
                name="scoring_rules_operator_known",
            ),
            models.CheckConstraint(condition=Q(points__range=(-100, 100)), name="scoring_rules_points"),
            models.CheckConstraint(
                condition=Q(within_days__isnull=True) | Q(within_days__range=(1, 3650)),
                name="scoring_rules_within_days",
            ),
            models.CheckConstraint(
                condition=Q(half_life_days__isnull=True) | Q(half_life_days__range=(1, 3650)),
                name="scoring_rules_half_life_days",
            ),
        ]

    def __str__(self) -> str:
        return self.rule_name


class ScoringRun(models.Model):
    """One recalculation of all open leads, in batches that the workers take one by one."""

    class State(models.TextChoices):
        QUEUED = "queued", "Queued"
        RUNNING = "running", "Running"
        DONE = "done", "Done"
        STALE = "stale", "Stopped by a rule change"
        FAILED = "failed", "Failed"

    UNFINISHED = ("queued", "running")

    state = models.CharField(max_length=10, choices=State, default=State.QUEUED, db_default=State.QUEUED)
    reason = line_field(255)
    processed = models.IntegerField(default=0, db_default=0)
    total = models.IntegerField(default=0, db_default=0)
    changed = models.IntegerField(default=0, db_default=0)
    rule_set_version = models.IntegerField()
    started_by = user_field("started_by", null=True)
    error = line_field(500)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "scoring_runs"
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=["queued", "running", "done", "stale", "failed"]), name="scoring_runs_state_known"
            ),
            models.UniqueConstraint(
                models.Value(1), condition=Q(state__in=["queued", "running"]), name="scoring_runs_one_at_a_time"
            ),
        ]

    def __str__(self) -> str:
        return f"Run {self.pk}"


class ScoringBatch(models.Model):
    """A part of a run that is not done yet: the leads with ids from `first_lead` to `last_lead`, both included.

    The worker that scores the batch locks its row and deletes it in the same transaction. So each batch is done exactly
    once, even if a worker dies, and several workers can share a run.
    """

    run = models.ForeignKey(ScoringRun, models.CASCADE, related_name="batches")
    first_lead = models.BigIntegerField()
    last_lead = models.BigIntegerField()
    leads = models.IntegerField()

    class Meta:
        db_table = "scoring_batches"
        verbose_name_plural = "scoring batches"
        constraints = [
            models.CheckConstraint(condition=Q(last_lead__gte=F("first_lead")), name="scoring_batches_range")
        ]

    def __str__(self) -> str:
        return f"Leads {self.first_lead} to {self.last_lead}"


class LeadScoreHistory(models.Model):
    """A change of a lead's score. The score is always the sum of the lead's `points_changed`."""

    lead = models.ForeignKey(Lead, models.CASCADE, related_name="score_history", db_index=False)
    old_score = models.IntegerField()
    new_score = models.IntegerField()
    points_changed = models.IntegerField()
    reason = line_field(255)
    changed_at = models.DateTimeField(db_default=Now())
    run = models.ForeignKey(ScoringRun, models.SET_NULL, null=True, related_name="+", db_index=False)
    user = user_field("user_id", null=True)
    activity = models.ForeignKey(Activity, models.SET_NULL, null=True, related_name="+", db_index=False)

    objects = LeadRelatedQuerySet.as_manager()

    class Meta:
        db_table = "lead_score_history"
        ordering = ["-changed_at", "-id"]
        verbose_name = "score change"
        constraints = [
            models.CheckConstraint(
                condition=Q(points_changed=F("new_score") - F("old_score")), name="score_history_adds_up"
            ),
            models.CheckConstraint(
                condition=Q(old_score__range=(0, 100), new_score__range=(0, 100)), name="score_history_range"
            ),
        ]
        indexes = [models.Index(F("lead"), F("changed_at").desc(), F("id").desc(), name="idx_score_history_lead")]

    def __str__(self) -> str:
        return f"{self.old_score} → {self.new_score}"
