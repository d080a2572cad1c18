"""`/intake/leads`: inquiries from the company's web sites, by the key of a form and without a login."""

from datetime import datetime
from itertools import islice
from typing import Any

from django.http import HttpResponse
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers, status
from rest_framework.exceptions import APIException, MethodNotAllowed, ValidationError
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from athena.api import fields
from athena.api.parsers import StrictFormParser, StrictJSONParser
from athena.api.throttles import IntakeThrottle
from athena.api.viewsets import ActionViewSet
from athena.http import cors
from sales import errors, schedule
from sales.api.leads import intake_pages
from sales.api.leads.attribution import Attribution
from sales.models import IntakeForm, Lead
from sales.services.leads import intake

HONEYPOT = "website"


class WallClockField(fields.DateTimeField):
    """As elsewhere; without an offset, it is a time where the company is, as people type it."""

    def to_internal_value(self, data: Any) -> datetime:
        if isinstance(data, str):
            try:
                typed = datetime.fromisoformat(data)
            except ValueError:
                typed = None
            if typed is not None and typed.tzinfo is None and "T" in data:
                data = typed.replace(tzinfo=schedule.company_zone()).isoformat()
        return super().to_internal_value(data)


class IntakeBody(Attribution):
    key = fields.OneLineField(max_length=64)
    company_name = fields.OneLineField(max_length=200, required=False)
    contact_name = fields.OneLineField(max_length=200, required=False)
    email = fields.EmailField(required=False)
    phone = fields.OneLineField(max_length=50, required=False)
    notes = fields.LongTextField(required=False)
    trip_type = fields.ChoiceField(choices=Lead.TripType.choices, required=False, allow_blank=True)
    pickup_at = WallClockField(required=False, allow_null=True)
    return_at = WallClockField(required=False, allow_null=True)
    pickup_location = fields.OneLineField(max_length=200, required=False)
    dropoff_location = fields.OneLineField(max_length=200, required=False)
    itinerary = fields.LongTextField(required=False)
    estimated_passengers = fields.CountField(required=False, allow_null=True)
    vehicle_type = fields.ChoiceField(choices=Lead.VehicleType.choices, required=False, allow_blank=True)
    vehicles_needed = fields.CountField(required=False, allow_null=True)
    accessible_seats = fields.CountField(required=False, allow_null=True)
    source = fields.OneLineField(max_length=100, required=False, help_text="The name of one.")  # type: ignore[assignment]
    website = fields.OneLineField(
        max_length=200, required=False, help_text="A trap: people do not see it. Who fills it in is not heard."
    )


class Receipt(serializers.Serializer[Any]):
    reference = serializers.CharField(help_text="By which people may ask for their inquiry.")


class IntakeViewSet(ActionViewSet):
    authentication_classes: list[Any] = []
    permission_classes = [AllowAny]
    throttle_classes = [IntakeThrottle]
    parser_classes = [StrictJSONParser, StrictFormParser]
    idempotent = False  # the same inquiry again is known by its words
    reader: str | None = None  # the other site whose scripts may read the answer

    @extend_schema(
        auth=[],
        request={"application/json": IntakeBody},
        responses={
            202: Receipt,
            303: OpenApiResponse(description="Of a form: its thank-you page"),
            403: OpenApiResponse(description="Another site's page, which the form does not allow"),
        },
    )
    def create(self, request: Request) -> HttpResponse:
        """Take an inquiry in, by the key of a form that a manager keeps.

        It needs a name, and an e-mail address or a phone number. Somebody who is an open lead already joins it. JSON,
        or a form (urlencoded), which is answered by pages. A page of another site must be among the form's origins.
        """
        form = self._form(request)
        try:
            reference = self._receive(request, form)
        except (ValidationError, errors.Invalid) as error:
            if not self._is_page(request):
                raise
            return intake_pages.show_errors(request._request, form, _sent(request), _why(error))
        if self._is_page(request):
            return intake_pages.redirect_to_thanks(form, reference)
        return Response({"reference": reference}, status=status.HTTP_202_ACCEPTED)

    def options(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        """A browser asks whether a script of another site may post: of those that some form allows."""
        origin = request.META.get("HTTP_ORIGIN")
        if not cors.is_preflight(request._request):
            raise MethodNotAllowed("OPTIONS")
        answer = Response(status=status.HTTP_204_NO_CONTENT)
        if any(origin in form.origins for form in IntakeForm.objects.filter(is_active=True)):
            cors.allow_posting(answer, str(origin))
        return answer

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        if self.reader is not None:
            cors.allow_reading(response, self.reader)
        return super().finalize_response(request, response, *args, **kwargs)

    def handle_exception(self, exc: Exception) -> Any:
        """Whoever sent a page gets a page, too."""
        answer = super().handle_exception(exc)
        if not self._is_page(self.request) or not isinstance(exc, APIException | errors.SalesError):
            return answer
        return intake_pages.show_refusal(self.request._request, " ".join(_why(exc).values()), answer)

    def _form(self, request: Request) -> IntakeForm:
        """The form whose key the body gives. Raises `ValidationError`, and `OriginNotAllowed` for another's page."""
        key = _sent(request).get("key")
        form = IntakeForm.objects.filter(key=key, is_active=True).first() if _is_key(key) else None
        if form is None:
            self._read(request)  # so that all that is wrong is said
            raise ValidationError({"key": ["There is no such form."]})
        origin = cors.get_foreign_origin(request._request)
        if origin is not None and origin not in form.origins:
            raise errors.OriginNotAllowed
        self.reader = origin
        return form

    def _receive(self, request: Request, form: IntakeForm) -> str:
        values = self._read(request)
        del values["key"]
        if values.pop(HONEYPOT, ""):
            return intake.make_reference()
        return intake.receive_inquiry(form=form, values=values)

    def _read(self, request: Request) -> dict[str, Any]:
        serializer = IntakeBody(data=request.data, context={"query": self._is_page(request)})
        serializer.is_valid(raise_exception=True)
        values: dict[str, Any] = serializer.validated_data
        return values

    @staticmethod
    def _is_page(request: Request) -> bool:
        return (request.content_type or "").partition(";")[0].strip().lower() == StrictFormParser.media_type


def _is_key(key: Any) -> bool:
    return isinstance(key, str) and key.isascii() and "\x00" not in key


def _sent(request: Request) -> dict[str, Any]:
    """The body: both parsers make it one object."""
    data: Any = request.data
    return dict(data)


def _why(error: Exception) -> dict[str, str]:
    """What is wrong, by field; under the empty name where it is about none."""
    if isinstance(error, errors.Invalid):
        return error.fields
    detail = getattr(error, "detail", None)
    if isinstance(detail, dict):
        named = islice(detail.items(), fields.MAX_REPORTED_ERRORS)
        return {str(name)[:64]: " ".join(map(str, why)) for name, why in named}
    return {"": str(error)}
