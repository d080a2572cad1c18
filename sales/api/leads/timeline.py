"""The story of a lead: mixed into `/sales/leads`."""

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
from sales.queries.timeline.timeline import KINDS, Story


class TimelineFilters(filters.StrictFilterSet):
    kind = filters.ChoicesFilter(choices=[(kind, kind) for kind in KINDS])


class Actor(serializers.Serializer):  # type: ignore[type-arg]
    id = serializers.IntegerField()
    full_name = serializers.CharField()


class TimelineItem(serializers.Serializer):  # type: ignore[type-arg]
    kind = serializers.ChoiceField(KINDS)
    id = serializers.IntegerField(help_text="Of the row that tells it: with its kind, the item's own.")
    at = serializers.DateTimeField()
    actor = Actor(allow_null=True, help_text="Null for Athena itself, and where it is not known.")
    title = serializers.CharField(help_text="For people.")
    detail = serializers.CharField(help_text="For people; may be empty.")
    data = serializers.JSONField(help_text="For programs: the keys depend on the kind.")  # type: ignore[assignment]


class TimelineActions(ViewSet):
    """For a viewset whose `get_queryset()` is the leads that the caller can see."""

    action_permissions: ClassVar[dict[str, str]] = {"timeline": "sales.view_lead"}

    @extend_schema(responses=TimelineItem(many=True))
    @action(detail=True, filterset_class=TimelineFilters, pagination_class=FixedOrderPagination)
    def timeline(self, request: Request, pk: str) -> Response:
        """The lead's whole story, newest first; each thing is told once."""
        bound = TimelineFilters(queryset=Lead.objects.none())
        kinds: list[str] = bound.read(request.query_params, ARRAY_PARAMETERS).get("kind", [])
        lead: dict[str, Any] = self.get_or_404(self.get_queryset().filter(pk=self.pk).values("pk"))
        pages: FixedOrderPagination = self.paginator  # type: ignore[assignment]
        return pages.get_paginated_response(pages.read_page(Story(lead["pk"], kinds), request))
