"""`/intake/<key>/`: the form as a page, to be linked or shown in a frame of the company's own sites.

Plain HTML: no script, one style sheet, and whatever was typed is still there when something is wrong.
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

from athena.api import fields
from athena.http import origins
from sales.models import IntakeForm, Lead

HIDDEN = ("source", "campaign", "utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content")


@dataclass(frozen=True)
class Field:
    """A field of the page. `kind`: an input's type, `select`, `textarea`, or `numeric`.

    That is text, for which phones offer digits: what a browser takes for no number it would not send at all.
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
            Field("email", "E-mail", "email", "email", "An e-mail address or a phone number: one is enough."),
            Field("phone", "Phone", "tel", "tel"),
        ),
    ),
    (
        "Your trip",
        (
            Field("trip_type", "Kind of trip", "select", choices=tuple(Lead.TripType.choices)),
            Field("estimated_passengers", "Passengers", "numeric", hint="A rough number will do."),
            Field("pickup_at", "Pickup", "datetime-local"),
            Field("return_at", "Return", "datetime-local"),
            Field("pickup_location", "From"),
            Field("dropoff_location", "To"),
            Field("accessible_seats", "Wheelchair places", "numeric"),
            Field("notes", "Anything else", "textarea", hint="Stops, luggage, a budget: whatever we should know."),
        ),
    ),
)  # fmt: skip


@require_safe
def show_form(request: HttpRequest, key: str) -> HttpResponse:
    """The empty form. What an advertisement's address says (`utm_…`) is sent along."""
    return _page(request, _active(key), {name: request.GET.get(name, "")[:100] for name in HIDDEN}, {})


@require_safe
def show_thanks(request: HttpRequest, key: str) -> HttpResponse:
    """Where people go whose form names no page of its own."""
    form, reference = _active(key), request.GET.get("reference", "")[:20]
    return _framed(HttpResponse(render_to_string("intake/thanks.html", {"reference": reference}, request)), form)


def show_errors(
    request: HttpRequest, form: IntakeForm, values: Mapping[str, Any], wrong: Mapping[str, str]
) -> HttpResponse:
    """The form with what was typed, up to the longest that any field takes, and what is wrong beside it."""
    typed = {name: str(value)[: fields.MAX_LONG_TEXT] for name, value in values.items()}
    return _page(request, form, typed, wrong, status=400)


def redirect_to_thanks(form: IntakeForm, reference: str) -> HttpResponse:
    own = f"{reverse('intake-thanks', args=[form.key])}?reference={reference}"
    return _framed(
        HttpResponse(status=303, headers={"Location": origins.page_url_or_empty(form.thank_you_url) or own}), form
    )


def show_refusal(request: HttpRequest, why: str, answer: HttpResponse) -> HttpResponse:
    """A page that says why the form was not taken, with the status and headers of the answer to programs."""
    page = HttpResponse(render_to_string("intake/refused.html", {"why": why}, request), status=answer.status_code)
    if "Retry-After" in answer:
        page["Retry-After"] = answer["Retry-After"]
    return page


def _active(key: str) -> IntakeForm:
    return get_object_or_404(IntakeForm, key=key, is_active=True)


def _page(
    request: HttpRequest, form: IntakeForm, values: Mapping[str, Any], wrong: Mapping[str, str], status: int = 200
) -> HttpResponse:
    groups = [
        (
            title,
            [{"of": field, "value": values.get(field.name, ""), "wrong": wrong.get(field.name)} for field in group],
        )
        for title, group in GROUPS
    ]
    shown = {field.name for _, fields in GROUPS for field in fields}
    context = {
        "form": form,
        "groups": groups,
        "hidden": {name: values[name] for name in HIDDEN if values.get(name)},
        "wrong": wrong,
        "elsewhere": [f"{name}: {why}" for name, why in wrong.items() if name not in shown],
    }
    return _framed(HttpResponse(render_to_string("intake/form.html", context, request), status=status), form)


def _framed(response: HttpResponse, form: IntakeForm) -> HttpResponse:
    """The sites that the form allows may show it in a frame; sending it may lead to its thank-you page."""
    policy = {
        "frame-ancestors": [SELF, *filter(None, map(origins.origin_or_empty, form.origins))],
        "form-action": [SELF, *filter(None, [origins.origin_or_empty(form.thank_you_url)])],
    }
    response._csp_replace = policy  # type: ignore[attr-defined]
    response.xframe_options_exempt = True  # type: ignore[attr-defined]
    return response
