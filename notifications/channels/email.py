"""The email channel. Emails leave by Django's email backend: a mail server or the API of an email provider."""

import smtplib
from email.utils import format_datetime, parseaddr

import css_inline
from anymail.exceptions import AnymailAPIError
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.mail import EmailMultiAlternatives, get_connection
from django.core.mail.backends.base import BaseEmailBackend

from athena import host_names
from notifications.channels import Channel, ChannelUnavailable, PermanentFailure, TemporaryFailure, eml
from notifications.emails import rendering, unsubscribe_tokens
from notifications.emails.link_removal import remove_links_from_context
from notifications.kinds import EMAIL
from notifications.models import Notification

SMTP_CLOSING = 421  # the SMTP status of a server that closes the connection
REJECTED_EMAIL_STATUSES = (400, 404, 406, 413, 422)  # a provider's HTTP statuses that concern one email alone
FOOTER = (
    "-- \nUnsubscribe from these emails: {unsubscribe}\n"
    "Notification preferences: {base_url}/admin/notifications/preference/"
)
INLINER = css_inline.CSSInliner(load_remote_stylesheets=False)


class EmailChannel(Channel):
    """Sends all emails over one connection, opened when it is first needed."""

    name, label = EMAIL, "Email"

    def __init__(self) -> None:
        self._connection: BaseEmailBackend | None = None
        self._has_sent = False

    def send(self, notification: Notification) -> None:
        message = compose(notification)
        had_sent = self._has_sent
        try:
            self._send(message)
        except ChannelUnavailable:
            if not had_sent:
                raise
            self._send(message)  # servers close a connection after some emails or minutes; a new one may work

    def _send(self, message: EmailMultiAlternatives) -> None:
        try:
            self._connection = self._connection or get_connection()
            self._connection.open()
            self._connection.send_messages([message])
            self._has_sent = True
        except Exception as error:
            self.close()
            raise _classify(error) from error

    def close(self) -> None:
        self._has_sent = False
        if self._connection is not None:
            self._connection.close()


def compose(notification: Notification) -> EmailMultiAlternatives:
    """Build the email in text and HTML. Its Message-ID is the same for each attempt. Raises PermanentFailure."""
    kind, unsubscribe = notification.kind, f"{settings.BASE_URL}{unsubscribe_tokens.build_path(notification)}"
    try:
        context = {
            **remove_links_from_context(notification.context),
            "recipient": notification.recipient,
            "unsubscribe_url": unsubscribe,
        }
        subject, text = rendering.render_subject(kind, context), rendering.render_text(kind, context)
        html = INLINER.inline(rendering.render_html(kind, context))
    except Exception as error:  # a template that fails on this context fails on it tomorrow, too
        raise PermanentFailure(f"The email could not be written: {error!r}") from error
    try:
        address = host_names.ascii_address(notification.recipient.email)
    except ValueError as error:
        raise PermanentFailure(f"No email can be sent to this address: {error}") from error
    message = EmailMultiAlternatives(
        subject=subject,
        body=f"{text}\n\n{FOOTER.format(unsubscribe=unsubscribe, base_url=settings.BASE_URL)}\n",
        to=[address],
        headers={
            "Message-ID": build_message_id(notification),
            "Date": format_datetime(notification.not_before),
            "Auto-Submitted": "auto-generated",
            "List-Unsubscribe": f"<{unsubscribe}>",
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",  # RFC 8058
        },
    )
    message.attach_alternative(html, "text/html")
    return message


def describe_transport() -> str:
    """Say how emails leave, to follow "Emails are sent": "through mail.example.com", "as files in …"."""
    module = settings.EMAIL_BACKEND.rpartition(".")[0]
    if module == eml.__name__:
        return f"as files in {settings.MAIL_DIR}, until EMAIL_URL names a mail server"
    return f"through {settings.EMAIL_HOST if 'smtp' in module else module.rpartition('.')[2].replace('_', ' ').title()}"


def build_message_id(notification: Notification) -> str:
    """Return the Message-ID of a notification's email, the same for each attempt."""
    domain = parseaddr(settings.DEFAULT_FROM_EMAIL)[1].partition("@")[2] or "localhost"
    return f"<{notification.pk}.{notification.created_at:%Y%m%d%H%M%S%f}@{domain}>"


def _classify(error: Exception) -> Exception:
    """Return the failure that an error means: a rejected recipient or text is permanent, all else may pass."""
    reason = repr(error)
    if isinstance(error, AnymailAPIError):
        reason = " ".join(str(error).split())
        is_rejected = error.status_code in REJECTED_EMAIL_STATUSES
        return PermanentFailure(reason) if is_rejected else ChannelUnavailable(reason)
    if isinstance(error, (ImproperlyConfigured, ImportError)):  # a provider whose settings are incomplete
        return ChannelUnavailable(reason)
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        code = max(code for code, _ in error.recipients.values())
    elif isinstance(error, smtplib.SMTPDataError):
        code = error.smtp_code
    elif isinstance(error, OSError):  # no server, or it takes no email of ours; smtplib's errors are OSErrors, too
        return ChannelUnavailable(reason)
    else:
        return PermanentFailure(reason)
    if code == SMTP_CLOSING:
        return ChannelUnavailable(reason)
    return PermanentFailure(reason) if code >= 500 else TemporaryFailure(reason)
