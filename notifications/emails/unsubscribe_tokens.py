"""The link in each e-mail that ends e-mails of its kind: signed, so that it needs no login, and good for ever."""

from django.core import signing
from django.urls import reverse

from notifications.models import Notification

_signer = signing.Signer(salt="athena.notifications.unsubscribe")


def build_path(notification: Notification) -> str:
    """Where the link leads, without the host."""
    return reverse("unsubscribe", args=[make_token(notification.recipient_id, notification.kind)])


def make_token(user_id: int, kind: str) -> str:
    return _signer.sign_object([user_id, kind])


def read_token(text: str) -> tuple[int, str] | None:
    """Whose e-mails of which kind a token is about, or None where it is not one of ours."""
    try:
        user_id, kind = _signer.unsign_object(text)
    except (signing.BadSignature, ValueError):
        return None
    return user_id, kind
