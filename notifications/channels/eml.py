"""An email backend for a machine without a mail server: it writes each email to a file of its own."""

import email
import email.policy
import re
from collections.abc import Collection, Sequence
from pathlib import Path

from django.conf import settings
from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend

from athena.db.text_search import Mentions


class EmailBackend(BaseEmailBackend):
    """Write `<Message-ID>.eml` into `MAIL_DIR`, completely or not at all. An email sent again replaces its file."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        folder = Path(settings.MAIL_DIR)
        folder.mkdir(parents=True, exist_ok=True)
        for email_message in email_messages:
            message = email_message.message()
            name = re.sub(r"[^\w.@-]", "", message["Message-ID"])
            draft = folder / f".{name}.part"
            draft.write_bytes(message.as_bytes())
            draft.replace(folder / f"{name}.eml")
        return len(email_messages)


def delete_files(mentions: Mentions, message_ids: Collection[str]) -> int:
    """Delete the files of these emails, and of all emails that contain one of the `mentions`. Returns how many."""
    files = [path for path in Path(settings.MAIL_DIR).glob("*.eml") if _is_about(path, mentions, message_ids)]
    for path in files:
        path.unlink(missing_ok=True)
    return len(files)


def _is_about(path: Path, mentions: Mentions, message_ids: Collection[str]) -> bool:
    message = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
    texts = [str(value) for value in message.values()]
    texts += [part.get_content() for part in message.walk() if part.get_content_maintype() == "text"]
    return message["Message-ID"] in message_ids or any(mentions.are_in(text) for text in texts)
