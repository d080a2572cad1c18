"""Creates and checks tokens: access and refresh tokens of the API (JWT), and the token of a calendar."""

from typing import NamedTuple
from uuid import UUID

from django.conf import settings
from django.utils import timezone
from django.utils.crypto import constant_time_compare, salted_hmac
from rest_framework_simplejwt.exceptions import TokenError
from rest_framework_simplejwt.tokens import AccessToken, RefreshToken

from athena.accounts.models import LoginSession, User

ACCESS_SECONDS = int(AccessToken.lifetime.total_seconds())
REFRESH_LIFETIME = RefreshToken.lifetime


def make_access_token(user: User, family: UUID) -> str:
    """An access token of the session `family`, valid for ten minutes or until the session ends."""
    token = AccessToken()
    token["user_id"] = user.pk
    token["family"] = str(family)
    token["stamp"] = _stamp(user)
    return str(token)


def make_refresh_token(user: User, family: UUID, jti: str) -> str:
    """The refresh token `jti` of the session `family`."""
    token = RefreshToken()
    token["family"] = str(family)
    token["jti"] = jti
    token["stamp"] = _stamp(user)
    return str(token)


def find_user(token: str) -> User | None:
    """The user of an access token, with their team. None if the token is not valid or its session has ended."""
    try:
        claims = AccessToken(token)  # type: ignore[arg-type]
        user_id, family = claims["user_id"], UUID(claims["family"])
    except (TokenError, KeyError, ValueError, TypeError, AttributeError):
        return None
    open_sessions = LoginSession.objects.filter(pk=family, revoked_at=None, expires_at__gt=timezone.now())
    user = (
        User.objects.select_related("team").filter(pk=user_id, is_active=True, login_sessions__in=open_sessions).first()
    )
    return user if user is not None and is_current_stamp(user, str(claims.get("stamp"))) else None


class RefreshClaims(NamedTuple):
    family: UUID
    jti: str
    stamp: str


def read_refresh_token(token: str) -> RefreshClaims | None:
    """The claims of a refresh token. None if it is not ours or has expired."""
    try:
        claims = RefreshToken(token)  # type: ignore[arg-type]
        return RefreshClaims(UUID(claims["family"]), str(claims["jti"]), str(claims["stamp"]))
    except (TokenError, KeyError, ValueError, TypeError, AttributeError):
        return None


def is_current_stamp(user: User, stamp: str) -> bool:
    """Whether the stamp is from after the last change of password and the last deactivation."""
    return constant_time_compare(stamp, _stamp(user))


def make_calendar_token(user: User) -> str:
    """The secret token of this user's calendar, derived from SECRET_KEY: the database alone does not reveal it.

    It is valid until it is renewed or the user is deactivated; a new password does not end it.
    """
    return _calendar_token(user, settings.SECRET_KEY)


def find_calendar_user(token: str) -> User | None:
    """The user whose calendar the token opens; None if it is not valid."""
    key, _, _ = token.partition("-")
    if not (key.isascii() and key.isdigit() and len(key) < 19):
        return None
    user = User.objects.filter(pk=int(key), is_active=True).first()
    if user is None:
        return None
    is_valid = any(
        constant_time_compare(token, _calendar_token(user, secret))
        for secret in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    )
    return user if is_valid else None


def _calendar_token(user: User, secret: str | bytes) -> str:
    value = f"{user.pk}:{user.calendar_epoch}:{user.login_epoch}"
    digest = salted_hmac("athena.accounts.calendar", value, secret=secret, algorithm="sha256").hexdigest()
    return f"{user.pk}-{digest[:40]}"


def _stamp(user: User) -> str:
    return user.get_session_auth_hash()[:16]
