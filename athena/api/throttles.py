"""Throttles: how many requests a client may send per unit of time. One count serves all processes.

Redis counts if there is one, otherwise the database. Windows of time are fixed (a minute of the clock, say), so around
the end of a window twice the limit is possible. If counting fails, requests pass.
"""

import math
import time
from functools import cache
from typing import Any, ClassVar

import redis
import structlog
from django.conf import settings
from django.utils.crypto import salted_hmac
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from athena.api.throttle_rates import Rate
from athena.http.client_address import client_address
from athena.models import ThrottleCount

logger = structlog.get_logger(__name__)

_REDIS_TIMEOUT, _REDIS_PAUSE = 0.25, 10.0  # seconds to wait for Redis, and to pause after it did not respond


class Throttle(BaseThrottle):
    """Counts requests by `ident`, with the rate of its scope in `settings.THROTTLES`."""

    scope: ClassVar[str]
    _wait: float = 0

    def ident(self, request: Request) -> str | None:
        """The client whose requests are counted together; None for a request that is not counted."""
        raise NotImplementedError(type(self).__name__)

    def allow_request(self, request: Request, view: Any) -> bool:
        rate, ident = settings.THROTTLES[self.scope], self.ident(request)
        return rate is None or ident is None or self.count_request(ident, rate)

    def count_request(self, ident: str, rate: Rate) -> bool:
        """Count a request of `ident`. Returns whether it is within the rate."""
        now = time.time()
        window = int(now // rate.seconds) * rate.seconds
        self._wait = window + rate.seconds - now
        return _count(f"{self.scope}:{ident}", window, rate.seconds) <= rate.calls

    def wait(self) -> float:
        return self._wait


class PublicThrottle(Throttle):
    """For routes without a login: counts each route separately, by client address and by `subjects` of the request.

    Many people may share one address, such as a school. So a single visitor who sends too many requests has to wait
    alone; only ten times as many requests from one address make everybody behind it wait.
    """

    scope = "public"
    subjects: ClassVar[tuple[str, ...]] = ("email", "refresh_token", "token", "pk")
    _address_factor = 10

    def allow_request(self, request: Request, view: Any) -> bool:
        rate, address = settings.THROTTLES.get(self.scope), client_address(request._request)
        if rate is None:
            return True
        route = f"{view.basename}-{view.action}:{address}"
        address_rate = Rate(rate.calls * self._address_factor, rate.seconds)
        return self.count_request(route, address_rate) and self.count_request(
            f"{route}:{self._subject(request, view)}", rate
        )

    def _subject(self, request: Request, view: Any) -> str:
        """A hash of the values of `subjects` in the request."""
        body: Any = request.data  # a dictionary, whichever parser read it
        values = {**request.query_params.dict(), **body, **view.kwargs}
        subjects = [str(values.get(name, "")).strip().casefold() for name in self.subjects]
        return salted_hmac("athena.http.throttles", "\n".join(subjects), algorithm="sha256").hexdigest()[:16]


class IntakeThrottle(PublicThrottle):
    """For intake forms on web sites: counts by form and visitor."""

    scope = "intake"
    subjects = ("key", "email", "phone")


class UserThrottle(Throttle):
    """For all other routes: counts by user."""

    scope = "user"

    def ident(self, request: Request) -> str | None:
        return str(request.user.pk) if request.user.is_authenticated else None


def _count(key: str, window: int, seconds: int) -> int:
    """The number of this request in its window of time."""
    if settings.REDIS_URL:
        return _count_in_redis(key, window, seconds)
    return ThrottleCount.count(key, window + seconds)


def _count_in_redis(key: str, window: int, seconds: int) -> int:
    if time.monotonic() < _Redis.paused_until:
        return 0
    name = f"athena:throttle:{key}:{window}"
    client = _client()  # held until the end: redis-py closes the connections of a client that nothing refers to
    try:
        with client.pipeline() as pipeline:
            pipeline.incr(name)
            pipeline.expire(name, seconds)
            return int(pipeline.execute()[0])
    except redis.RedisError as error:
        _Redis.paused_until = time.monotonic() + _REDIS_PAUSE
        logger.warning("throttle_not_counted", error=repr(error))
        return 0


class _Redis:
    paused_until = -math.inf


@cache
def _client() -> "redis.Redis":
    return redis.Redis.from_url(
        settings.REDIS_URL, socket_timeout=_REDIS_TIMEOUT, socket_connect_timeout=_REDIS_TIMEOUT
    )


def delete_expired() -> int:
    """Delete the counts of past windows. Returns their number."""
    return ThrottleCount.objects.filter(ends_at__lt=time.time()).delete()[0]
