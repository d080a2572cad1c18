"""What one is told, how one wants to hear it, and whether it reached everybody."""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any, cast

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
from athena.admin.site import AthenaModelAdmin
from athena.runtime import liveness
from notifications import channels, delivery_stats, kinds, services
from notifications.channels import email
from notifications.emails import rendering, test_email
from notifications.forms import PreferencesForm
from notifications.models import Delivery, Notification, Preference


def person(request: HttpRequest) -> User:
    """Who is logged in: the admin lets nobody else in."""
    return cast(User, request.user)


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
    """One's own. Opening one marks it read and leads to what it is about."""

    list_display = ("what", "when", "is_read")
    list_display_links = None
    list_filter = (ReadFilter, KindFilter)
    ordering = ("-not_before", "-id")
    actions = ("mark_selected",)
    fields = ("kind_label", "when", "read_at", "text")
    readonly_fields = fields
    change_list_template = "admin/notifications/notification/change_list.html"

    def get_queryset(self, request: HttpRequest) -> "QuerySet[Notification]":
        return Notification.objects.shown_to(person(request)).order_by(*self.ordering)

    @admin.display(description="What")
    def what(self, row: Notification) -> str:
        """A button of the list's own form, so that opening one is a POST: it writes."""
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

    @admin.action(description="Mark selected as read", permissions=["view"])
    def mark_selected(self, request: HttpRequest, queryset: "QuerySet[Notification]") -> None:
        services.mark_read(by=person(request), ids=queryset.values_list("pk", flat=True))

    def get_urls(self) -> list[URLPattern]:
        return [*_posts(self, "notifications_notification", open=self.open_view, read_all=self.read_all_view),
                *super().get_urls()]  # fmt: skip

    def open_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        row = self.get_queryset(request).filter(pk=pk).first()
        if row is None:
            raise Http404
        services.mark_read(by=person(request), ids=[pk])
        page = kinds.get_kind(row.kind).build_path(row.context)
        return HttpResponseRedirect(page or reverse("admin:notifications_notification_change", args=[pk]))

    def read_all_view(self, request: HttpRequest) -> HttpResponse:
        services.mark_all_read(by=person(request))
        return HttpResponseRedirect(reverse("admin:notifications_notification_changelist"))


@admin.register(Preference)
class PreferenceAdmin(ReadOnlyAdmin):
    """One's own, all on one page."""

    def get_queryset(self, request: HttpRequest) -> "QuerySet[Preference]":
        return Preference.objects.filter(user=person(request).pk)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        form = PreferencesForm(person(request), request.POST or None)
        if request.method == "POST" and form.is_valid():
            services.set_preferences(by=person(request), **form.values())
            messages.success(request, "Saved.")
            return HttpResponseRedirect(request.path)
        context = {
            **self.admin_site.each_context(request),
            **(extra_context or {}),
            "title": "What I am told",
            "opts": self.opts,
            "form": form,
            "channels": channels.get_all().values(),
        }
        return TemplateResponse(request, "admin/notifications/preference/change_list.html", context)


@admin.register(Delivery)
class DeliveryAdmin(ReadOnlyAdmin):
    """Whether everything was sent: figures, and the rows behind them. What they say is their recipient's alone."""

    list_display = ("kind_label", "recipient", "channel_label", "state", "again", "last_error", "attempts", "ended_at",
                    "next_attempt_at")  # fmt: skip
    list_select_related = ("notification__recipient",)
    list_filter = ("state", DeliveryKindFilter)
    search_fields = ("notification__recipient__full_name", "notification__recipient__email", "notification__dedupe_key")
    ordering = ("-id",)
    actions = ("retry_selected",)
    fields = ("kind_label", "recipient", "channel_label", "state", "attempts", "next_attempt_at", "ended_at",
              "last_error", "key", "retried_by", "retried_at")  # fmt: skip
    readonly_fields = fields
    change_list_template = "admin/notifications/delivery/change_list.html"

    def get_queryset(self, request: HttpRequest) -> "QuerySet[Delivery]":
        return Delivery.objects.visible_to(person(request)).order_by(*self.ordering)

    @admin.display(description="Kind", ordering="notification__kind")
    def kind_label(self, row: Delivery) -> str:
        return kinds.get_kind(row.notification.kind).label

    @admin.display(description="For", ordering="notification__recipient__full_name")
    def recipient(self, row: Delivery) -> User:
        return row.notification.recipient

    @admin.display(description="By", ordering="channel")
    def channel_label(self, row: Delivery) -> str:
        return channels.get_label(row.channel)

    @admin.display(description="")
    def again(self, row: Delivery) -> str:
        """A button of the list's own form."""
        if row.state != Delivery.State.DEAD:
            return ""
        url = reverse("admin:notifications_delivery_retry", args=[row.pk])
        return format_html('<button type="submit" class="link" formaction="{}">Retry</button>', url)

    @admin.display(description="Key")
    def key(self, row: Delivery) -> str:
        return row.notification.dedupe_key

    def has_retry_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("notifications.retry_delivery")

    @admin.action(description="Retry selected that were given up", permissions=["retry"])
    @requires_confirmation("Retry", note="Those that were given up are sent again.", only_whole_lists=True)
    def retry_selected(self, request: HttpRequest, queryset: "QuerySet[Delivery]") -> None:
        self._retry(request, queryset.values_list("pk", flat=True))

    def get_urls(self) -> list[URLPattern]:
        test = self.admin_site.admin_view(require_POST(self.test_view))
        return [
            path("test/", test, name="notifications_delivery_test"),
            *_posts(self, "notifications_delivery", retry=self.retry_view),
            *super().get_urls(),
        ]

    def test_view(self, request: HttpRequest) -> HttpResponse:
        """An e-mail to oneself; back to the page that it was asked for on."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        test_email.send_test_email(by=person(request))
        messages.success(request, f"A test e-mail to {person(request).email} is on its way.")
        back = "admin:index" if "home" in request.POST else "admin:notifications_delivery_changelist"
        return HttpResponseRedirect(reverse(back))

    def retry_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        if not self.has_retry_permission(request):
            return self.changelist_view(request)  # which refuses those who may not read either
        if not self.get_queryset(request).filter(pk=pk).exists():
            raise Http404
        self._retry(request, [pk])
        return HttpResponseRedirect(reverse("admin:notifications_delivery_changelist"))

    def _retry(self, request: HttpRequest, ids: Iterable[int]) -> None:
        keys = list(ids)
        messages.success(request, f"{services.retry(by=person(request), ids=keys)} will be sent again.")
        lapsed = Delivery.objects.visible_to(person(request)).filter(pk__in=keys, state=Delivery.State.LAPSED).count()
        if lapsed:
            messages.warning(request, f"{lapsed} will not: what they say is no longer true.")

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        if not self.has_view_permission(request):
            return super().changelist_view(request, extra_context)
        found = delivery_stats.measure_channels(Delivery.objects.visible_to(person(request)))
        proof = {
            "title": "Delivery",
            "figures": [(channels.get_label(each.channel), each) for each in found],
            "pulse": [(name.capitalize(), age) for name, age in liveness.measure_ages().items()],
            "longest_silence": liveness.max_silence_seconds(),
            "broker": liveness.check_broker(),
            "mails_leave": email.describe_transport(),
        }
        return super().changelist_view(request, proof | (extra_context or {}))


def _posts(of: ReadOnlyAdmin, name: str, **views: Callable[..., HttpResponse]) -> list[URLPattern]:
    """Addresses that take POST alone: `<id>/<verb>/`, or `<verb>/` for one about all."""
    found = []
    for verb, view in views.items():
        address = f"{verb.replace('_', '-')}/" if verb.endswith("_all") else f"<int:pk>/{verb}/"
        found.append(path(address, of.admin_site.admin_view(require_POST(view)), name=f"{name}_{verb}"))
    return found
