"""Logins to the API, passwords, deactivation, and changes of users to their own account."""

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
    """The account is unknown or inactive, or the password is wrong; it does not say which."""


class TokenRefused(Exception):
    """The refresh token is invalid or has been used or ended."""


@dataclass(frozen=True)
class Login:
    user: User
    access_token: str
    refresh_token: str


def identify(*, email: str, password: str, address: str) -> User:
    """The active user with this email and password. Raises `LoginRefused` and `LockedOut`.

    `address` is the client's address. During a lockout the right password is refused, too, so that guessing on does
    not help. An unknown account takes as long as a known one: a password is hashed once for both.
    """
    lockout.check_not_locked(email, address)
    user = authenticate(username=email, password=password)
    if not isinstance(user, User):
        lockout.record_failure(email, address)
        raise LoginRefused
    lockout.check_not_locked(email, address)  # other attempts may have failed during the check
    return user


def log_in(*, email: str, password: str, address: str) -> Login:
    """Check a password and start a session of the API. Raises `LoginRefused` and `LockedOut`."""
    return start_session(user=identify(email=email, password=password, address=address))


def start_session(*, user: User) -> Login:
    """Start a session of the API for a user who has been identified."""
    now = timezone.now()
    session = LoginSession.objects.create(user=user, jti=uuid4().hex, started_at=now, expires_at=_expiry(now))
    return _login(user, session.pk, session.jti)


def refresh(*, refresh_token: str) -> Login:
    """Exchange the newest refresh token of a session for a new pair of tokens. Of parallel calls only one succeeds.

    A session lasts `API_LOGIN_LIFETIME` at most. A second use of a token within `REUSE_GRACE` (two windows, a lost
    response) only fails. A later one means that the token was copied, and ends the session. Raises `TokenRefused`.
    """
    claims = tokens.read_refresh_token(refresh_token)
    if claims is None:
        raise TokenRefused
    family, jti, stamp = claims
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
    """End the session of the token, unless it is another user's or has ended already."""
    claims = tokens.read_refresh_token(refresh_token)
    if claims is not None:
        LoginSession.objects.filter(pk=claims.family, user=by, revoked_at=None).update(revoked_at=timezone.now())


def confirm_password(*, by: User, password: str, address: str) -> bool:
    """Whether this is the user's password. A wrong one counts as a failed login. Raises `LockedOut`."""
    lockout.check_not_locked(by.email, address)
    if not by.check_password(password):
        lockout.record_failure(by.email, address)
        return False
    lockout.check_not_locked(by.email, address)  # other attempts may have failed during the check
    return True


def change_password(*, by: User, current_password: str, new_password: str, address: str) -> None:
    """Change the password and end all sessions and tokens. Raises `ValidationError` by field, and `LockedOut`."""
    wrong = ValidationError({"current_password": "This is not your password."})
    if not confirm_password(by=by, password=current_password, address=address):
        raise wrong
    try:
        password_validation.validate_password(new_password, by)
    except ValidationError as error:
        raise ValidationError({"new_password": error.messages}) from error
    with transaction.atomic():
        user = User.objects.select_for_update().get(pk=by.pk)
        if user.password != by.password:  # somebody has changed it meanwhile
            raise wrong
        user.set_password(new_password)
        user.save(update_fields=["password"])
        LoginSession.objects.filter(user=user, revoked_at=None).update(revoked_at=timezone.now())


def deactivate(*, user_id: int) -> None:
    """Deactivate a user and end their sessions and tokens, also for a later reactivation."""
    User.objects.filter(pk=user_id, is_active=True).update(is_active=False, login_epoch=F("login_epoch") + 1)


def update_profile(*, by: User, changes: Mapping[str, Any]) -> User:
    """Change `full_name`, `time_zone`, `reminder_minutes` or `digest_hour`. The tick updates due times later."""
    if changes:
        User.objects.filter(pk=by.pk).update(**changes)
    return User.objects.select_related("team").get(pk=by.pk)


def calendar_url(user: User) -> str:
    """The URL of this user's calendar. Whoever has it can read the calendar."""
    return f"{settings.BASE_URL}{reverse('sales-follow-ups-calendar')}?token={tokens.make_calendar_token(user)}"


def renew_calendar_token(*, by: User) -> User:
    """Replace the token of the user's own calendar."""
    User.objects.filter(pk=by.pk).update(calendar_epoch=F("calendar_epoch") + 1)
    return User.objects.get(pk=by.pk)


def _end_if_copied(family: UUID, jti: str) -> None:
    """End a session whose token was used again, unless its first use was within `REUSE_GRACE`."""
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
    """The expiry of a session that started then, unless it is refreshed."""
    expiry: datetime = min(timezone.now() + tokens.REFRESH_LIFETIME, started_at + settings.API_LOGIN_LIFETIME)
    return expiry
