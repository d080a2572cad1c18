"""Answers in JSON: money is a number, times are UTC."""

from decimal import Decimal
from typing import Any

from rest_framework import renderers
from rest_framework.exceptions import NotAcceptable
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.request import Request
from rest_framework.utils.encoders import JSONEncoder


class _Encoder(JSONEncoder):
    def default(self, obj: Any) -> Any:
        if isinstance(obj, Decimal):
            return float(obj)  # two decimals and twelve digits are exact in a double
        return super().default(obj)


class JSONRenderer(renderers.JSONRenderer):
    encoder_class = _Encoder


class Negotiation(DefaultContentNegotiation):
    """As DRF's, but a refusal (406) can still be written: in JSON."""

    def select_renderer(self, request: Request, renderers: Any, format_suffix: str | None = None) -> Any:
        try:
            return super().select_renderer(request, renderers, format_suffix)
        except NotAcceptable:
            request.accepted_renderer = next(r for r in renderers if r.format == "json")
            request.accepted_media_type = "application/json"
            raise
