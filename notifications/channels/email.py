"""E-mail, by whatever Django's mail settings say."""

import smtplib
from collections.abc import Mapping
from email.utils import formatdate, parseaddr
from typing import Any

import css_inline
from django.conf import settings
from django.core.mail import EmailMultiAlternatives, get_connection
from django.template import TemplateDoesNotExist, TemplateSyntaxError
from django.template.loader import render_to_string

from notifications.channels import ChannelAway, PermanentFailure, TemporaryFailure
from notifications.models import Notification


class EmailChannel:
    """Sends over one connection, opened when first needed and again after it broke."""

    def __init__(self) -> None:
        self._connection = get_connection()
        self._open = False

    def send(self, notification: Notification) -> None:
        """Raises TemporaryFailure, ChannelAway or PermanentFailure."""
        message = compose(notification)
        try:
            if not self._open:
                self._connection.open()
                self._open = True
            self._connection.send_messages([message])
        except Exception as error:
            self.close()
            raise _failure(error) from error

    def close(self) -> None:
        if self._open:
            self._open = False
            self._connection.close()


def compose(notification: Notification) -> EmailMultiAlternatives:
    """The message in text and HTML. Its Message-ID is the same whenever it is sent. Raises PermanentFailure."""
    context = _context(notification)
    name = f"notifications/{notification.kind}"
    try:
        subject = " ".join(render_to_string(f"{name}.subject.txt", context).split())
        text = render_to_string(f"{name}.txt", context).strip() + "\n"
        html = css_inline.inline(render_to_string(f"{name}.html", context))
    except (TemplateDoesNotExist, TemplateSyntaxError, css_inline.InlineError) as error:
        raise PermanentFailure(f"It can't be written: {error!r}") from error
    message = EmailMultiAlternatives(
        subject=subject,
        body=text,
        to=[notification.recipient.email],
        headers={
            "Message-ID": message_id(notification),
            "Date": formatdate(notification.created_at.timestamp()),
            "Auto-Submitted": "auto-generated",
        },
    )
    message.attach_alternative(html, "text/html")
    return message


def message_id(notification: Notification) -> str:
    domain = parseaddr(settings.DEFAULT_FROM_EMAIL)[1].partition("@")[2] or "localhost"
    return f"<{notification.pk}.{notification.created_at:%Y%m%d%H%M%S%f}@{domain}>"


def _context(notification: Notification) -> Mapping[str, Any]:
    return {**notification.context, "recipient": notification.recipient, "base_url": settings.BASE_URL}


def _failure(error: Exception) -> Exception:
    """What a mail server's refusal means: 5xx about this message is final, all else may pass."""
    why = f"{type(error).__name__}: {error}"
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        codes = [code for code, _ in error.recipients.values()]
        return PermanentFailure(why) if codes and min(codes) >= 500 else TemporaryFailure(why)
    if isinstance(error, smtplib.SMTPAuthenticationError):
        return ChannelAway(why)
    if isinstance(error, smtplib.SMTPDataError | smtplib.SMTPSenderRefused):
        return PermanentFailure(why) if error.smtp_code >= 500 else TemporaryFailure(why)
    if isinstance(error, OSError):  # smtplib's own errors are OSErrors, too
        return ChannelAway(why)
    return PermanentFailure(why)
