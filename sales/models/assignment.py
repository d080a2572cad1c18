"""Who gets a new lead that nobody has been named for."""

from django.db import models
from django.db.models import Q

from athena.accounts.models import Team
from athena.db import Now
from sales.models.fields import unique_name_constraint, user_field


class AssignmentRule(models.Model):
    """Asked in order, the lowest number first; the first that matches and has somebody to give the lead to decides.

    `conditions` are what a scoring rule may ask of a lead's attributes, all of which must hold: a list of
    `{"field", "operator", "value"}`. No person and no team is the pool: the lead stays without an owner.
    """

    rule_name = models.CharField("name", max_length=100, unique=True)
    position = models.PositiveIntegerField(help_text="The lowest number is asked first.")
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
