"""How many deliveries each channel has sent and still has to send: for `/readyz`, `/metrics` and the admin."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypedDict

from django.db.models import Count, Min, Q
from django.utils import timezone

from notifications import channels
from notifications.models import Delivery, DeliveryQuerySet

State = Delivery.State
ENDED_STATES = (State.SENT, State.DEAD, State.OFF, State.LAPSED)
DAY, WEEK = timedelta(days=1), timedelta(days=7)


@dataclass(frozen=True)
class ChannelStats:
    """The deliveries of one channel.

    `due` should have been sent by now, `queued` are due later; `failed` of both have failed at least once and will be
    tried again; `dead` have failed for good. `oldest` is when the oldest of the `due` ones became due (UTC). `day` and
    `week` count those that ended in the last 24 hours and 7 days, by their state.
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
        """Return all counts by name: `due`, `queued`, `failed`, `dead`, `sent_in_a_day`, `sent_in_a_week` and so on."""
        now = {"due": self.due, "queued": self.queued, "failed": self.failed, "dead": self.dead}
        day = {f"{state}_in_a_day": count for state, count in self.day.items()}
        week = {f"{state}_in_a_week": count for state, count in self.week.items()}
        return now | day | week


class _Waiting(TypedDict):
    due: int
    queued: int
    failed: int
    oldest: datetime | None


_NONE_WAITING = _Waiting(due=0, queued=0, failed=0, oldest=None)


def measure_channels(deliveries: DeliveryQuerySet) -> list[ChannelStats]:
    """Return the statistics of these deliveries for each channel that sends.

    Takes three queries, each on an index that holds no more rows than the query counts.
    """
    deliveries = deliveries.order_by()
    waiting, ended = _count_waiting(deliveries), _count_ended(deliveries)
    dead = dict(deliveries.filter(state=State.DEAD).values_list("channel").annotate(Count("pk")))
    return [
        ChannelStats(
            channel=name,
            **waiting.get(name, _NONE_WAITING),
            dead=dead.get(name, 0),
            day={state.value: ended.get((name, state.value), (0, 0))[0] for state in ENDED_STATES},
            week={state.value: ended.get((name, state.value), (0, 0))[1] for state in ENDED_STATES},
        )
        for name in channels.get_sending()
    ]


def _count_waiting(deliveries: DeliveryQuerySet) -> dict[str, _Waiting]:
    is_due = Q(next_attempt_at__lte=timezone.now())
    rows = (
        deliveries.filter(state=State.WAITING)
        .values_list("channel")
        .annotate(
            due=Count("pk", filter=is_due),
            queued=Count("pk", filter=~is_due),
            failed=Count("pk", filter=~Q(last_error="")),
            oldest=Min("next_attempt_at", filter=is_due),
        )
    )
    return {
        channel: _Waiting(due=due, queued=queued, failed=failed, oldest=oldest)
        for channel, due, queued, failed, oldest in rows
    }


def _count_ended(deliveries: DeliveryQuerySet) -> dict[tuple[str, str], tuple[int, int]]:
    """Return, by channel and state, how many ended in the last day and in the last week."""
    now = timezone.now()
    rows = deliveries.filter(ended_at__gte=now - WEEK).values_list("channel", "state")
    counted = rows.annotate(day=Count("pk", filter=Q(ended_at__gte=now - DAY)), week=Count("pk"))
    return {(channel, state): (day, week) for channel, state, day, week in counted}
