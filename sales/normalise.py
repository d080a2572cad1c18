"""The one spelling under which e-mail addresses and telephone numbers are compared. What was typed is kept as it is."""

import phonenumbers
from django.conf import settings

from athena.accounts.models import fold_email

EMAIL_LENGTH = 254


def email(text: str) -> str:
    """The address folded (NFKC, case). (NULL in a column means: not worked out yet.)"""
    return fold_email(text)[:EMAIL_LENGTH]


def phone(text: str) -> str:
    """The number in E.164, read as one of `PHONE_REGION` unless it says otherwise; empty where it is no number.

    An extension is left out: two desks of one company are the same company.
    """
    try:
        number = phonenumbers.parse(text, settings.PHONE_REGION)
    except phonenumbers.NumberParseException:
        return ""
    if not phonenumbers.is_possible_number(number):
        return ""
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
