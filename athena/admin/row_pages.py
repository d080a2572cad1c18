"""The pages of one row, in all admins: addresses are read strictly, and what is refused comes back as it was typed."""

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
from athena.forms import StrictRowForm


class IdAutocomplete(AutocompleteSelect):
    """It looks up the row that is chosen, unless no row can have such an id."""

    def optgroups(self, name: str, value: Any, attr: Any = None) -> Any:
        return super().optgroups(name, [key for key in value if parse_id(str(key))], attr)


class RowPages(admin.ModelAdmin):  # type: ignore[type-arg]
    refusals: tuple[type[Exception], ...] = (
        IntegrityError,
        DataError,
    )  # what undoes a request, and is said on its form
    has_history = True  # whether rows are changed on these pages, which their history lists

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        if from_field is None and parse_id(object_id) is None:
            return None
        return super().get_object(request, object_id, from_field)

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """What the address proposes for a new row, of what its columns can hold."""
        return {
            name: value
            for name, text in super().get_changeform_initial_data(request).items()
            if (value := self._proposed(name, text)) is not None
        }

    def _proposed(self, name: str, text: Any) -> Any:
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
        form: Any = super().get_form(request, obj, **{"change": change, **kwargs})
        bases = (form,) if issubclass(form, StrictRowForm) else (StrictRowForm, form)
        return type(form.__name__, bases, {"refused": getattr(request, "refused", None)})

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
        except self.refusals as error:
            request.refused = error  # type: ignore[attr-defined]
            return super().changeform_view(request, object_id, form_url, extra_context)

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """With links to other rows for those who may open them alone."""
        saved = kwargs.get("obj") or self.model()
        adminform = ReadonlyLinksForm(context["adminform"], request.user, saved)  # type: ignore[arg-type]
        context |= {"adminform": adminform, "has_history": self.has_history}
        answer: HttpResponse = super().render_change_form(request, context, *args, **kwargs)
        return answer
