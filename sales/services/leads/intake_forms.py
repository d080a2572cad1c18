"""Saves intake forms, which managers keep."""

import secrets

from django.db import transaction

from athena.accounts.models import User
from athena.http import origins
from sales import errors, normalization, policy
from sales.models import IntakeForm
from sales.services import unique_names


@transaction.atomic
def save(*, by: User | None, form: IntakeForm) -> None:
    """Save a new or changed intake form; a new one gets a key. Raises `NotAllowed` below manager, and `Invalid`."""
    policy.check_is_manager(by)
    wrong = {}
    invalid_origins = [text for text in form.allowed_origins.split() if not _is_origin(text)]
    if invalid_origins:
        wrong["allowed_origins"] = (
            f"Write an origin like https://www.example.com, without a path, instead of: {invalid_origins[0]}"
        )
    else:
        form.allowed_origins = "\n".join(map(origins.parse_origin, form.allowed_origins.split()))
    if form.thank_you_url:
        form.thank_you_url = origins.page_url_or_empty(form.thank_you_url.strip())
        if not form.thank_you_url:
            wrong["thank_you_url"] = "Enter an address like https://www.example.com/thanks."
    if wrong:
        raise errors.Invalid(wrong)
    form.name = normalization.collapse_spaces(form.name)
    unique_names.require_unused_name(form, "name")
    form.key = form.key or secrets.token_urlsafe(16)
    form.save()


def _is_origin(text: str) -> bool:
    try:
        return bool(origins.parse_origin(text))
    except ValueError:
        return False
