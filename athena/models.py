"""Tables of the system itself: heartbeats, idempotency keys, throttle counts and task totals."""

from django.conf import settings
from django.db import models
from django.utils import timezone

from athena.db import Now
from athena.db.bulk import increment


class Heartbeat(models.Model):
    """When a periodic job last ran (UTC), so that `/readyz` can tell an idle system from a dead one."""

    name = models.CharField(max_length=50, primary_key=True)
    at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "heartbeats"

    def __str__(self) -> str:
        return self.name

    @classmethod
    def beat(cls, name: str) -> None:
        cls.objects.update_or_create(name=name, defaults={"at": timezone.now()})


class IdempotencyKey(models.Model):
    """The `Idempotency-Key` of a POST, and the response that it got."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    key = models.CharField(max_length=255)
    fingerprint = models.CharField(max_length=64)  # SHA-256 of method, path and body
    status = models.PositiveSmallIntegerField(null=True)  # NULL while the first request is running
    answer = models.JSONField(null=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "idempotency_keys"
        constraints = [models.UniqueConstraint(fields=["user", "key"], name="idempotency_key_once_per_user")]
        indexes = [models.Index(fields=["created_at"], name="idx_idempotency_keys_age")]

    def __str__(self) -> str:
        return self.key


class ThrottleCount(models.Model):
    """The number of requests by one client in a window of time, if there is no Redis to count them."""

    pk = models.CompositePrimaryKey("name", "ends_at")
    name = models.CharField(max_length=100)  # the scope of the throttle and the client
    ends_at = models.BigIntegerField()  # seconds since 1970
    calls = models.IntegerField(default=0, db_default=0)

    class Meta:
        db_table = "throttle_counts"
        indexes = [models.Index("ends_at", name="idx_throttle_counts_age")]

    def __str__(self) -> str:
        return f"{self.name}: {self.calls}"

    @classmethod
    def count(cls, name: str, ends_at: int) -> int:
        """Count one more request. Returns the new count."""
        (calls,) = increment(cls, {"name": name, "ends_at": ends_at}, {"calls": 1})
        return int(calls)


class TaskTotal(models.Model):
    """The number and total duration of the runs of a task, by outcome: for `/metrics`, the same on every machine."""

    pk = models.CompositePrimaryKey("task", "outcome")
    task = models.CharField(max_length=100)
    outcome = models.CharField(max_length=10)
    runs = models.BigIntegerField(default=0, db_default=0)
    seconds = models.FloatField(default=0, db_default=0)

    class Meta:
        db_table = "task_totals"

    def __str__(self) -> str:
        return f"{self.task} {self.outcome}: {self.runs}"

    @classmethod
    def add(cls, task: str, outcome: str, seconds: float) -> None:
        increment(cls, {"task": task, "outcome": outcome}, {"runs": 1, "seconds": seconds})
