"""`/notifications`: what one is told, and how one wants to hear it; `/unsubscribe`: the same by an e-mail's link."""

from typing import Any, cast

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
from notifications import channels, kinds, services
from notifications.emails import rendering
from notifications.models import Notification

KINDS = [(kind.name, kind.label) for kind in kinds.get_all()]
CHANNELS = [(name, channel.label) for name, channel in channels.get_all().items()]


class NotificationRow(Row):
    id = serializers.IntegerField()
    kind = serializers.ChoiceField(KINDS)
    title = serializers.CharField()
    page = serializers.CharField(allow_blank=True, help_text="The path, on this host, of what it is about.")
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
    def worded(row: dict[str, Any]) -> dict[str, Any]:
        """The row with what it says."""
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
    """Each page says how many are unread in all."""

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
    read = serializers.IntegerField(help_text="How many had been unread.")


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


class PreferencesBody(StrictSerializer):
    kinds = fields.ListField(child=KindBody(), max_length=len(KINDS))
    reminder_minutes = fields.IntegerField(min_value=0, max_value=MAX_REMINDER_MINUTES)
    digest_hour = fields.IntegerField(min_value=0, max_value=23)

    class Meta:
        row = PreferencesRow


class NotificationViewSet(ViewSet):
    """What the caller is told in Athena: the newest first."""

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
        return [NotificationRow.worded(row) for row in super().paginate_queryset(queryset) or ()]

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        read_query(request, StrictSerializer)
        return Response(self._one())

    @extend_schema(request=None, responses=NotificationRow)
    @action(detail=True, methods=["post"])
    def read(self, request: Request, pk: str) -> Response:
        """It counts as read from now on, or still does."""
        self.check_visible()
        self.read_body(StrictSerializer)
        services.mark_read(by=self.caller, ids=[self.pk])
        return Response(self._one())

    @extend_schema(request=None, responses=ReadCount)
    @action(detail=False, methods=["post"], url_path="read-all")
    def read_all(self, request: Request) -> Response:
        """All that there is counts as read."""
        self.read_body(StrictSerializer)
        return Response({"read": services.mark_all_read(by=self.caller)})

    @extend_schema(methods=["GET"], responses=PreferencesRow)
    @extend_schema(methods=["PUT"], request=PreferencesBody, responses=PreferencesRow)
    @action(detail=False, methods=["get", "put"], pagination_class=None, filterset_class=None)
    def preferences(self, request: Request) -> Response:
        """By which channels one hears of each kind, how many minutes before a timed follow-up one is reminded, and at
        which hour of one's day the digest comes.

        A kind with no channels is off. PUT says all of it: a kind that it does not name is told as by default.
        """
        read_query(request, StrictSerializer)
        user: User = self.caller
        if request.method == "PUT":
            values = self.read_body(PreferencesBody)
            wanted = {each["kind"]: each["channels"] for each in values.pop("kinds")}
            user = services.set_preferences(by=user, wanted=wanted, **values)
        return Response(_preferences_of(user))

    def _one(self) -> dict[str, Any]:
        return NotificationRow.worded(self.get_or_404(self.rows().filter(pk=self.pk)))


def _preferences_of(user: User) -> dict[str, Any]:
    return {
        "channels": [{"name": name, "label": label} for name, label in CHANNELS],
        "kinds": [_kind_out(chosen) for chosen in services.get_preferences(user)],
        "reminder_minutes": user.reminder_minutes,
        "digest_hour": user.digest_hour,
    }


def _kind_out(chosen: services.KindPreference) -> dict[str, Any]:
    kind = chosen.kind
    return {"kind": kind.name, "label": kind.label, "about": kind.description, "channels": list(chosen.channels)}


class Unsubscribed(serializers.Serializer[Any]):
    kind = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]


class UnsubscribeViewSet(ActionViewSet):
    """The link of an e-mail is all the right that it takes."""

    authentication_classes = []
    permission_classes = [AllowAny]
    throttle_classes = [PublicThrottle]
    idempotent = False  # it is of itself

    @extend_schema(request=None, responses=Unsubscribed, auth=[])
    @action(detail=False, methods=["post"], url_path=r"(?P<pk>[^/]+)")
    def by_token(self, request: Request, pk: str) -> Response:
        """No more e-mails of the kind that the token's e-mail was of."""
        self.read_body(StrictSerializer)
        kind = services.unsubscribe(token=pk)
        if kind is None:
            raise Http404
        return Response({"kind": kind.name, "label": kind.label})


ROUTES: dict[str, type[ViewSetMixin]] = {
    "notifications": NotificationViewSet,
    "unsubscribe": UnsubscribeViewSet,
}
