"""After a refused save, the head of the page still shows the stored row."""

import re

import pytest
from django.db import IntegrityError
from django.urls import reverse

from sales.models import Cadence, FollowUp, LeadSource
from sales.services import sources
from sales.services.follow_ups import cadences
from sales.services.leads import leads
from tests.rights.forms import untouched


@pytest.fixture
def save_wrong_values(browse, manager):
    """Submits the page of a row with values that can't be saved, and returns the response."""

    def send(row, **values):
        url = reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])
        client = browse(manager)
        response = client.post(url, untouched(client.get(url).content.decode()) | values)
        assert response.status_code == 200
        return response

    return send


def read_head(response):
    """Return the page's title, breadcrumbs and headings."""
    text = response.content.decode()
    parts = (
        "title>.*?</title",
        "h1.*?</h1",
        "h2>.*?</h2",
        'div class="breadcrumbs".*?</div',
        "header class.*?</header",
    )
    return " ".join(re.findall(f"(?s)<(?:{'|'.join(parts)})>", text))


def test_the_head_of_a_page_shows_the_stored_values(save_wrong_values, make_lead, manager):
    lead = make_lead(company_name="Band", assigned_to=manager)
    follow_up = FollowUp.objects.create(
        lead=lead, follow_up_type="call", scheduled_date="2099-01-05", assigned_to=manager
    )
    source, cadence = LeadSource.objects.create(name="Fair"), Cadence.objects.create(name="Slow")
    for row, values, typed_words, stored_text in (
        (lead, {"status": "lost", "company_name": "Typed", "notes": "Kept"}, ("Typed", "Lost", "status-lost"), "Band"),
        (
            follow_up,
            {"follow_up_type": "email", "scheduled_date": "1999-01-01"},
            ("Email", "1999"),
            "Call on Mon 5 Jan",
        ),
        (source, {"name": "Typed", "unit_cost": "-1"}, ("Typed",), "Fair"),
        (cadence, {"name": "Typed" * 30}, ("Typed",), "Slow"),
    ):
        response = save_wrong_values(row, **values)
        assert stored_text in read_head(response)
        assert [word for word in typed_words if word in read_head(response)] == []
        assert all(value in response.content.decode() for value in values.values())


@pytest.mark.parametrize(
    ("service", "name", "model", "message"),
    [
        (sources, "save", "source", "UNIQUE constraint failed: lead_sources.name"),
        (cadences, "save", "cadence", "UNIQUE constraint failed: cadences.name"),
        (leads, "update", "lead", "CHECK constraint failed: leads_quote_amount"),
    ],
)
def test_an_error_from_the_database_is_shown_beside_the_field(
    save_wrong_values, monkeypatch, make_lead, manager, service, name, model, message
):
    """For example, if another user took the name between the check and the write."""
    rows = {
        "lead": lambda: make_lead(assigned_to=manager),
        "source": lambda: LeadSource.objects.create(name="Fair"),
        "cadence": lambda: Cadence.objects.create(name="Slow"),
    }

    def fail(**_):
        raise IntegrityError(message)

    monkeypatch.setattr(service, name, fail)
    field = {"lead": "quote_amount"}.get(model, "name")
    response = save_wrong_values(rows[model](), **{field: "77"})
    assert list(response.context["adminform"].form.errors) == [field]


def test_a_date_without_a_time_shows_an_error_and_focuses_the_empty_field(save_wrong_values, make_lead, manager):
    lead = make_lead(assigned_to=manager)
    for values, message, empty_field in (
        ({"pickup_at_0": "2027-05-01"}, "Enter the time, too.", "pickup_at_1"),
        ({"pickup_at_1": "08:30"}, "Enter the date, too.", "pickup_at_0"),
    ):
        response = save_wrong_values(lead, **values)
        assert response.context["adminform"].form.errors == {"pickup_at": [message]}
        (focused,) = re.findall(r"<input[^>]*autofocus[^>]*>", response.content.decode())
        assert f'name="{empty_field}"' in focused
        assert all(value in response.content.decode() for value in values.values())
