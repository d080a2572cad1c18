"""Admin pages: a user's own notifications and preferences, and for managers the deliveries."""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.views.decorators.http import require_POST

from athena.accounts.models import User
from athena.admin.confirmation import requires_confirmation
from athena.admin.requests import get_user
from athena.admin.site import AthenaModelAdmin
from athena.runtime import liveness
from notifications import channels, delivery_stats, kinds, preferences, services
from notifications.channels import email
from notifications.emails import rendering, test_email
from notifications.forms import PreferencesForm
from notifications.models import Delivery, Notification, Preference


class ReadOnlyAdmin(AthenaModelAdmin):
    has_history = False
    show_full_result_count = False
    list_per_page = 50

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class KindFilter(admin.SimpleListFilter):
    title, parameter_name = "kind", "kind"
    column = "kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(kind.name, kind.label) for kind in kinds.get_all()]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        return queryset.filter(**{self.column: self.value()}) if self.value() else None


class DeliveryKindFilter(KindFilter):
    column = "notification__kind"


class ReadFilter(admin.SimpleListFilter):
    title, parameter_name = "read", "read"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("no", "Unread"), ("yes", "Read")]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        return queryset.filter(read_at__isnull=self.value() == "no") if self.value() else None


@admin.register(Notification)
class NotificationAdmin(ReadOnlyAdmin):
    """The user's own notifications. Opening one marks it as read and shows the page that it is about."""

    list_display = ("title", "when", "is_read")
    list_display_links = None
    list_filter = (ReadFilter, KindFilter)
    ordering = ("-not_before", "-id")
    actions = ("mark_selected",)
    fields = ("kind_label", "when", "read_at", "text")
    readonly_fields = fields
    change_list_template = "admin/notifications/notification/change_list.html"

    def get_queryset(self, request: HttpRequest) -> "QuerySet[Notification]":
        return Notification.objects.shown_to(get_user(request)).order_by(*self.ordering)

    @admin.display(description="Notification")
    def title(self, row: Notification) -> str:
        """Return a button of the list's own form: opening a notification writes, so it has to be a POST."""
        return format_html(
            '<button type="submit" class="link{}" formaction="{}">{}</button>',
            "" if row.read_at else " unread",
            reverse("admin:notifications_notification_open", args=[row.pk]),
            rendering.render_title(row.kind, row.context),
        )

    @admin.display(description="When", ordering="not_before")
    def when(self, row: Notification) -> datetime:
        return row.not_before

    @admin.display(description="Kind", ordering="kind")
    def kind_label(self, row: Notification) -> str:
        return kinds.get_kind(row.kind).label

    @admin.display(description="Read", boolean=True)
    def is_read(self, row: Notification) -> bool:
        return row.read_at is not None

    @admin.display(description="Text")
    def text(self, row: Notification) -> str:
        return rendering.render_body(row.kind, row.context)

    @admin.action(description="Mark selected notifications as read", permissions=["view"])
    def mark_selected(self, request: HttpRequest, queryset: "QuerySet[Notification]") -> None:
        services.mark_read(by=get_user(request), ids=queryset.values_list("pk", flat=True))

    def get_urls(self) -> list[URLPattern]:
        return [
            _post_path(self, "<int:pk>/open/", self.open_view, "notifications_notification_open"),
            _post_path(self, "read-all/", self.read_all_view, "notifications_notification_read_all"),
            *super().get_urls(),
        ]

    def open_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        row = self.get_queryset(request).filter(pk=pk).first()
        if row is None:
            raise Http404
        services.mark_read(by=get_user(request), ids=[pk])
        page = kinds.get_kind(row.kind).build_path(row.context)
        return HttpResponseRedirect(page or reverse("admin:notifications_notification_change", args=[pk]))

    def read_all_view(self, request: HttpRequest) -> HttpResponse:
        services.mark_all_read(by=get_user(request))
        return HttpResponseRedirect(reverse("admin:notifications_notification_changelist"))


@admin.register(Preference)
class PreferenceAdmin(ReadOnlyAdmin):
    """The user's own preferences, all on one page."""

    def get_queryset(self, request: HttpRequest) -> "QuerySet[Preference]":
        return Preference.objects.filter(user=get_user(request).pk)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        form = PreferencesForm(get_user(request), request.POST or None)
        if request.method == "POST" and form.is_valid():
            preferences.set_preferences(by=get_user(request), **form.values())
            messages.success(request, "Your preferences were saved.")
            return HttpResponseRedirect(request.path)
        context = {
            **self.admin_site.each_context(request),
            **(extra_context or {}),
            "title": "Notification preferences",
            "opts": self.opts,
            "form": form,
            "channels": form.channels,
            "unreachable": channels.find_unreachable(get_user(request), form.channels),
        }
        return TemplateResponse(request, "admin/notifications/preference/change_list.html", context)


@admin.register(Delivery)
class DeliveryAdmin(ReadOnlyAdmin):
    """Deliveries and their statistics. The texts of notifications are not shown: only recipients may read them."""

    list_display = (
        "kind_label",
        "recipient",
        "channel_label",
        "state",
        "retry_button",
        "last_error",
        "attempts",
        "ended_at",
        "next_attempt_at",
    )
    list_select_related = ("notification__recipient",)
    list_filter = ("state", DeliveryKindFilter)
    search_fields = ("notification__recipient__full_name", "notification__recipient__email", "notification__dedupe_key")
    ordering = ("-id",)
    actions = ("retry_selected",)
    fields = (
        "kind_label",
        "recipient",
        "channel_label",
        "state",
        "attempts",
        "next_attempt_at",
        "ended_at",
        "last_error",
        "key",
        "retried_by",
        "retried_at",
    )
    readonly_fields = fields
    change_list_template = "admin/notifications/delivery/change_list.html"

    def get_queryset(self, request: HttpRequest) -> "QuerySet[Delivery]":
        return Delivery.objects.visible_to(get_user(request)).order_by(*self.ordering)

    @admin.display(description="Kind", ordering="notification__kind")
    def kind_label(self, row: Delivery) -> str:
        return kinds.get_kind(row.notification.kind).label

    @admin.display(description="Recipient", ordering="notification__recipient__full_name")
    def recipient(self, row: Delivery) -> User:
        return row.notification.recipient

    @admin.display(description="Channel", ordering="channel")
    def channel_label(self, row: Delivery) -> str:
        return channels.get_label(row.channel)

    @admin.display(description="")
    def retry_button(self, row: Delivery) -> str:
        """Return a button of the list's own form."""
        if row.state != Delivery.State.DEAD:
            return ""
        url = reverse("admin:notifications_delivery_retry", args=[row.pk])
        return format_html('<button type="submit" class="link" formaction="{}">Retry</button>', url)

    @admin.display(description="Key")
    def key(self, row: Delivery) -> str:
        return row.notification.dedupe_key

    def has_retry_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("notifications.retry_delivery")

    @admin.action(description="Retry selected failed deliveries", permissions=["retry"])
    @requires_confirmation("Retry", note="Only failed deliveries are sent again.", only_whole_lists=True)
    def retry_selected(self, request: HttpRequest, queryset: "QuerySet[Delivery]") -> None:
        self._retry(request, queryset.values_list("pk", flat=True))

    def get_urls(self) -> list[URLPattern]:
        return [
            _post_path(self, "test/", self.test_view, "notifications_delivery_test"),
            _post_path(self, "<int:pk>/retry/", self.retry_view, "notifications_delivery_retry"),
            *super().get_urls(),
        ]

    def test_view(self, request: HttpRequest) -> HttpResponse:
        """Send the user a test email and return to the page with the button."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        test_email.send_test_email(by=get_user(request))
        messages.success(request, f"A test email to {get_user(request).email} is on its way.")
        back = "admin:index" if "home" in request.POST else "admin:notifications_delivery_changelist"
        return HttpResponseRedirect(reverse(back))

    def retry_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        if not self.has_retry_permission(request):
            return self.changelist_view(request)  # which answers 403 to users who may not see deliveries either
        if not self.get_queryset(request).filter(pk=pk).exists():
            raise Http404
        self._retry(request, [pk])
        return HttpResponseRedirect(reverse("admin:notifications_delivery_changelist"))

    def _retry(self, request: HttpRequest, ids: Iterable[int]) -> None:
        delivery_ids, user = list(ids), get_user(request)
        resent = services.retry(by=user, ids=delivery_ids)
        messages.success(request, f"Deliveries that will be sent again: {resent}.")
        lapsed = Delivery.objects.visible_to(user).filter(pk__in=delivery_ids, state=Delivery.State.LAPSED).count()
        if lapsed:
            messages.warning(request, f"Deliveries that are out of date and will not be sent: {lapsed}.")

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        if not self.has_view_permission(request):
            return super().changelist_view(request, extra_context)
        stats = delivery_stats.measure_channels(Delivery.objects.visible_to(get_user(request)))
        context = {
            "title": "Deliveries",
            "channel_stats": [(channels.get_label(channel.channel), channel) for channel in stats],
            "process_ages": [(name.capitalize(), age) for name, age in liveness.measure_ages().items()],
            "longest_silence": liveness.max_silence_seconds(),
            "broker": liveness.check_broker(),
            "email_transport": email.describe_transport(),
        }
        return super().changelist_view(request, context | (extra_context or {}))


def _post_path(model_admin: ReadOnlyAdmin, route: str, view: Callable[..., HttpResponse], name: str) -> URLPattern:
    """Return the URL of an admin view that takes POST requests only."""
    return path(route, model_admin.admin_site.admin_view(require_POST(view)), name=name)
