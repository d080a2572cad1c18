"""Notifications, their deliveries by channel, and the users' preferences."""

from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from athena.accounts.models import User
from athena.accounts.roles import Role
from athena.db import Now
from notifications import kinds
from notifications.kinds import IN_APP


class NotificationQuerySet(models.QuerySet["Notification"]):
    def visible_to(self, user: User) -> Self:
        return self.filter(recipient=user.pk)

    def shown_to(self, user: User) -> Self:
        """The notifications in this user's list in Athena: those that are due, of the kinds that they want there."""
        choices = Preference.objects.filter(user=user.pk, channel=IN_APP)
        never = [kind.name for kind in kinds.get_all() if IN_APP not in kind.channels]
        off_by_default = [kind.name for kind in kinds.get_all() if IN_APP in kind.off_by_default]
        hidden = Q(kind__in=choices.filter(wanted=False).values("kind"))
        hidden |= Q(kind__in=off_by_default) & ~Q(kind__in=choices.filter(wanted=True).values("kind"))
        if never:
            hidden |= Q(kind__in=never)
        return self.visible_to(user).filter(not_before__lte=timezone.now()).exclude(hidden)

    def unread(self) -> Self:
        return self.filter(read_at__isnull=True)


class Notification(models.Model):
    """One thing that one user should know: one row for each `dedupe_key`, written in the transaction that it reports.

    The recipient finds it in Athena from `not_before` on. A `Delivery` for each other channel sends it there.
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
        """Managers see their team's deliveries (all of them if they have no team), administrators see everybody's."""
        if not user.is_active or user.role == Role.REP:
            return self.none()
        if user.role == Role.MANAGER and user.team_id is not None:
            return self.filter(notification__recipient__team=user.team_id)
        return self

    def deliverable(self, now: object) -> Self:
        """Deliveries that wait, are due, and are not leased by a worker."""
        return self.filter(state="waiting", next_attempt_at__lte=now).filter(
            Q(lease_until__isnull=True) | Q(lease_until__lt=now)
        )


class Delivery(models.Model):
    """The sending of one notification by one channel, with its result."""

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"
        SENT = "sent", "Sent"
        DEAD = "dead", "Failed"
        OFF = "off", "Turned off"
        LAPSED = "lapsed", "Out of date"

    notification = models.ForeignKey(Notification, models.CASCADE, related_name="deliveries", db_index=False)
    channel = models.CharField(max_length=20)
    state = models.CharField(max_length=10, choices=State, default=State.WAITING, db_default=State.WAITING)
    next_attempt_at = models.DateTimeField(db_default=Now())
    attempts = models.IntegerField(default=0, db_default=0)
    lease_until = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)  # when it left the state `waiting`
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
    """Whether a user wants one kind of notification by one channel. No row: the kind's default applies."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="preferences")
    kind = models.CharField(max_length=50)
    channel = models.CharField(max_length=20)
    wanted = models.BooleanField()

    class Meta:
        db_table = "notification_preferences"
        constraints = [models.UniqueConstraint(fields=["user", "kind", "channel"], name="preference_once_per_channel")]

    def __str__(self) -> str:
        return f"{self.kind} by {self.channel} for {self.user_id}"
