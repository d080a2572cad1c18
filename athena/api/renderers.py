"""The JSON of responses, and content negotiation."""

import datetime
from decimal import Decimal
from typing import Any

from rest_framework import renderers
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.request import Request
from rest_framework.utils.encoders import JSONEncoder


class _Encoder(JSONEncoder):
    """Writes amounts as numbers and datetimes as ISO 8601 with an offset."""

    def default(self, obj: Any) -> Any:
        if isinstance(obj, Decimal):
            return float(obj)
        if isinstance(obj, datetime.datetime | datetime.time):
            return obj.isoformat()
        return super().default(obj)


class JSONRenderer(renderers.JSONRenderer):
    encoder_class = _Encoder


class Negotiation(DefaultContentNegotiation):
    """DRF's negotiation, but without an Accept header the response is JSON, and `q=0` excludes a type."""

    def get_accept_list(self, request: Request) -> list[str]:
        header = request.META.get("HTTP_ACCEPT", "").strip() or "*/*"
        ranges = [part.strip() for part in header.split(",")]
        return [part for part in ranges if part and not _refused(part)]


def _refused(media_range: str) -> bool:
    parameters = [parameter.replace(" ", "") for parameter in media_range.split(";")[1:]]
    return any(parameter in ("q=0", "q=0.0", "q=0.00", "q=0.000") for parameter in parameters)
