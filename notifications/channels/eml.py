"""A mail server for an empty machine: each message is one file, to be opened with any mail program."""

import re
from collections.abc import Sequence
from pathlib import Path

from django.conf import settings
from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend


class EmailBackend(BaseEmailBackend):
    """Writes `<Message-ID>.eml` into `MAIL_DIR`, whole or not at all. Sent again, a message replaces itself."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        folder = Path(settings.MAIL_DIR)
        folder.mkdir(parents=True, exist_ok=True)
        for each in email_messages:
            message = each.message()
            name = re.sub(r"[^\w.@-]", "", message["Message-ID"])
            draft = folder / f".{name}.part"
            draft.write_bytes(message.as_bytes())
            draft.replace(folder / f"{name}.eml")
        return len(email_messages)
