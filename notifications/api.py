"""The routes `/notifications` (the caller's list and preferences) and `/unsubscribe` (by an email's link)."""

from typing import Any, TypedDict, cast

from django.db.models import F, QuerySet
from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ViewSetMixin

from athena.accounts.models import MAX_REMINDER_MINUTES, User
from athena.api import fields, filters
from athena.api.filters import read_query
from athena.api.pagination import KeysetPagination
from athena.api.serializers import Row, StrictSerializer
from athena.api.throttles import PublicThrottle
from athena.api.viewsets import ActionViewSet, ViewSet
from notifications import channels, kinds, preferences, services
from notifications.channels import get_label
from notifications.emails import rendering
from notifications.models import Notification

KINDS = [(kind.name, kind.label) for kind in kinds.get_all()]
CHANNELS = [(name, channel.label) for name, channel in channels.get_used().items()]


class KindValues(TypedDict):
    """A validated `KindBody`."""

    kind: str
    channels: list[str]


class NotificationRow(Row):
    id = serializers.IntegerField()
    kind = serializers.ChoiceField(KINDS)
    title = serializers.CharField()
    page = serializers.CharField(
        allow_blank=True, help_text="The path, on this host, of the page that the notification is about."
    )
    context = serializers.JSONField()  # type: ignore[assignment]  # a field of this name, over the base's attribute
    at = serializers.DateTimeField()
    read_at = serializers.DateTimeField(allow_null=True)

    @classmethod
    def read(cls, queryset: "QuerySet[Any, Any]") -> "QuerySet[Any, dict[str, Any]]":
        rows: QuerySet[Any, dict[str, Any]] = queryset.annotate(at=F("not_before")).values(
            "id", "kind", "context", "at", "read_at"
        )
        return rows

    @staticmethod
    def add_texts(row: dict[str, Any]) -> dict[str, Any]:
        """Return the row with its title and its page."""
        kind, context = row["kind"], row["context"]
        if isinstance(context, dict):
            row = {**row, "context": {name: value for name, value in context.items() if name != kinds.UNLISTED}}
        return {**row, "title": rendering.render_title(kind, context), "page": kinds.get_kind(kind).build_path(context)}


class NotificationFilters(filters.StrictFilterSet):
    unread = filters.BooleanFilter(method="filter_unread")
    kind = filters.ChoicesFilter(choices=KINDS)

    def filter_unread(self, queryset: Any, name: str, value: bool) -> Any:
        return queryset.filter(read_at__isnull=value)


class InboxPagination(KeysetPagination):
    """Pages that also hold the number of all unread notifications."""

    def get_paginated_response(self, data: Any) -> Response:
        response = super().get_paginated_response(data)
        response.data["unread_count"] = Notification.objects.shown_to(cast(User, self.request.user)).unread().count()
        return response

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        page = super().get_paginated_response_schema(schema)
        page["properties"]["unread_count"] = {"type": "integer"}
        page["required"].append("unread_count")
        return page


class ReadCount(serializers.Serializer[Any]):
    read = serializers.IntegerField(help_text="How many notifications were unread.")


class ChannelOut(serializers.Serializer[Any]):
    name = serializers.ChoiceField(CHANNELS)
    label = serializers.CharField()  # type: ignore[assignment]


class KindRow(Row):
    kind = serializers.ChoiceField(KINDS)
    label = serializers.CharField()  # type: ignore[assignment]
    about = serializers.CharField()
    channels = serializers.ListField(child=serializers.ChoiceField(CHANNELS))


class PreferencesRow(Row):
    channels = ChannelOut(many=True)
    kinds = KindRow(many=True)
    reminder_minutes = serializers.IntegerField()
    digest_hour = serializers.IntegerField()


class KindBody(StrictSerializer):
    kind = fields.ChoiceField(choices=KINDS)
    channels = fields.ListField(child=fields.ChoiceField(choices=CHANNELS), max_length=len(CHANNELS))

    class Meta:
        row = KindRow

    def validate(self, attrs: KindValues) -> KindValues:
        """Reject channels that never send the kind."""
        kind = kinds.get_kind(attrs["kind"])
        for name in attrs["channels"]:
            if name not in kind.channels:
                raise serializers.ValidationError({"channels": f"{kind.label} is not sent by {get_label(name)}."})
        return attrs


class PreferencesBody(StrictSerializer):
    kinds = fields.ListField(child=KindBody(), max_length=len(KINDS))
    reminder_minutes = fields.IntegerField(min_value=0, max_value=MAX_REMINDER_MINUTES)
    digest_hour = fields.IntegerField(min_value=0, max_value=23)

    class Meta:
        row = PreferencesRow


class NotificationViewSet(ViewSet):
    """The caller's notifications in Athena, newest first."""

    queryset = Notification.objects.none()
    action_permissions = {"read": "notifications.change_notification", "read_all": "notifications.change_notification"}
    row = NotificationRow
    filterset_class = NotificationFilters
    pagination_class = InboxPagination
    orderings = {"at": "not_before"}
    default_ordering = "-at"

    def get_queryset(self) -> "QuerySet[Notification]":
        return Notification.objects.shown_to(self.caller)

    def paginate_queryset(self, queryset: Any) -> list[Any]:
        return [NotificationRow.add_texts(row) for row in super().paginate_queryset(queryset) or ()]

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        read_query(request, StrictSerializer)
        return Response(self._read_row())

    @extend_schema(request=None, responses=NotificationRow)
    @action(detail=True, methods=["post"])
    def read(self, request: Request, pk: str) -> Response:
        """Mark a notification as read. Does nothing if it is read already."""
        self.check_visible()
        self.read_body(StrictSerializer)
        services.mark_read(by=self.caller, ids=[self.pk])
        return Response(self._read_row())

    @extend_schema(request=None, responses=ReadCount)
    @action(detail=False, methods=["post"], url_path="read-all")
    def read_all(self, request: Request) -> Response:
        """Mark all of the caller's notifications as read."""
        self.read_body(StrictSerializer)
        return Response({"read": services.mark_all_read(by=self.caller)})

    @extend_schema(methods=["GET"], responses=PreferencesRow)
    @extend_schema(methods=["PUT"], request=PreferencesBody, responses=PreferencesRow)
    @action(detail=False, methods=["get", "put"], pagination_class=None, filterset_class=None)
    def preferences(self, request: Request) -> Response:
        """The channels by which the caller receives each kind, the minutes between a reminder and its follow-up, and
        the hour (in the caller's time zone) of the daily digest.

        A kind without channels is turned off. PUT replaces everything: a kind that is missing gets its defaults.
        """
        read_query(request, StrictSerializer)
        user: User = self.caller
        if request.method == "PUT":
            values = self.read_body(PreferencesBody)
            wanted = {choice["kind"]: choice["channels"] for choice in values.pop("kinds")}
            user = preferences.set_preferences(by=user, wanted=wanted, **values)
        return Response(_show_preferences(user))

    def _read_row(self) -> dict[str, Any]:
        return NotificationRow.add_texts(self.get_or_404(self.rows().filter(pk=self.pk)))


def _show_preferences(user: User) -> dict[str, Any]:
    return {
        "channels": [{"name": name, "label": label} for name, label in CHANNELS],
        "kinds": [_show_kind(preference) for preference in preferences.get_preferences(user)],
        "reminder_minutes": user.reminder_minutes,
        "digest_hour": user.digest_hour,
    }


def _show_kind(preference: preferences.KindPreference) -> dict[str, Any]:
    kind = preference.kind
    return {"kind": kind.name, "label": kind.label, "about": kind.description, "channels": list(preference.channels)}


class Unsubscribed(serializers.Serializer[Any]):
    kind = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]


class UnsubscribeViewSet(ActionViewSet):
    """Unsubscribing by the token in an email's link. It needs no login."""

    authentication_classes = []
    permission_classes = [AllowAny]
    throttle_classes = [PublicThrottle]
    idempotent = False  # no key is needed: doing it twice changes nothing

    @extend_schema(request=None, responses=Unsubscribed, auth=[])
    @action(detail=False, methods=["post"], url_path=r"(?P<pk>[^/]+)")
    def by_token(self, request: Request, pk: str) -> Response:
        """Turn off emails of one kind for one user, both named by the token."""
        self.read_body(StrictSerializer)
        kind = preferences.unsubscribe(token=pk)
        if kind is None:
            raise Http404
        return Response({"kind": kind.name, "label": kind.label})


ROUTES: dict[str, type[ViewSetMixin]] = {
    "notifications": NotificationViewSet,
    "unsubscribe": UnsubscribeViewSet,
}
