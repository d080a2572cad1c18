"""The read-only parts of an admin page: they show the row as it is saved, whatever was typed beside them, and link to
another row only if the user may open it.

Django builds these parts without knowing the user, so each level is built here in its place.
"""

import copy
from collections.abc import Iterator
from typing import Any

from django.contrib.admin.helpers import AdminForm, AdminReadonlyField, Fieldline, Fieldset
from django.db.models import Model

from athena.accounts.models import User


class _ReadonlyField(AdminReadonlyField):
    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user

    def get_admin_url(self, remote_field: Any, remote_obj: Any) -> str:
        options = remote_field.model._meta
        if not self.user.has_perm(f"{options.app_label}.view_{options.model_name}"):
            return str(remote_obj)
        return super().get_admin_url(remote_field, remote_obj)


class _Line(Fieldline):
    def __init__(self, *args: Any, user: User, saved: Model, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user, self.saved = user, saved

    def __iter__(self) -> Iterator[Any]:
        for field in super().__iter__():
            if isinstance(field, AdminReadonlyField):
                yield self._build_readonly_field(field)
            else:
                yield field

    def _build_readonly_field(self, field: AdminReadonlyField) -> _ReadonlyField:
        form = copy.copy(self.form)
        form.instance = self.saved
        name = field.field["field"]
        return _ReadonlyField(form, name, field.is_first, model_admin=self.model_admin, user=self.user)


class _Fieldset(Fieldset):
    def __init__(self, *args: Any, user: User, saved: Model, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user, self.saved = user, saved

    def __iter__(self) -> Iterator[Fieldline]:
        for field in self.fields:  # type: ignore[attr-defined]
            yield _Line(
                self.form, field, self.readonly_fields, model_admin=self.model_admin, user=self.user, saved=self.saved
            )


class ReadonlyLinksForm(AdminForm):
    """The `AdminForm` of the page of the row `saved`, as `user` may see it."""

    def __init__(self, form: AdminForm, user: User, saved: Model) -> None:
        super().__init__(form.form, form.fieldsets, {}, form.readonly_fields, form.model_admin)
        self.prepopulated_fields = form.prepopulated_fields
        self.user, self.saved = user, saved

    def __iter__(self) -> Iterator[Fieldset]:
        for name, options in self.fieldsets:
            yield _Fieldset(
                self.form,
                name,
                self.readonly_fields,
                model_admin=self.model_admin,
                user=self.user,
                saved=self.saved,
                **options,
            )
