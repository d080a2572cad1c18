"""A form that violates a database constraint shows an error beside the field and keeps the typed values."""

from typing import Any

import pytest
from django.contrib import admin as pages
from django.db.models import CheckConstraint, UniqueConstraint
from django.urls import reverse
from django_celery_beat.models import CrontabSchedule, IntervalSchedule, PeriodicTask

from athena.accounts.models import Team, User
from athena.db.constraints import get_fields
from sales.models import (
    Activity,
    AssignmentRule,
    Cadence,
    CadenceStep,
    FollowUp,
    IntakeForm,
    Lead,
    LeadScoringRule,
    LeadSource,
    LostReason,
    SourceSpend,
)
from tests.rights.conftest import read_all_rows
from tests.rights.forms import untouched

HUGE = "99999999999"  # more than an integer of PostgreSQL holds

# By model and constraint (or unique field): the values to send, and the field beside which the error is shown.
CASES: dict[type, dict[str, list[tuple[dict[str, str], str]]]] = {
    Team: {"name": [({"name": "Taken"}, "name")]},
    User: {
        "email": [({"email": "Taken@Example.com"}, "email")],
        "users_role_known": [({"role": "king"}, "role")],
        "users_reminder_minutes": [
            ({"reminder_minutes": value}, "reminder_minutes") for value in ("-1", "10081", HUGE)
        ],
        "users_digest_hour": [({"digest_hour": value}, "digest_hour") for value in ("-1", "24", HUGE)],
        "users_max_open_leads": [({"max_open_leads": value}, "max_open_leads") for value in ("-1", "100001", HUGE)],
    },
    Activity: {
        "activities_direction_known": [({"direction": "up"}, "direction")],
        "activities_typed": [({"activity_type": ""}, "activity_type")],
    },
    AssignmentRule: {
        "rule_name": [({"rule_name": "Taken"}, "rule_name")],
        "assignment_rules_one_target": [({"to_user": "{user}", "to_team": "{team}"}, "to_team")],
        "assignment_rules_position": [({"position": value}, "position") for value in ("-1", "100001", HUGE)],
    },
    Cadence: {
        "name": [({"name": "Taken"}, "name")],
        "cadences_named": [({"name": ""}, "name")],
    },
    CadenceStep: {
        "cadence_steps_once_a_day": [({"steps-1-day": "0", "steps-1-follow_up_type": "call"}, "steps-1-day")],
        "cadence_steps_day": [({"steps-0-day": value}, "steps-0-day") for value in ("-1", "366", HUGE)],
        "cadence_steps_type_known": [({"steps-0-follow_up_type": "fax"}, "steps-0-follow_up_type")],
    },
    FollowUp: {"valid_follow_up_type": [({"follow_up_type": "fax"}, "follow_up_type")]},
    IntakeForm: {"name": [({"name": "Taken"}, "name")]},
    Lead: {
        "leads_status_known": [({"status": "sold"}, "status")],
        "leads_named": [({"company_name": "", "contact_name": ""}, "company_name")],
        "leads_lost_has_a_reason": [({"status": "lost"}, "lost_reason")],
        "leads_return_after_pickup": [
            (
                {
                    "pickup_at_0": "2027-05-02",
                    "pickup_at_1": "10:00",
                    "return_at_0": "2027-05-01",
                    "return_at_1": "10:00",
                },
                "return_at",
            )
        ],
        **{
            f"leads_{name}": [({name: value}, name) for value in ("-1", limit, HUGE + "9")]
            for limit, names in (
                ("100001", ("estimated_passengers", "vehicles_needed", "accessible_seats")),
                ("10000000000", ("estimated_value", "quote_amount")),
            )
            for name in names
        },
        "leads_booked_value": [
            ({"status": "won", "booked_value": value}, "booked_value") for value in ("-1", "10000000000", HUGE + "9")
        ],
    },
    LeadScoringRule: {
        "rule_name": [({"rule_name": "Repeat Client"}, "rule_name")],
        "scoring_rules_type_known": [({"rule_type": "mood"}, "rule_type")],
        "scoring_rules_operator_known": [({"condition_operator": "like"}, "condition_operator")],
        "scoring_rules_points": [({"points": value}, "points") for value in ("-101", "101", HUGE)],
        "scoring_rules_within_days": [({"within_days": value}, "within_days") for value in ("-1", "0", "3651", HUGE)],
        "scoring_rules_half_life_days": [
            ({"half_life_days": value}, "half_life_days") for value in ("0", "3651", HUGE)
        ],
    },
    LeadSource: {
        "name": [({"name": "Taken"}, "name")],
        "lead_sources_channel_known": [({"channel": "owl"}, "channel")],
        "lead_sources_cost_model_known": [({"cost_model": "love"}, "cost_model")],
        "lead_sources_unit_cost": [({"unit_cost": value}, "unit_cost") for value in ("-1", "10000000000")],
    },
    LostReason: {"name": [({"name": "price", "label": "Price"}, "name")]},
    SourceSpend: {
        "source_spend_once_a_month": [({"month": "2026-02-01", "campaign": "Taken"}, "campaign")],
        "source_spend_first_of_month": [({"month": "2026-03-02"}, "month")],
        "source_spend_amount": [({"amount": value}, "amount") for value in ("-1", "10000000000")],
    },
    PeriodicTask: {
        "name": [({"name": "Taken"}, "name")],
        "priority": [({"priority": value}, "priority") for value in ("-1", "256", HUGE)],
        "expire_seconds": [({"expire_seconds": value}, "expire_seconds") for value in ("-1", HUGE)],
    },
    IntervalSchedule: {"every": [({"every": value}, "every") for value in ("-1", "0", HUGE)]},
    CrontabSchedule: {"minute": [({"minute": "61"}, "minute")]},
}
PARAMS = [
    pytest.param(model, values, error_field, id=f"{model.__name__}-{name}-{number}")
    for model, cases_by_name in CASES.items()
    for name, cases in cases_by_name.items()
    for number, (values, error_field) in enumerate(cases)
]
INLINES = {CadenceStep: Cadence}
ADDED = (LostReason,)  # the field of the constraint can be filled in only for a new row


@pytest.fixture
def rows(manager: User, desk: Team) -> dict[Any, Any]:
    """A row of each model to change. Where names are unique, there is also a row with the name "Taken"."""
    lead = Lead.objects.create(company_name="Band", assigned_to=manager)
    cadence, source = Cadence.objects.create(name="Mine"), LeadSource.objects.create(name="Mine")
    interval = IntervalSchedule.objects.create(every=5, period="days")
    for model in (Team, Cadence, LeadSource):
        model.objects.create(name="Taken")
    IntakeForm.objects.create(name="Taken", key="taken")
    User.objects.create(email="taken@example.com", full_name="Taken", password="!")
    PeriodicTask.objects.create(name="Taken", task="sales.tick", interval=interval)
    AssignmentRule.objects.create(rule_name="Taken", position=9)
    SourceSpend.objects.create(source=source, month="2026-02-01", campaign="Taken", amount=1)
    CadenceStep.objects.create(cadence=cadence, day=0, follow_up_type="call")
    rows_to_change = (
        lead,
        cadence,
        source,
        interval,
        manager,
        desk,
        LostReason.objects.get(name="other"),
        LeadScoringRule.objects.exclude(rule_name="Repeat Client").earliest("pk"),
        Activity.objects.create(lead=lead, activity_type="note", notes="Old", user=manager),
        FollowUp.objects.create(lead=lead, follow_up_type="call", scheduled_date="2099-01-05", assigned_to=manager),
        AssignmentRule.objects.create(rule_name="Mine", position=1),
        IntakeForm.objects.create(name="Mine", key="mine"),
        SourceSpend.objects.create(source=source, month="2026-01-01", amount=1),
        PeriodicTask.objects.create(name="Mine", task="sales.tick", interval=interval),
        CrontabSchedule.objects.create(),
    )
    return {type(row): row for row in rows_to_change}


def list_constraints(model: type, names: set[str]) -> set[str]:
    """Return the constraints that concern at least one of the fields `names`, and the unique fields among them."""
    options = model._meta  # type: ignore[attr-defined]
    names_in_use = {
        constraint.name
        for constraint in options.constraints
        if isinstance(constraint, CheckConstraint | UniqueConstraint) and names & {*get_fields(constraint, model)}
    }
    return names_in_use | {field.name for field in options.fields if field.unique and field.name in names}


def test_each_constraint_has_a_case(admin, rows, rf):
    request = rf.get("/")
    request.user = admin
    forms = {}
    for model, page in pages.site._registry.items():
        if page.has_change_permission(request):
            row = rows[model]
            forms[model] = page.get_form(request, row, change=True)
            for inline in page.get_inline_instances(request, row):
                if inline.has_change_permission(request) and inline.model in CASES:
                    forms[inline.model] = inline.get_formset(request, row).form
    untested = {
        model.__name__: list_constraints(model, set(form.base_fields)) - set(CASES.get(model, {}))
        for model, form in forms.items()
    }
    assert {model: names for model, names in untested.items() if names} == {}
    assert set(CASES) <= set(forms)


@pytest.mark.parametrize(("model", "values", "error_field"), PARAMS)
def test_the_error_is_beside_its_field_and_no_typed_value_is_lost(
    browse, admin, rows, desk, model, values, error_field
):
    row = rows[INLINES.get(model, model)]
    page_name = f"admin:{row._meta.app_label}_{row._meta.model_name}"
    url = reverse(f"{page_name}_add") if model in ADDED else reverse(f"{page_name}_change", args=[row.pk])
    values = {name: value.format(user=admin.pk, team=desk.pk) for name, value in values.items()}
    client = browse(admin)
    rows_before = read_all_rows()
    response = client.post(url, untouched(client.get(url).content.decode()) | values)
    assert response.status_code == 200
    assert read_all_rows() == rows_before
    form, name = response.context["adminform"].form, error_field
    if model in INLINES:
        prefix, number, name = error_field.split("-")
        formset = next(
            inline.formset for inline in response.context["inline_admin_formsets"] if inline.formset.prefix == prefix
        )
        form = formset.forms[int(number)]
    assert list(form.errors) == [name]
    assert not any("Constraint" in message or "constraint" in message for message in form.errors[name])
    form_values = untouched(response.content.decode())
    choice_fields = {
        "role",
        "direction",
        "follow_up_type",
        "status",
        "rule_type",
        "condition_operator",
        "channel",
        "cost_model",
    }
    kept = {key: value for key, value in values.items() if key.rpartition("-")[2] not in choice_fields}
    assert {key: form_values.get(key) for key in kept} == kept


HOSTILE_VALUES = ("-1", "9" * 30, "NaN", "two\nlines", "null\x00", "x" * 12_000, "0001-01-01")


@pytest.mark.parametrize("value", HOSTILE_VALUES)
def test_no_page_fails_on_a_hostile_value_in_all_of_its_fields(browse, admin, rows, value):
    client = browse(admin)
    for row in rows.values():
        page_name = f"admin:{row._meta.app_label}_{row._meta.model_name}"
        for url in (reverse(f"{page_name}_change", args=[row.pk]), reverse(f"{page_name}_add")):
            form = untouched(client.get(url).content.decode())
            kept = {name for name in form if name in ("csrfmiddlewaretoken", "seen") or name.endswith("_FORMS")}
            response = client.post(url, {name: form[name] if name in kept else value for name in form})
            assert response.status_code in (200, 302), url


@pytest.mark.parametrize(
    ("model", "name", "value"),
    [
        *((CrontabSchedule, name, "-1") for name in ("minute", "hour", "day_of_week", "day_of_month")),
        *((PeriodicTask, "task", value) for value in ("two\nlines", "x" * 201, "")),
    ],
)
def test_forms_of_periodic_tasks_show_errors_too(browse, admin, rows, model, name, value):
    row, client = rows[model], browse(admin)
    url = reverse(f"admin:django_celery_beat_{model._meta.model_name}_change", args=[row.pk])
    response = client.post(url, untouched(client.get(url).content.decode()) | {name: value})
    assert name in response.context["adminform"].form.errors
    if model is CrontabSchedule:
        assert "Every minute" in response.content.decode()  # the saved schedule in words


def test_a_read_only_page_of_a_task_has_no_empty_list_of_tasks(browse, manager, rows):
    url = reverse("admin:django_celery_beat_periodictask_change", args=[rows[PeriodicTask].pk])
    assert "Regtask" not in browse(manager).get(url).content.decode()
