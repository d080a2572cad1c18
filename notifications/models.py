"""What people are to be told: the outbox, and how each of them wants to hear it."""

from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from athena.accounts.models import User
from athena.db import Now


class NotificationQuerySet(models.QuerySet["Notification"]):
    def visible_to(self, user: User) -> Self:
        return self.filter(recipient=user.pk)

    def deliverable(self, now: object) -> Self:
        """Rows whose turn has come: due, waiting, and not leased by a worker that is still at it."""
        return self.filter(state="waiting", next_attempt_at__lte=now).filter(
            Q(lease_until__isnull=True) | Q(lease_until__lt=now)
        )


class Notification(models.Model):
    """One thing to tell one person: exactly one row for each `dedupe_key`, written in the transaction it is about."""

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"
        SENT = "sent", "Sent"
        DEAD = "dead", "Given up"
        OFF = "off", "Not wanted"

    kind = models.CharField(max_length=50)
    recipient = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="notifications", db_index=False
    )
    dedupe_key = models.CharField(max_length=200, unique=True)
    context = models.JSONField(default=dict)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    read_at = models.DateTimeField(null=True)
    state = models.CharField(max_length=10, choices=State, default=State.WAITING, db_default=State.WAITING)
    next_attempt_at = models.DateTimeField(db_default=Now())
    attempts = models.IntegerField(default=0, db_default=0)
    lease_until = models.DateTimeField(null=True)
    sent_at = models.DateTimeField(null=True)
    last_error = models.CharField(max_length=500, blank=True, default="", db_default="")

    objects = NotificationQuerySet.as_manager()

    class Meta:
        db_table = "notifications"
        ordering = ["-created_at", "-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=["waiting", "sent", "dead", "off"]), name="notifications_state_known"
            ),
            models.CheckConstraint(
                condition=Q(state="sent", sent_at__isnull=False) | (~Q(state="sent") & Q(sent_at__isnull=True)),
                name="notifications_sent_when",
            ),
        ]
        indexes = [
            models.Index(F("recipient"), F("created_at").desc(), F("id").desc(), name="idx_notifications_recipient"),
            models.Index("next_attempt_at", "id", name="idx_notifications_waiting", condition=Q(state="waiting")),
            models.Index("id", name="idx_notifications_dead", condition=Q(state="dead")),
        ]

    def __str__(self) -> str:
        return f"{self.kind} for {self.recipient_id}"


class Preference(models.Model):
    """How one person wants to hear of one kind of thing. No row: every channel."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="preferences")
    kind = models.CharField(max_length=50)
    email = models.BooleanField(default=True, db_default=True)
    in_app = models.BooleanField(default=True, db_default=True)

    class Meta:
        db_table = "notification_preferences"
        constraints = [models.UniqueConstraint(fields=["user", "kind"], name="preference_once_per_kind")]

    def __str__(self) -> str:
        return f"{self.kind} for {self.user_id}"
