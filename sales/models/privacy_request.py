"""Privacy requests: that the data of a person was exported or erased."""

from django.db import models
from django.db.models import Q

from athena.db import Now
from sales.models.fields import line_field


class PrivacyRequest(models.Model):
    """A record that a person's data was exported or erased: who did it and when. The person is kept as a keyed hash."""

    class Action(models.TextChoices):
        EXPORT = "export", "Exported"
        ERASE = "erase", "Erased"

    action = models.CharField(max_length=10, choices=Action)
    person = models.CharField(max_length=64)  # HMAC-SHA256 of the normalized email address, with the server's key
    ran_by = line_field(150)
    leads = models.IntegerField(default=0, db_default=0)
    rows = models.IntegerField(default=0, db_default=0)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        db_table = "privacy_requests"
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(condition=Q(action__in=["export", "erase"]), name="privacy_requests_action_known")
        ]

    def __str__(self) -> str:
        return f"{self.get_action_display()} {self.created_at:%Y-%m-%d}"
