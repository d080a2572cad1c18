"""Tokens of unsubscribe links: signed, so that no login is needed, and valid forever."""

from django.core import signing
from django.urls import reverse

from notifications.models import Notification

_signer = signing.Signer(salt="athena.notifications.unsubscribe")


def build_path(notification: Notification) -> str:
    """Return the path of the unsubscribe page for this notification's recipient and kind, without the host."""
    return reverse("unsubscribe", args=[make_token(notification.recipient_id, notification.kind)])


def make_token(user_id: int, kind: str) -> str:
    """Return the token that turns off emails of `kind` for a user."""
    return _signer.sign_object([user_id, kind])


def read_token(token: str) -> tuple[int, str] | None:
    """Return the user's id and the kind, or None if the token is not one of ours."""
    try:
        user_id, kind = _signer.unsign_object(token)
    except (signing.BadSignature, ValueError):
        return None
    return user_id, kind
