"""`/intake/<key>/`: an intake form as a page, for links and frames on the company's websites.

It is plain HTML with one style sheet and no script. After an error, the page still contains what was typed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from csp.constants import SELF
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.template.loader import render_to_string
from django.urls import reverse
from django.views.decorators.http import require_safe

from athena.http import origins
from athena.limits import MAX_TEXT_LENGTH
from sales.models import IntakeForm, Lead
from sales.models.leads.lead import UTM_FIELDS

HIDDEN_FIELDS = ("source", "campaign", *UTM_FIELDS)


@dataclass(frozen=True)
class Field:
    """A field of the page. `kind` is the type of an input, `select`, `textarea` or `numeric`.

    `numeric` is a text input for which phones offer digits. (A number input would silently not send other text.)
    """

    name: str
    label: str
    kind: str = "text"
    autocomplete: str = "off"
    hint: str = ""
    choices: tuple[tuple[str, str], ...] = ()


GROUPS: tuple[tuple[str, tuple[Field, ...]], ...] = (
    (
        "About you",
        (
            Field("contact_name", "Your name", autocomplete="name"),
            Field("company_name", "School, company or group", autocomplete="organization"),
            Field("email", "Email", "email", "email", "An email address or a phone number is enough."),
            Field("phone", "Phone", "tel", "tel"),
        ),
    ),
    (
        "Your trip",
        (
            Field("trip_type", "Kind of trip", "select", choices=tuple(Lead.TripType.choices)),
            Field("estimated_passengers", "Passengers", "numeric", hint="A rough number is enough."),
            Field("pickup_at", "Pickup", "datetime-local"),
            Field("return_at", "Return", "datetime-local"),
            Field("pickup_location", "From"),
            Field("dropoff_location", "To"),
            Field("accessible_seats", "Wheelchair spaces", "numeric"),
            Field("notes", "Anything else", "textarea", hint="Stops, luggage, a budget: anything we should know."),
        ),
    ),
)  # fmt: skip


@require_safe
def show_form(request: HttpRequest, key: str) -> HttpResponse:
    """The empty form. The source and `utm_…` values of its address are sent along with the inquiry."""
    return _page(request, _active(key), {name: request.GET.get(name, "")[:100] for name in HIDDEN_FIELDS}, {})


@require_safe
def show_thanks(request: HttpRequest, key: str) -> HttpResponse:
    """The page after sending a form that names no page of its own."""
    form, reference = _active(key), request.GET.get("reference", "")[:20]
    return _framed(HttpResponse(render_to_string("intake/thanks.html", {"reference": reference}, request)), form)


def show_errors(
    request: HttpRequest, form: IntakeForm, values: Mapping[str, Any], messages: Mapping[str, str]
) -> HttpResponse:
    """The form with what was typed, cut to the limit of the longest field, and an error beside each wrong field."""
    typed = {name: str(value)[:MAX_TEXT_LENGTH] for name, value in values.items()}
    return _page(request, form, typed, messages, status=400)


def redirect_to_thanks(form: IntakeForm, reference: str) -> HttpResponse:
    """Redirect to the form's thank-you page, or to Athena's own."""
    own = f"{reverse('intake-thanks', args=[form.key])}?reference={reference}"
    return _framed(
        HttpResponse(status=303, headers={"Location": origins.page_url_or_empty(form.thank_you_url) or own}), form
    )


def show_refusal(request: HttpRequest, message: str, answer: HttpResponse) -> HttpResponse:
    """A page with the reason for a refusal, with the status and `Retry-After` of the API's `answer`."""
    page = HttpResponse(
        render_to_string("intake/refused.html", {"message": message}, request), status=answer.status_code
    )
    if "Retry-After" in answer:
        page["Retry-After"] = answer["Retry-After"]
    return page


def _active(key: str) -> IntakeForm:
    return get_object_or_404(IntakeForm, key=key, is_active=True)


def _page(
    request: HttpRequest, form: IntakeForm, values: Mapping[str, Any], messages: Mapping[str, str], status: int = 200
) -> HttpResponse:
    groups = [
        (
            title,
            [
                {"spec": field, "value": values.get(field.name, ""), "error": messages.get(field.name)}
                for field in group
            ],
        )
        for title, group in GROUPS
    ]
    shown = {field.name for _, fields in GROUPS for field in fields}
    context = {
        "form": form,
        "groups": groups,
        "hidden": {name: values[name] for name in HIDDEN_FIELDS if values.get(name)},
        "errors": messages,
        "other_errors": [f"{name}: {text}" for name, text in messages.items() if name not in shown],
    }
    return _framed(HttpResponse(render_to_string("intake/form.html", context, request), status=status), form)


def _framed(response: HttpResponse, form: IntakeForm) -> HttpResponse:
    """Let the form's origins show the page in a frame, and let sending it lead to its thank-you page."""
    policy = {
        "frame-ancestors": [SELF, *filter(None, map(origins.origin_or_empty, form.origins))],
        "form-action": [SELF, *filter(None, [origins.origin_or_empty(form.thank_you_url)])],
    }
    response._csp_replace = policy  # type: ignore[attr-defined]
    response.xframe_options_exempt = True  # type: ignore[attr-defined]
    return response
