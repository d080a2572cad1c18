"""The admin page of a lead accepts and refuses the same values as the API."""

import pytest
from django.test import Client
from django.urls import reverse

from athena.accounts.models import Team
from athena.accounts.roles import Role
from sales.models import Lead
from tests.fixtures import new_user
from tests.rights.forms import untouched

ONE_LINE_FIELDS = (
    "company_name",
    "contact_name",
    "phone",
    "pickup_location",
    "dropoff_location",
    "campaign",
    "utm_source",
    "utm_term",
)
LONG_TEXT_FIELDS = ("notes", "itinerary")
WRONG_LINES = (
    "two\nlines",
    "two\r\nlines",
    "tab\there",
    "bell\x07",
    "null\x00",
    "sep\u2028here",
    "next\x85line",
    "x" * 201,
)
REFUSED = [
    *((name, value) for name in (*ONE_LINE_FIELDS, "email") for value in WRONG_LINES),
    *((name, value) for name in LONG_TEXT_FIELDS for value in ("null\x00", "x" * 10_001)),
    *(
        ("email", value)
        for value in ("pat@@x", "pat", "pat@x y.example", "a" * 250 + "@x.example", "@x.example", "pat@")
    ),
    *(("quote_valid_until", value) for value in ("1999-12-31", "2101-01-01", "0001-01-01", "9999-12-31", "2026-02-30")),
    *(
        (name, f"{day}T10:00:00Z")
        for name in ("pickup_at", "return_at", "bid_due_at")
        for day in ("1999-01-01", "2101-01-02", "0001-01-01", "9999-12-31")
    ),
    *((name, value) for name in ("estimated_passengers", "accessible_seats") for value in (-1, 100_001, 99999999999)),
    *((name, value) for name in ("estimated_value", "quote_amount") for value in (-0.01, 10_000_000_000, 1.005)),
]
ACCEPTED = [
    *((name, value) for name in ONE_LINE_FIELDS for value in ("  Ann  ", "Ann \u200d Ünï", "x" * 50)),
    *((name, "two\nlines\tand a tab") for name in LONG_TEXT_FIELDS),
    ("email", "Pat@Example.com"),
    ("quote_valid_until", "2000-01-01"),
    ("quote_valid_until", "2100-12-31"),
    ("pickup_at", "2100-12-31T10:00:00Z"),
    ("accessible_seats", 0),
    ("estimated_passengers", 100_000),
    ("estimated_value", 0),
    ("quote_amount", 9999999999.99),
]


def get_form_values(name, value):
    """Return what a user types in the form for a value of the API."""
    if name.endswith("_at"):
        day, clock = value.rstrip("Z").split("T")
        return {f"{name}_0": day, f"{name}_1": clock}
    return {name: f"{value:.3f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)}


@pytest.fixture(autouse=True)
def _undo_what_a_test_writes(made_once, db):
    """Each test has a transaction of its own within the module's."""


@pytest.fixture(scope="module")
def manager(made_once):
    return new_user("manager", Role.MANAGER, Team.objects.create(name="Charter desk"))


@pytest.fixture(scope="module")
def lead(manager):
    return Lead.objects.create(company_name="Lincoln High School Band", contact_name="Ann", assigned_to=manager)


@pytest.fixture(scope="module")
def unchanged_fields(manager, lead):
    """The values that a browser submits from the lead's page if the user changes none."""
    client = Client()
    client.force_login(manager)
    page = client.get(reverse("admin:sales_lead_change", args=[lead.pk])).content.decode()
    return untouched(page)


@pytest.fixture
def save(browse, manager, lead, unchanged_fields):
    """Saves the lead's page with some values changed."""
    client, url = browse(manager), reverse("admin:sales_lead_change", args=[lead.pk])
    return lambda values: client.post(url, unchanged_fields | values)


@pytest.mark.parametrize(("name", "value"), REFUSED)
def test_the_api_and_the_page_refuse_the_value(api, manager, save, lead, name, value):
    row_before = Lead.objects.values().get(pk=lead.pk)
    response = api(manager).patch(f"/api/v1/sales/leads/{lead.pk}", {name: value}, format="json")
    assert response.status_code == 400
    assert list(response.json()) == [name]
    page = save(get_form_values(name, value))
    assert page.status_code == 200
    assert list(page.context["adminform"].form.errors) == [name]
    assert Lead.objects.values().get(pk=lead.pk) == row_before


@pytest.mark.parametrize(("name", "value"), ACCEPTED)
def test_the_api_and_the_page_accept_the_value(api, manager, save, lead, name, value):
    assert save(get_form_values(name, value)).status_code == 302
    saved_by_page = Lead.objects.values().get(pk=lead.pk)[name]
    Lead.objects.filter(pk=lead.pk).update(**{name: Lead._meta.get_field(name).get_default()})
    assert api(manager).patch(f"/api/v1/sales/leads/{lead.pk}", {name: value}, format="json").status_code == 200
    saved_by_api = Lead.objects.values().get(pk=lead.pk)[name]
    assert str(saved_by_page).replace("\r\n", "\n") == str(saved_by_api)


@pytest.mark.parametrize("name", ["estimated_passengers", "vehicles_needed"])
def test_the_page_refuses_zero_passengers_and_vehicles(save, name):
    """A user leaves an unknown number empty. The API accepts 0."""
    response = save({name: "0"})
    assert list(response.context["adminform"].form.errors) == [name]


def test_unchanged_values_are_not_validated_again(browse, manager, lead):
    """The other fields of a row that plain SQL or earlier rules let in can still be changed."""
    Lead.objects.filter(pk=lead.pk).update(email="pat@@x", company_name="Two\nlines", estimated_passengers=0)
    url, client = reverse("admin:sales_lead_change", args=[lead.pk]), browse(manager)
    page = untouched(client.get(url).content.decode())
    assert client.post(url, page | {"notes": "New"}).status_code == 302
    lead.refresh_from_db()
    assert lead.email == "pat@@x"
    assert lead.company_name == "Two\nlines"
    assert lead.notes == "New"


# By model, a field of its form that holds one line.
FIELDS_BY_MODEL = {
    "accounts_user": "full_name",
    "accounts_team": "name",
    "sales_leadsource": "name",
    "sales_cadence": "name",
    "sales_intakeform": "name",
    "sales_activity": "description",
    "sales_assignmentrule": "rule_name",
    "sales_lostreason": "label",
    "django_celery_beat_periodictask": "name",
}


@pytest.mark.parametrize(("model", "name"), FIELDS_BY_MODEL.items())
@pytest.mark.parametrize("value", WRONG_LINES[:-1])
def test_a_wrong_line_is_refused_by_every_form(browse, admin, model, name, value):
    response = browse(admin).post(reverse(f"admin:{model}_add"), {name: value})
    assert response.status_code == 200
    assert name in response.context["adminform"].form.errors
