"""`/intake/leads`: receives inquiries from the company's websites, by the key of an intake form, without signing in."""

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
from sales.api.leads import honeypot, intake_pages
from sales.api.leads.attribution import Attribution
from sales.models import IntakeForm, Lead
from sales.services.leads import intake


class WallClockField(fields.DateTimeField):
    """A datetime. Without an offset, as people type it, it is in the company's time zone."""

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
    source = fields.OneLineField(max_length=100, required=False, help_text="The name of a source.")  # type: ignore[assignment]
    website = honeypot.make_honeypot_field()


class Receipt(serializers.Serializer[Any]):
    reference = serializers.CharField(help_text="What people can quote to ask about their inquiry.")


class IntakeViewSet(ActionViewSet):
    authentication_classes: list[Any] = []
    permission_classes = [AllowAny]
    throttle_classes = [IntakeThrottle]
    parser_classes = [StrictJSONParser, StrictFormParser]
    idempotent = False  # an identical inquiry is recognized by its content
    reader: str | None = None  # the other site whose scripts may read the response

    @extend_schema(
        auth=[],
        request={"application/json": IntakeBody},
        responses={
            202: Receipt,
            303: OpenApiResponse(description="For a form: redirect to its thank-you page"),
            403: OpenApiResponse(description="Sent by a page of a website that the form does not allow"),
        },
    )
    def create(self, request: Request) -> HttpResponse:
        """Receive an inquiry. `key` is the key of an active intake form.

        It needs a name, and an email address or a phone number. If an open lead has the same email or phone, the
        inquiry is added to it; otherwise it becomes a new lead. Send JSON, or a urlencoded form, which is answered with
        HTML pages. A page of another website must be listed in the form's origins.
        """
        form = self._form(request)
        try:
            reference = self._receive(request, form)
        except (ValidationError, errors.Invalid) as error:
            if not self._is_page(request):
                raise
            return intake_pages.show_errors(request._request, form, _read_body(request), _list_messages(error))
        if self._is_page(request):
            return intake_pages.redirect_to_thanks(form, reference)
        return Response({"reference": reference}, status=status.HTTP_202_ACCEPTED)

    def options(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        """Answer the preflight request of a browser: scripts of the websites that some form allows may post."""
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
        """Answer a form with a page, as `create` does."""
        answer = super().handle_exception(exc)
        if not self._is_page(self.request) or not isinstance(exc, APIException | errors.SalesError):
            return answer
        return intake_pages.show_refusal(self.request._request, " ".join(_list_messages(exc).values()), answer)

    def _form(self, request: Request) -> IntakeForm:
        """The active form with the key in the body. Raises `ValidationError`, and `OriginNotAllowed`."""
        key = _read_body(request).get("key")
        form = IntakeForm.objects.filter(key=key, is_active=True).first() if _is_key(key) else None
        if form is None:
            self._read(request)  # raises with all errors of the body, if it has any
            raise ValidationError({"key": ["This form does not exist."]})
        origin = cors.get_foreign_origin(request._request)
        if origin is not None and origin not in form.origins:
            raise errors.OriginNotAllowed
        self.reader = origin
        return form

    def _receive(self, request: Request, form: IntakeForm) -> str:
        values = self._read(request)
        del values["key"]
        if honeypot.remove_honeypot(values):
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


def _read_body(request: Request) -> dict[str, Any]:
    """The fields of the body; both parsers return one object."""
    data: Any = request.data
    return dict(data)


def _list_messages(error: Exception) -> dict[str, str]:
    """The error messages by field; under the empty name if it is not about a field."""
    if isinstance(error, errors.Invalid):
        return error.fields
    detail = getattr(error, "detail", None)
    if isinstance(detail, dict):
        named = islice(detail.items(), fields.MAX_REPORTED_ERRORS)
        return {str(name)[:64]: " ".join(map(str, texts)) for name, texts in named}
    return {"": str(error)}
