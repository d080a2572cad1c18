"""`/sales/follow-ups/calendar.ics`: a user's follow-ups as a calendar to subscribe to."""

from typing import Any

from django.http import HttpResponse
from django.utils.cache import get_conditional_response
from django.utils.http import quote_etag
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.decorators import action
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import AllowAny
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

from athena.accounts import tokens
from athena.api import fields
from athena.api.filters import read_query
from athena.api.renderers import Negotiation
from athena.api.serializers import StrictSerializer
from athena.api.throttles import PublicThrottle
from sales.queries.follow_ups import calendar_feed


class CalendarQuery(StrictSerializer):
    token = fields.OneLineField(max_length=200, required=False)


class ICalendarRenderer(BaseRenderer):
    """For the schema: the view writes the calendar itself, and errors are JSON."""

    media_type, format, charset = "text/calendar", "ics", "utf-8"


class CalendarNegotiation(Negotiation):
    """Always answers with iCalendar: calendar programs send all kinds of Accept headers and read nothing else."""

    def select_renderer(self, request: Request, renderers: Any, format_suffix: str | None = None) -> Any:
        return renderers[0], renderers[0].media_type


class CalendarActions:
    @extend_schema(
        operation_id="sales_follow_ups_calendar_retrieve",
        parameters=[CalendarQuery],
        responses={(200, "text/calendar"): OpenApiResponse(str, "iCalendar")},
        auth=[],
    )
    @action(
        detail=False,
        url_path=r"calendar\.ics",
        url_name="calendar",
        pagination_class=None,
        authentication_classes=[],
        permission_classes=[AllowAny],
        throttle_classes=[PublicThrottle],
        renderer_classes=[ICalendarRenderer],
        content_negotiation_class=CalendarNegotiation,
    )
    def calendar(self, request: Request) -> HttpResponse:
        """A user's open follow-ups as iCalendar. Needs the token from GET /auth/me/calendar; 401 without it.

        Canceled follow-ups stay in it for 30 days, marked as canceled. Supports If-None-Match.
        """
        user = tokens.find_calendar_user(read_query(request, CalendarQuery).get("token", ""))
        if user is None:
            raise AuthenticationFailed("The calendar's token is not valid (any more).", "token_not_valid")
        text = calendar_feed.build_feed(user)
        headers = {"ETag": quote_etag(calendar_feed.get_etag(text))}
        response = HttpResponse(text, content_type="text/calendar; charset=utf-8", headers=headers)
        conditional: HttpResponse = get_conditional_response(request._request, headers["ETag"], None, response)  # type: ignore[assignment]
        return conditional

    def get_authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="api"'
