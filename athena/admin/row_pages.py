"""The pages of one row in all admins: ids are read strictly, and a refused form comes back with what was typed."""

from typing import Any

from django.contrib import admin
from django.contrib.admin.widgets import AutocompleteSelect
from django.core.exceptions import FieldDoesNotExist, ValidationError
from django.db import DataError, IntegrityError, transaction
from django.db.models import Field, ForeignKey
from django.http import HttpRequest, HttpResponse

from athena.admin.readonly_links import ReadonlyLinksForm
from athena.api.fields import find_text_error
from athena.api.row_ids import parse_id
from athena.forms import StrictModelForm


class IdAutocomplete(AutocompleteSelect):
    """An autocomplete field that ignores ids that no row can have."""

    def optgroups(self, name: str, value: Any, attr: Any = None) -> Any:
        return super().optgroups(name, [row_id for row_id in value if parse_id(str(row_id))], attr)


class RowPages(admin.ModelAdmin):  # type: ignore[type-arg]
    form: Any = StrictModelForm  # or another `StrictRowForm`
    # Errors that undo a request and are shown on its form.
    save_errors: tuple[type[Exception], ...] = (IntegrityError, DataError)
    has_history = True  # whether rows are changed on these pages, so that they have a history

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        if from_field is None and parse_id(object_id) is None:
            return None
        return super().get_object(request, object_id, from_field)

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """The initial values that the address gives for a new row, if its columns can hold them."""
        return {
            name: value
            for name, text in super().get_changeform_initial_data(request).items()
            if (value := self._parse_initial(name, text)) is not None
        }

    def _parse_initial(self, name: str, text: Any) -> Any:
        try:
            field: Field[Any, Any] = self.opts.get_field(name)  # type: ignore[assignment]
            if find_text_error(text, one_line=False):
                return None
            if isinstance(field, ForeignKey):
                return parse_id(text) if field.target_field.primary_key else text
            return field.to_python(text)
        except FieldDoesNotExist:
            return text
        except (AttributeError, ValidationError):
            return None

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name in self.get_autocomplete_fields(request) and "widget" not in kwargs:
            kwargs["widget"] = IdAutocomplete(db_field, self.admin_site, using=kwargs.get("using"))
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """The form class, which Django builds for each request: so it can carry the error of this request."""
        form: Any = super().get_form(request, obj, **{"change": change, **kwargs})
        form.save_error = getattr(request, "save_error", None)
        return form

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        try:
            with transaction.atomic():
                return super().changeform_view(request, object_id, form_url, extra_context)
        except self.save_errors as error:
            request.save_error = error  # type: ignore[attr-defined]
            return super().changeform_view(request, object_id, form_url, extra_context)

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """Link to other rows only if the user may open them."""
        saved = kwargs.get("obj") or self.model()
        adminform = ReadonlyLinksForm(context["adminform"], request.user, saved)  # type: ignore[arg-type]
        context |= {"adminform": adminform, "has_history": self.has_history}
        response: HttpResponse = super().render_change_form(request, context, *args, **kwargs)
        return response
