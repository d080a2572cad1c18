"""Assignment rules: who gets a new lead that nobody has been named for."""

from django.db import models
from django.db.models import Q

from athena.accounts.models import Team
from athena.db import Now
from sales.models.fields import unique_name_constraint, user_field


class AssignmentRule(models.Model):
    """A rule that gives new leads an owner. Rules are tried by position, the lowest number first.

    The first rule that a lead matches, and that has a receiver who is present and has room, decides. A lead must match
    all `conditions`, a list of `{"field", "operator", "value"}` with the same meaning as in scoring rules. A rule
    without a person and a team leaves the lead in the pool, without an owner.
    """

    rule_name = models.CharField("name", max_length=100, unique=True)
    position = models.PositiveIntegerField(help_text="Rules are tried in this order, the lowest number first.")
    is_active = models.BooleanField(default=True, db_default=True)
    conditions = models.JSONField(default=list, db_default=models.Value([], models.JSONField()), editable=False)
    to_user = user_field("to_user_id", null=True, blank=True, verbose_name="person")
    to_team = models.ForeignKey(
        Team, models.PROTECT, null=True, blank=True, related_name="+", db_column="to_team_id", verbose_name="team"
    )
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    updated_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        db_table = "assignment_rules"
        ordering = ["position", "id"]
        constraints = [
            unique_name_constraint("assignment_rules_name_in_any_case", "rule_name"),
            models.CheckConstraint(
                condition=Q(to_user__isnull=True) | Q(to_team__isnull=True), name="assignment_rules_one_target"
            ),
            models.CheckConstraint(condition=Q(position__range=(0, 100_000)), name="assignment_rules_position"),
        ]

    def __str__(self) -> str:
        return self.rule_name
