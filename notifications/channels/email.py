"""E-mail, by whatever Django's mail settings say: a server, or a provider's API."""

import smtplib
from email.utils import format_datetime, parseaddr

import css_inline
from anymail import exceptions as provider
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.mail import EmailMultiAlternatives, get_connection
from django.core.mail.backends.base import BaseEmailBackend

from athena import host_names
from notifications.channels import Channel, ChannelUnavailable, PermanentFailure, TemporaryFailure, eml
from notifications.emails import rendering, unsubscribe_tokens
from notifications.emails.link_removal import remove_links_from_context
from notifications.models import Notification

SERVER_CLOSES = 421
OF_ONE_MAIL = (400, 404, 406, 413, 422)  # what a provider answers where it is this mail that it does not like
FOOTER = "-- \nNo more e-mails like this: {unsubscribe}\nWhat I am told: {base_url}/admin/notifications/preference/"
INLINER = css_inline.CSSInliner(load_remote_stylesheets=False)


class EmailChannel(Channel):
    """Sends over one connection, opened when first needed."""

    name, label = "email", "E-mail"

    def __init__(self) -> None:
        self._connection: BaseEmailBackend | None = None
        self._used = False

    def send(self, notification: Notification) -> None:
        message = compose(notification)
        used = self._used
        try:
            self._send(message)
        except ChannelUnavailable:
            if not used:
                raise
            self._send(message)  # servers end a connection after some mails, or minutes; a new one may do

    def _send(self, message: EmailMultiAlternatives) -> None:
        try:
            self._connection = self._connection or get_connection()
            self._connection.open()
            self._connection.send_messages([message])
            self._used = True
        except Exception as error:
            self.close()
            raise _failure(error) from error

    def close(self) -> None:
        self._used = False
        if self._connection is not None:
            self._connection.close()


def compose(notification: Notification) -> EmailMultiAlternatives:
    """The message in text and HTML. Its Message-ID is the same whenever it is sent. Raises PermanentFailure."""
    kind, unsubscribe = notification.kind, f"{settings.BASE_URL}{unsubscribe_tokens.build_path(notification)}"
    try:
        context = {
            **remove_links_from_context(notification.context),
            "recipient": notification.recipient,
            "unsubscribe_url": unsubscribe,
        }
        subject, text = rendering.render_subject(kind, context), rendering.render_text(kind, context)
        html = INLINER.inline(rendering.render_html(kind, context))
    except Exception as error:  # whatever a template makes of its context: it will make the same of it tomorrow
        raise PermanentFailure(f"It can't be written: {error!r}") from error
    try:
        address = host_names.ascii_address(notification.recipient.email)
    except ValueError as error:
        raise PermanentFailure(f"No e-mail can be sent to this address: {error}") from error
    message = EmailMultiAlternatives(
        subject=subject,
        body=f"{text}\n\n{FOOTER.format(unsubscribe=unsubscribe, base_url=settings.BASE_URL)}\n",
        to=[address],
        headers={
            "Message-ID": message_id(notification),
            "Date": format_datetime(notification.not_before),
            "Auto-Submitted": "auto-generated",
            "List-Unsubscribe": f"<{unsubscribe}>",
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",  # RFC 8058
        },
    )
    message.attach_alternative(html, "text/html")
    return message


def describe_transport() -> str:
    """How mails leave, in words: a server, a provider, or none."""
    module = settings.EMAIL_BACKEND.rpartition(".")[0]
    if module == eml.__name__:
        return f"as files in {settings.MAIL_DIR}, until EMAIL_URL names a mail server"
    return f"through {settings.EMAIL_HOST if 'smtp' in module else module.rpartition('.')[2].replace('_', ' ').title()}"


def message_id(notification: Notification) -> str:
    domain = parseaddr(settings.DEFAULT_FROM_EMAIL)[1].partition("@")[2] or "localhost"
    return f"<{notification.pk}.{notification.created_at:%Y%m%d%H%M%S%f}@{domain}>"


def _failure(error: Exception) -> Exception:
    """What an answer means: a refusal of the recipient or the text is final, all else may pass."""
    why = repr(error)
    if isinstance(error, provider.AnymailAPIError):
        why = " ".join(str(error).split())
        return PermanentFailure(why) if error.status_code in OF_ONE_MAIL else ChannelUnavailable(why)
    if isinstance(error, (ImproperlyConfigured, ImportError)):  # a provider whose settings are not complete
        return ChannelUnavailable(why)
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        code = max(code for code, _ in error.recipients.values())
    elif isinstance(error, smtplib.SMTPDataError):
        code = error.smtp_code
    elif isinstance(error, OSError):  # nobody there, or no mail of ours wanted; smtplib's errors are OSErrors, too
        return ChannelUnavailable(why)
    else:
        return PermanentFailure(why)
    if code == SERVER_CLOSES:
        return ChannelUnavailable(why)
    return PermanentFailure(why) if code >= 500 else TemporaryFailure(why)
