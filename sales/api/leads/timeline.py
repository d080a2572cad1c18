"""A lead's timeline, as an action of `/sales/leads`."""

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from athena.api import filters
from athena.api.pagination import ARRAY_PARAMETERS, FixedOrderPagination
from athena.api.viewsets import ViewSet
from sales.models import Lead
from sales.queries.timeline.entry_kinds import KINDS
from sales.queries.timeline.timeline import Timeline


class TimelineFilters(filters.StrictFilterSet):
    kind = filters.ChoicesFilter(choices=[(kind, kind) for kind in KINDS])


class Actor(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    full_name = serializers.CharField()


class TimelineItem(serializers.Serializer[Any]):
    kind = serializers.ChoiceField(KINDS)
    id = serializers.IntegerField(help_text="The id of the row that records it. Together with the kind it is unique.")
    at = serializers.DateTimeField()
    actor = Actor(allow_null=True, help_text="Null if Athena did it, or if it is not known who did.")
    title = serializers.CharField(help_text="For people.")
    detail = serializers.CharField(help_text="For people; may be empty.")
    data = serializers.JSONField(help_text="For programs: the keys depend on the kind.")  # type: ignore[assignment]


class TimelineActions(ViewSet):
    """For a viewset whose `get_queryset()` returns the leads that the caller may see."""

    action_permissions: ClassVar[dict[str, str]] = {"timeline": "sales.view_lead"}

    @extend_schema(responses=TimelineItem(many=True))
    @action(detail=True, filterset_class=TimelineFilters, pagination_class=FixedOrderPagination)
    def timeline(self, request: Request, pk: str) -> Response:
        """Everything that happened to the lead, newest first, each thing once."""
        timeline_filters = TimelineFilters(queryset=Lead.objects.none())
        kinds: list[str] = timeline_filters.read(request.query_params, ARRAY_PARAMETERS).get("kind", [])
        lead: dict[str, Any] = self.get_or_404(self.get_queryset().filter(pk=self.pk).values("pk"))
        paginator: FixedOrderPagination = self.paginator  # type: ignore[assignment]
        return paginator.get_paginated_response(paginator.read_page(Timeline(lead["pk"], kinds), request))
