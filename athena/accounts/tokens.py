"""Access and refresh tokens (JWT): what they say, and whether they still hold."""

from uuid import UUID

from django.utils.crypto import constant_time_compare
from rest_framework_simplejwt.exceptions import TokenError
from rest_framework_simplejwt.tokens import AccessToken, RefreshToken

from athena.accounts.models import User

ACCESS_SECONDS = int(AccessToken.lifetime.total_seconds())
REFRESH_LIFETIME = RefreshToken.lifetime


def access_token(user: User) -> str:
    """A token for this user, good for ten minutes or until they change their password."""
    token = AccessToken()
    token["user_id"] = user.pk
    token["stamp"] = _stamp(user)
    return str(token)


def refresh_token(family: UUID, jti: str) -> str:
    """The token `jti` of a family (a `LoginSession`)."""
    token = RefreshToken()
    token["family"] = str(family)
    token["jti"] = jti
    return str(token)


def user_of(token: str) -> User | None:
    """Whose access token this is, as they are now, with their team. None where it does not hold (any longer)."""
    try:
        claims = AccessToken(token)  # type: ignore[arg-type]
        user = User.objects.select_related("team").filter(pk=claims["user_id"], is_active=True).first()
    except (TokenError, KeyError, ValueError, TypeError):
        return None
    if user is None or not constant_time_compare(str(claims.get("stamp")), _stamp(user)):
        return None
    return user


def family_of(token: str) -> tuple[UUID, str] | None:
    """The family and the jti of a refresh token, or None where it is not one of ours or has expired."""
    try:
        claims = RefreshToken(token)  # type: ignore[arg-type]
        return UUID(claims["family"]), str(claims["jti"])
    except (TokenError, KeyError, ValueError, TypeError, AttributeError):
        return None


def _stamp(user: User) -> str:
    """Changes with the password, and says nothing about it."""
    return user.get_session_auth_hash()[:16]
