"""What a page of a row shows to be read: the row as it is saved, whatever was typed beside it and refused; who may open
another row gets a link to it, everybody else its name."""

import copy
from collections.abc import Iterator
from typing import Any

from django.contrib.admin.helpers import AdminForm, AdminReadonlyField, Fieldline, Fieldset
from django.db.models import Model

from athena.accounts.models import User


class _Field(AdminReadonlyField):
    user: User

    def get_admin_url(self, remote_field: Any, remote_obj: Any) -> str:
        options = remote_field.model._meta
        if not self.user.has_perm(f"{options.app_label}.view_{options.model_name}"):
            return str(remote_obj)
        return super().get_admin_url(remote_field, remote_obj)


class _Line(Fieldline):
    user: User
    saved: Model

    def __iter__(self) -> Iterator[Any]:
        for field in super().__iter__():
            if isinstance(field, AdminReadonlyField):
                field.__class__, field.user = _Field, self.user  # type: ignore[attr-defined]
                field.form = copy.copy(field.form)
                field.form.instance = self.saved
            yield field


class _Fieldset(Fieldset):
    user: User
    saved: Model

    def __iter__(self) -> Iterator[Fieldline]:
        for line in super().__iter__():
            line.__class__, line.user, line.saved = _Line, self.user, self.saved  # type: ignore[attr-defined]
            yield line


class ReadonlyLinksForm(AdminForm):
    """The form of the page of `saved`, for `user`. (Django makes the parts itself, not knowing who looks.)"""

    def __init__(self, made: AdminForm, user: User, saved: Model) -> None:
        self.__dict__.update(vars(made))
        self.user, self.saved = user, saved

    def __iter__(self) -> Iterator[Fieldset]:
        for fieldset in super().__iter__():
            fieldset.__class__, fieldset.user, fieldset.saved = _Fieldset, self.user, self.saved  # type: ignore[attr-defined]
            yield fieldset
