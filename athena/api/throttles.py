"""How many requests somebody may make in a time: counted in one place for all processes, without losing any.

Redis counts where there is one, the database elsewhere. Windows are fixed (the minute of the clock, say), so twice the
number is possible around a window's edge. What cannot be counted passes: a throttle is no reason to be away.
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

_REDIS_WAIT, _REDIS_REST = 0.25, 10.0  # seconds to wait for Redis, and not to ask it again once it did not answer


class Throttle(BaseThrottle):
    """Counts by `ident` under the rate of its scope in `settings.THROTTLES`."""

    scope: ClassVar[str]
    _wait: float = 0

    def ident(self, request: Request) -> str | None:
        """Whose requests are counted together; None for a request that is not counted here."""
        raise NotImplementedError(type(self).__name__)

    def allow_request(self, request: Request, view: Any) -> bool:
        rate, ident = settings.THROTTLES[self.scope], self.ident(request)
        return rate is None or ident is None or self.count_request(ident, rate)

    def count_request(self, ident: str, rate: Rate) -> bool:
        """Count one more of `ident`. Whether it is within the rate."""
        now = time.time()
        window = int(now // rate.seconds) * rate.seconds
        self._wait = window + rate.seconds - now
        return _count(f"{self.scope}:{ident}", window, rate.seconds) <= rate.calls

    def wait(self) -> float:
        return self._wait


class PublicThrottle(Throttle):
    """Of routes that need no login: each by itself, by address and by whom it is about (`subjects`).

    Behind one address may be a whole school. One visitor who asks too often is told to wait alone; only ten times as
    much from the address, whoever it is about, makes everybody wait who is behind it.
    """

    scope = "public"
    subjects: ClassVar[tuple[str, ...]] = ("email", "refresh_token", "token", "pk")
    _everybody = 10

    def allow_request(self, request: Request, view: Any) -> bool:
        rate, address = settings.THROTTLES.get(self.scope), client_address(request._request)
        if rate is None:
            return True
        route = f"{view.basename}-{view.action}:{address}"
        everybody = Rate(rate.calls * self._everybody, rate.seconds)
        return self.count_request(route, everybody) and self.count_request(
            f"{route}:{self._subject(request, view)}", rate
        )

    def _subject(self, request: Request, view: Any) -> str:
        """A hash of what the request is about."""
        body: Any = request.data  # one object, by whatever parser
        sent = {**request.query_params.dict(), **body, **view.kwargs}
        named = [str(sent.get(name, "")).strip().casefold() for name in self.subjects]
        return salted_hmac("athena.http.throttles", "\n".join(named), algorithm="sha256").hexdigest()[:16]


class IntakeThrottle(PublicThrottle):
    """Of the forms on web sites: by form and visitor, too."""

    scope = "intake"
    subjects = ("key", "email", "phone")


class UserThrottle(Throttle):
    """Of everything else: by user."""

    scope = "user"

    def ident(self, request: Request) -> str | None:
        return str(request.user.pk) if request.user.is_authenticated else None


def _count(key: str, window: int, seconds: int) -> int:
    """This request's number in its window."""
    if settings.REDIS_URL:
        return _count_in_redis(key, window, seconds)
    return ThrottleCount.count(key, window + seconds)


def _count_in_redis(key: str, window: int, seconds: int) -> int:
    if time.monotonic() < _Redis.paused_until:
        return 0
    name = f"athena:throttle:{key}:{window}"
    try:
        with _client().pipeline() as pipeline:
            pipeline.incr(name)
            pipeline.expire(name, seconds)
            return int(pipeline.execute()[0])
    except redis.RedisError as error:
        _Redis.paused_until = time.monotonic() + _REDIS_REST
        logger.warning("throttle_not_counted", error=repr(error))
        return 0


class _Redis:
    paused_until = -math.inf


@cache
def _client() -> "redis.Redis":
    return redis.Redis.from_url(settings.REDIS_URL, socket_timeout=_REDIS_WAIT, socket_connect_timeout=_REDIS_WAIT)


def delete_expired() -> int:
    """Delete the counts of windows that are over. Returns how many."""
    return ThrottleCount.objects.filter(ends_at__lt=time.time()).delete()[0]
