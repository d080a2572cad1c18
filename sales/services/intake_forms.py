"""The forms by which inquiries come in from the company's web sites: managers keep them."""

import re
import secrets

from django.core.exceptions import ValidationError
from django.core.validators import URLValidator
from django.db import transaction

from athena.accounts.models import User
from sales import errors, normalise, policy
from sales.models import IntakeForm
from sales.services import names

_ORIGIN = re.compile(r"https?://(\[[0-9a-f:]+\]|[a-z0-9]([a-z0-9.-]*[a-z0-9])?)(:[0-9]{1,5})?")


@transaction.atomic
def save(*, by: User | None, form: IntakeForm) -> None:
    """Write a new or changed form; a new one gets a key. Raises `NotAllowed` below manager, and `Invalid`."""
    policy.require_manager(by)
    wrong = {}
    strange = [origin for origin in form.origins if not _ORIGIN.fullmatch(origin)]
    if strange:
        wrong["allowed_origins"] = f"An origin is written https://www.example.com, without a path: {strange[0]}"
    if form.thank_you_url:
        try:
            URLValidator(["http", "https"])(form.thank_you_url)
        except ValidationError:
            wrong["thank_you_url"] = "This is no address like https://www.example.com/thanks."
    if wrong:
        raise errors.Invalid(wrong)
    form.name = normalise.one_spaced(form.name)
    names.require_unused_name(form, "name")
    form.key = form.key or secrets.token_urlsafe(16)
    form.save()
