"""Base classes of the admin pages: they show visible rows, write through services, and show a service's errors."""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import NON_FIELD_ERRORS
from django.core.paginator import Paginator
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.functional import cached_property
from django.utils.html import format_html

from athena.admin.site import AthenaModelAdmin
from sales import errors
from sales.admin.concurrent_edits import ConcurrentEditForm
from sales.admin.navigation import NextPageAdmin
from sales.admin.timeline import show_timeline
from sales.models import Lead


class ServiceForm(ConcurrentEditForm):
    """A form that shows an error of the service beside the field it is about."""

    checks_constraints = False  # the service checks rules between fields, with better messages

    def list_save_errors(self) -> dict[str, str]:
        if isinstance(self.save_error, errors.Invalid):
            return dict(self.save_error.fields)
        if isinstance(self.save_error, errors.SalesError):
            return {NON_FIELD_ERRORS: str(self.save_error)}
        return super().list_save_errors()


class CappedCount(int):
    """A count that stopped at a limit, because there are more rows."""

    def __str__(self) -> str:
        return f"{int(self):,}+"


class BoundedPaginator(Paginator):  # type: ignore[type-arg]
    """Pages of the first 10,000 rows. Nobody pages further, and counting a million rows is slower than the page."""

    MAX_ROWS = 10_000

    @cached_property
    def count(self) -> int:
        counted = int(self.object_list.order_by().values("pk")[: self.MAX_ROWS + 1].count())  # type: ignore[attr-defined]
        return counted if counted <= self.MAX_ROWS else CappedCount(self.MAX_ROWS)


class VisibleAdmin(AthenaModelAdmin):
    """Read-only pages of the rows that the user may see."""

    list_per_page = 50
    paginator = BoundedPaginator
    show_full_result_count = False

    @property
    def has_history(self) -> bool:  # type: ignore[override]
        """Rows that only Athena writes have no history, except the rows of a lead."""
        return self.model is Lead or any(field.name == "lead" for field in self.model._meta.fields)

    def get_queryset(self, request: HttpRequest) -> "QuerySet[Any, Any]":
        rows = self.model._default_manager.all()
        visible = getattr(rows, "visible_to", None)
        return self.ordered(visible(request.user) if visible else rows)

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The history of a row of a lead is the lead's timeline."""
        row = self.get_object(request, unquote(object_id))
        lead_id = row.pk if isinstance(row, Lead) else getattr(row, "lead_id", None)
        if lead_id is None or not self.has_view_or_change_permission(request, row):
            return super().history_view(request, object_id, extra_context)
        return show_timeline(self.admin_site.get_model_admin(Lead), request, lead_id)

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Offer only related rows that the user may see: a form shows the name of every row it offers."""
        visible = getattr(db_field.remote_field.model._default_manager.all(), "visible_to", None)
        if visible is not None:
            kwargs["queryset"] = visible(request.user)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def ordered(self, rows: "QuerySet[Any, Any]") -> "QuerySet[Any, Any]":
        return rows.order_by(*(self.ordering or self.model._meta.ordering))

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class ServiceAdmin(NextPageAdmin, VisibleAdmin):
    """Pages that write: `save_by_service` calls the service and returns the row that it wrote.

    If the service raises an error, nothing is written, and the page shows the error and all that was typed.
    """

    form = ServiceForm
    save_errors = (*AthenaModelAdmin.save_errors, errors.SalesError)
    has_history = True

    def has_add_permission(self, request: HttpRequest) -> bool:
        return admin.ModelAdmin.has_add_permission(self, request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        may = admin.ModelAdmin.has_change_permission(self, request, obj)
        return may and (obj is None or self.may_write(request, obj))

    def may_write(self, request: HttpRequest, obj: Any) -> bool:
        """Whether the user may change this (visible) row."""
        return True

    def save_model(self, request: HttpRequest, obj: Model, form: Any, change: bool) -> None:
        values = {name: form.cleaned_data[name] for name in form.changed_data}
        saved = self.save_by_service(request, obj, values if change else self.values_of(form))
        obj.pk = saved.pk
        obj.refresh_from_db()

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        report_kept_changes(request, form)

    def values_of(self, form: Any) -> dict[str, Any]:
        """The values of a new row: every field that was filled in."""
        return {name: value for name, value in form.cleaned_data.items() if value not in (None, "")}

    def save_by_service(self, request: HttpRequest, obj: Any, values: dict[str, Any]) -> Model:
        raise NotImplementedError(type(self).__name__)


def render_score(score: int) -> str:
    """The HTML of a score in lists. Hot scores are highlighted."""
    return format_html('<span class="score{}">{}</span>', " hot" if score >= settings.HOT_SCORE else "", score)


def report_kept_changes(request: HttpRequest, form: ConcurrentEditForm) -> None:
    """Show which fields somebody else changed while the page was open."""
    if form.kept:
        changes = ", ".join(f"{label} is now “{value}”" for label, value in form.kept.items())
        messages.info(
            request, f"Somebody else changed these fields in the meantime, and their changes were kept: {changes}."
        )


def act_on_each(
    request: HttpRequest, rows: "QuerySet[Any, Any]", act: Callable[[int], object], done_message: str
) -> None:
    """Call a service for each row. Show an error for each row that it refuses, and `done_message` with the count."""
    succeeded = 0
    for row in list(rows):
        try:
            act(row.pk)
        except errors.SalesError as error:
            messages.error(request, f"{row}: {error}")
        else:
            succeeded += 1
    if succeeded:
        messages.success(request, done_message.format(count=succeeded))
