"""E-mail, by whatever Django's mail settings say."""

import smtplib
from email.utils import format_datetime, parseaddr

import css_inline
from django.conf import settings
from django.core.mail import EmailMultiAlternatives, get_connection
from django.template.loader import render_to_string

from notifications.channels import ChannelAway, PermanentFailure, TemporaryFailure
from notifications.models import Notification

SERVER_CLOSES = 421
INLINER = css_inline.CSSInliner(load_remote_stylesheets=False)


class EmailChannel:
    """Sends over one connection, opened when first needed."""

    def __init__(self) -> None:
        self._connection = get_connection()
        self._used = False

    def send(self, notification: Notification) -> None:
        """Raises TemporaryFailure, ChannelAway or PermanentFailure."""
        message = compose(notification)
        used = self._used
        try:
            self._send(message)
        except ChannelAway:
            if not used:
                raise
            self._send(message)  # servers end a connection after some mails, or minutes; a new one may do

    def _send(self, message: EmailMultiAlternatives) -> None:
        try:
            self._connection.open()
            self._connection.send_messages([message])
            self._used = True
        except Exception as error:
            self.close()
            raise _failure(error) from error

    def close(self) -> None:
        self._used = False
        self._connection.close()


def compose(notification: Notification) -> EmailMultiAlternatives:
    """The message in text and HTML. Its Message-ID is the same whenever it is sent. Raises PermanentFailure."""
    name = f"notifications/{notification.kind}"
    try:
        context = {**notification.context, "recipient": notification.recipient, "base_url": settings.BASE_URL}
        subject = " ".join(render_to_string(f"{name}.subject.txt", context).split())
        text = render_to_string(f"{name}.txt", context).strip() + "\n"
        html = INLINER.inline(render_to_string(f"{name}.html", context))
    except Exception as error:  # whatever a template makes of its context: it will make the same of it tomorrow
        raise PermanentFailure(f"It can't be written: {error!r}") from error
    message = EmailMultiAlternatives(
        subject=subject,
        body=text,
        to=[notification.recipient.email],
        headers={
            "Message-ID": message_id(notification),
            "Date": format_datetime(notification.created_at),
            "Auto-Submitted": "auto-generated",
        },
    )
    message.attach_alternative(html, "text/html")
    return message


def message_id(notification: Notification) -> str:
    domain = parseaddr(settings.DEFAULT_FROM_EMAIL)[1].partition("@")[2] or "localhost"
    return f"<{notification.pk}.{notification.created_at:%Y%m%d%H%M%S%f}@{domain}>"


def _failure(error: Exception) -> Exception:
    """What a mail server's answer means: 5xx to the recipient or the text is final, all else may pass."""
    why = repr(error)
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        code = max(code for code, _ in error.recipients.values())
    elif isinstance(error, smtplib.SMTPDataError):
        code = error.smtp_code
    elif isinstance(error, OSError):  # nobody there, or no mail of ours wanted; smtplib's errors are OSErrors, too
        return ChannelAway(why)
    else:
        return PermanentFailure(why)
    if code == SERVER_CLOSES:
        return ChannelAway(why)
    return PermanentFailure(why) if code >= 500 else TemporaryFailure(why)
