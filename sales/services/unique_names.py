"""Names that people give to rules, sources, forms and cadences: each once, however it is spelled."""

from django.db import models

from athena.db import NameKey
from sales import errors, normalization


def require_unused_name(row: models.Model, field: str) -> None:
    """Raise `Invalid` where another row of the model has the same name but for case and spaces."""
    key = normalization.name_key(getattr(row, field))
    others = type(row)._default_manager.exclude(pk=row.pk).alias(name_key=NameKey(field))
    same = others.filter(name_key=key).first()
    if same is not None:
        raise errors.Invalid({field: f"This name is taken already: “{same}”."})
