"""How delivery is doing, channel by channel: for `/readyz`, for `/metrics`, and for people in the admin."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Min, Q
from django.utils import timezone

from notifications import channels
from notifications.models import Delivery, DeliveryQuerySet

State = Delivery.State
ENDS = (State.SENT, State.DEAD, State.OFF, State.LAPSED)
_PERIODS = {"day": timedelta(days=1), "week": timedelta(days=7)}


@dataclass(frozen=True)
class ChannelStats:
    """Of one channel. `due` should have gone out by now, `queued` has time; `failed` of the two were tried in vain.

    `day` and `week` say how many ended as sent, dead, off and lapsed in the last 24 hours and 7 days.
    """

    channel: str
    due: int
    queued: int
    failed: int
    dead: int
    oldest: datetime | None
    day: dict[str, int]
    week: dict[str, int]

    def counts(self) -> dict[str, int]:
        """All that can be counted, under one name each: `due`, `sent_in_a_day` …"""
        now = {"due": self.due, "queued": self.queued, "failed": self.failed, "dead": self.dead}
        lately = {"day": self.day, "week": self.week}
        return now | {f"{state}_in_a_{name}": count for name, of in lately.items() for state, count in of.items()}


def measure_channels(deliveries: DeliveryQuerySet) -> list[ChannelStats]:
    """The figures of these deliveries. Three queries, each on an index that holds no more than it counts."""
    now = timezone.now()
    due = Q(next_attempt_at__lte=now)
    counted = {"due": Count("pk", filter=due), "queued": Count("pk", filter=~due)}
    counted["failed"] = Count("pk", filter=~Q(last_error=""))
    waiting: dict[str, Any] = {
        row["channel"]: row
        for row in deliveries.order_by()
        .filter(state=State.WAITING)
        .values("channel")
        .annotate(**counted, oldest=Min("next_attempt_at", filter=due))
    }
    dead = dict(deliveries.order_by().filter(state=State.DEAD).values_list("channel").annotate(Count("pk")))
    ended: dict[tuple[str, str], Any] = {
        (row["channel"], row["state"]): row
        for row in deliveries.order_by()
        .filter(ended_at__gte=now - _PERIODS["week"])
        .values("channel", "state")
        .annotate(week=Count("pk"), day=Count("pk", filter=Q(ended_at__gte=now - _PERIODS["day"])))
    }
    found = []
    for name in channels.get_sending():
        own = waiting.get(name, {})
        day, week = (
            {state.value: int(ended.get((name, state.value), {}).get(period, 0)) for state in ENDS}
            for period in _PERIODS
        )
        numbers = {each: int(own.get(each, 0)) for each in counted}
        oldest = own.get("oldest")
        found.append(ChannelStats(name, **numbers, dead=dead.get(name, 0), oldest=oldest, day=day, week=week))
    return found
