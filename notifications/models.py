"""What people are to be told, how it reaches each of them, and how they want to hear it."""

from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from athena.accounts.models import User
from athena.accounts.roles import Role
from athena.db import Now
from notifications import kinds

IN_APP = "in_app"


class NotificationQuerySet(models.QuerySet["Notification"]):
    def visible_to(self, user: User) -> Self:
        return self.filter(recipient=user.pk)

    def shown_to(self, user: User) -> Self:
        """What this user finds in Athena: whatever its time has come for, of the kinds that they want to see there."""
        chosen = Preference.objects.filter(user=user.pk, channel=IN_APP)
        by_default = [kind.name for kind in kinds.get_all() if IN_APP in kind.off]
        hidden = Q(kind__in=chosen.filter(wanted=False).values("kind"))
        hidden |= Q(kind__in=by_default) & ~Q(kind__in=chosen.filter(wanted=True).values("kind"))
        return self.visible_to(user).filter(not_before__lte=timezone.now()).exclude(hidden)

    def unread(self) -> Self:
        return self.filter(read_at__isnull=True)


class Notification(models.Model):
    """One thing to tell one person: exactly one row for each `dedupe_key`, written in the transaction it is about.

    It is in Athena for the recipient to read from `not_before` on; a `Delivery` each takes it to them by other ways.
    """

    kind = models.CharField(max_length=50)
    recipient = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="notifications", db_index=False
    )
    dedupe_key = models.CharField(max_length=200, unique=True)
    context = models.JSONField(default=dict)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    not_before = models.DateTimeField(db_default=Now())
    read_at = models.DateTimeField(null=True)

    objects = NotificationQuerySet.as_manager()

    class Meta:
        db_table = "notifications"
        ordering = ["-not_before", "-id"]
        indexes = [
            models.Index(F("recipient"), F("not_before").desc(), F("id").desc(), name="idx_notifications_told"),
            models.Index("recipient", "not_before", name="idx_notifications_unread", condition=Q(read_at__isnull=True)),
        ]

    def __str__(self) -> str:
        return f"{self.kind} for {self.recipient_id}"


class DeliveryQuerySet(models.QuerySet["Delivery"]):
    def visible_to(self, user: User) -> Self:
        """What was sent to whom: managers read their team's (all without a team), administrators everybody's."""
        if not user.is_active or user.role == Role.REP:
            return self.none()
        if user.role == Role.MANAGER and user.team_id is not None:
            return self.filter(notification__recipient__team=user.team_id)
        return self

    def deliverable(self, now: object) -> Self:
        """Rows whose turn has come: due, waiting, and not leased by a worker that is still at it."""
        return self.filter(state="waiting", next_attempt_at__lte=now).filter(
            Q(lease_until__isnull=True) | Q(lease_until__lt=now)
        )


class Delivery(models.Model):
    """One notification on its way by one channel, with what has become of it so far."""

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"
        SENT = "sent", "Sent"
        DEAD = "dead", "Given up"
        OFF = "off", "Not wanted"
        LAPSED = "lapsed", "No longer true"

    notification = models.ForeignKey(Notification, models.CASCADE, related_name="deliveries", db_index=False)
    channel = models.CharField(max_length=20)
    state = models.CharField(max_length=10, choices=State, default=State.WAITING, db_default=State.WAITING)
    next_attempt_at = models.DateTimeField(db_default=Now())
    attempts = models.IntegerField(default=0, db_default=0)
    lease_until = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)  # when it was sent, given up, or found not to be wanted or true
    last_error = models.CharField(max_length=500, blank=True, default="", db_default="")
    retried_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", db_index=False
    )
    retried_at = models.DateTimeField(null=True)

    objects = DeliveryQuerySet.as_manager()

    class Meta:
        db_table = "notification_deliveries"
        verbose_name_plural = "deliveries"
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["notification", "channel"], name="delivery_once_per_channel"),
            models.CheckConstraint(
                condition=Q(state__in=["waiting", "sent", "dead", "off", "lapsed"]), name="delivery_state_known"
            ),
            models.CheckConstraint(
                condition=Q(state="waiting", ended_at__isnull=True) | (~Q(state="waiting") & Q(ended_at__isnull=False)),
                name="delivery_ended_when",
            ),
        ]
        indexes = [
            models.Index(
                "channel", "next_attempt_at", "id", name="idx_deliveries_waiting", condition=Q(state="waiting")
            ),
            models.Index("ended_at", name="idx_deliveries_ended", condition=Q(ended_at__isnull=False)),
            models.Index("id", name="idx_deliveries_dead", condition=Q(state="dead")),
        ]

    def __str__(self) -> str:
        return f"{self.channel} of {self.notification_id}"


class Preference(models.Model):
    """Whether one person wants to hear of one kind of thing by one channel. No row: as the kind has it by itself."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="preferences")
    kind = models.CharField(max_length=50)
    channel = models.CharField(max_length=20)
    wanted = models.BooleanField()

    class Meta:
        db_table = "notification_preferences"
        constraints = [models.UniqueConstraint(fields=["user", "kind", "channel"], name="preference_once_per_channel")]

    def __str__(self) -> str:
        return f"{self.kind} by {self.channel} for {self.user_id}"
