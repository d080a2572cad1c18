"""The check that no two rules, sources, forms or cadences have the same name."""

from django.db import models

from athena.db import NameKey
from sales import errors, normalization


def require_unused_name(row: models.Model, field: str) -> None:
    """Check that no other row of the model has the same name, ignoring case and spaces. Raises `Invalid`."""
    key = normalization.name_key(getattr(row, field))
    others = type(row)._default_manager.exclude(pk=row.pk).alias(name_key=NameKey(field))
    same = others.filter(name_key=key).first()
    if same is not None:
        raise errors.Invalid({field: f"This name is already taken: “{same}”."})
