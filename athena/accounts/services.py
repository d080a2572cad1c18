"""Logging in and out, and what people change about their own account."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import structlog
from django.conf import settings
from django.contrib.auth import authenticate, password_validation
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import F
from django.urls import reverse
from django.utils import timezone

from athena.accounts import lockout, tokens
from athena.accounts.models import LoginSession, User

logger = structlog.get_logger(__name__)

REUSE_GRACE = timedelta(seconds=10)


class LoginRefused(Exception):
    """Unknown, wrong or inactive: it does not say which."""


class TokenRefused(Exception):
    """Not a refresh token that can be used (any more)."""


@dataclass(frozen=True)
class Login:
    user: User
    access_token: str
    refresh_token: str


def identify(*, email: str, password: str, address: str) -> User:
    """The active user whose password this is. Hashes once, whoever it is. Raises `LoginRefused`, `LockedOut`.

    `address` is where the request came from. While it is locked out the right password does not help either: that is
    what the next guess would be.
    """
    lockout.check_not_locked(email, address)
    user = authenticate(username=email, password=password)
    if not isinstance(user, User):
        lockout.record_failure(email, address)
        raise LoginRefused
    lockout.check_not_locked(email, address)  # others may have failed while this one was looked at
    return user


def log_in(*, email: str, password: str, address: str) -> Login:
    """Begin a family of tokens. Raises `LoginRefused`, `LockedOut`."""
    return start_session(user=identify(email=email, password=password, address=address))


def start_session(*, user: User) -> Login:
    """Begin a family of tokens for somebody who has shown who they are."""
    now = timezone.now()
    session = LoginSession.objects.create(user=user, jti=uuid4().hex, started_at=now, expires_at=_expiry(now))
    return _login(user, session.pk, session.jti)


def refresh(*, refresh_token: str) -> Login:
    """A new pair for the newest token of a family, which is used up by that: of parallel calls one wins.

    A login is renewed for `API_LOGIN_LIFETIME` at most. A second use within ten seconds (two windows, a lost answer)
    only fails; later it means that the token was copied, and the family ends. Raises `TokenRefused`.
    """
    found = tokens.read_refresh_token(refresh_token)
    if found is None:
        raise TokenRefused
    family, jti, stamp = found
    session = LoginSession.objects.select_related("user__team").filter(pk=family, user__is_active=True).first()
    if session is None or not tokens.is_current_stamp(session.user, stamp):
        raise TokenRefused
    user, now, successor = session.user, timezone.now(), uuid4().hex
    won = LoginSession.objects.filter(pk=family, jti=jti, revoked_at=None, expires_at__gt=now).update(
        jti=successor, previous_jti=jti, rotated_at=now, expires_at=_expiry(session.started_at)
    )
    if not won:
        _end_if_copied(family, jti)
        raise TokenRefused
    return _login(user, family, successor)


def log_out(*, by: User, refresh_token: str) -> None:
    """End the token's family. One that is not the caller's, has expired or ended already is left as it is."""
    found = tokens.read_refresh_token(refresh_token)
    if found is not None:
        LoginSession.objects.filter(pk=found.family, user=by, revoked_at=None).update(revoked_at=timezone.now())


def confirm_password(*, by: User, password: str, address: str) -> bool:
    """Whether this is the caller's password. One that is not counts like a failed login. Raises `LockedOut`."""
    lockout.check_not_locked(by.email, address)
    if not by.check_password(password):
        lockout.record_failure(by.email, address)
        return False
    lockout.check_not_locked(by.email, address)  # others may have failed while this one was looked at
    return True


def change_password(*, by: User, current_password: str, new_password: str, address: str) -> None:
    """Every token and session from before stops working. Raises `ValidationError` by field, and `LockedOut`."""
    wrong = ValidationError({"current_password": "This is not your password."})
    if not confirm_password(by=by, password=current_password, address=address):
        raise wrong
    try:
        password_validation.validate_password(new_password, by)
    except ValidationError as error:
        raise ValidationError({"new_password": error.messages}) from error
    with transaction.atomic():
        user = User.objects.select_for_update().get(pk=by.pk)
        if user.password != by.password:  # changed meanwhile
            raise wrong
        user.set_password(new_password)
        user.save(update_fields=["password"])
        LoginSession.objects.filter(user=user, revoked_at=None).update(revoked_at=timezone.now())


def deactivate(*, user_id: int) -> None:
    """End an account: its sessions and tokens stop working, and do not come back with it."""
    User.objects.filter(pk=user_id, is_active=True).update(is_active=False, login_epoch=F("login_epoch") + 1)


def update_profile(*, by: User, changes: Mapping[str, Any]) -> User:
    """`full_name`, `time_zone`, `reminder_minutes`, `digest_hour`. The tick moves due times and reminders along."""
    if changes:
        User.objects.filter(pk=by.pk).update(**changes)
    return User.objects.select_related("team").get(pk=by.pk)


def calendar_url(user: User) -> str:
    """Where this user's calendar is read, by whoever has the address."""
    return f"{settings.BASE_URL}{reverse('sales-follow-ups-calendar')}?token={tokens.make_calendar_token(user)}"


def renew_calendar_token(*, by: User) -> User:
    """A new token for one's calendar; the one from before ends."""
    User.objects.filter(pk=by.pk).update(calendar_epoch=F("calendar_epoch") + 1)
    return User.objects.get(pk=by.pk)


def _end_if_copied(family: UUID, jti: str) -> None:
    """End a family whose token was used again, unless that token's only use was in the last seconds."""
    just_rotated = {"previous_jti": jti, "rotated_at__gte": timezone.now() - REUSE_GRACE}
    ended = (
        LoginSession.objects.filter(pk=family, revoked_at=None)
        .exclude(**just_rotated)
        .update(revoked_at=timezone.now())
    )
    if ended:
        logger.warning("login_session_ended_for_reuse", family=str(family))


def _login(user: User, family: UUID, jti: str) -> Login:
    return Login(user, tokens.make_access_token(user, family), tokens.make_refresh_token(user, family, jti))


def _expiry(started_at: datetime) -> datetime:
    """When a family that began then expires, unless it is renewed."""
    expiry: datetime = min(timezone.now() + tokens.REFRESH_LIFETIME, started_at + settings.API_LOGIN_LIFETIME)
    return expiry
