"""A save that is refused changes nothing that the page says about the row as it is."""

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
def refused(browse, manager):
    """Sends the page of a row with values that can't be saved; gives the page that comes back."""

    def send(row, **values):
        url = reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])
        client = browse(manager)
        response = client.post(url, untouched(client.get(url).content.decode()) | values)
        assert response.status_code == 200
        return response

    return send


def head(response):
    """The page's title, its path and its headings."""
    text = response.content.decode()
    parts = (
        "title>.*?</title",
        "h1.*?</h1",
        "h2>.*?</h2",
        'div class="breadcrumbs".*?</div',
        "header class.*?</header",
    )
    return " ".join(re.findall(f"(?s)<(?:{'|'.join(parts)})>", text))


def test_the_head_of_a_page_shows_what_is_saved(refused, make_lead, manager):
    lead = make_lead(company_name="Band", assigned_to=manager)
    plan = FollowUp.objects.create(lead=lead, follow_up_type="call", scheduled_date="2099-01-05", assigned_to=manager)
    for row, values, typed, saved in (
        (lead, {"status": "lost", "company_name": "Typed", "notes": "Kept"}, ("Typed", "Lost", "status-lost"), "Band"),
        (plan, {"follow_up_type": "email", "scheduled_date": "1999-01-01"}, ("Email", "1999"), "Call on Mon 5 Jan"),
        (LeadSource.objects.create(name="Fair"), {"name": "Typed", "unit_cost": "-1"}, ("Typed",), "Fair"),
        (Cadence.objects.create(name="Slow"), {"name": "Typed" * 30}, ("Typed",), "Slow"),
    ):  # fmt: skip
        response = refused(row, **values)
        assert saved in head(response)
        assert [word for word in typed if word in head(response)] == []
        assert all(value in response.content.decode() for value in values.values())


@pytest.mark.parametrize(
    ("service", "name", "model", "message"),
    [
        (sources, "save", "source", "UNIQUE constraint failed: lead_sources.name"),
        (cadences, "save", "cadence", "UNIQUE constraint failed: cadences.name"),
        (leads, "update", "lead", "CHECK constraint failed: leads_quote_amount"),
    ],
)
def test_what_the_database_alone_knows_is_said_beside_the_field(
    refused, monkeypatch, make_lead, manager, service, name, model, message
):
    """As when somebody else took the name between the look and the write."""
    rows = {
        "lead": lambda: make_lead(assigned_to=manager),
        "source": lambda: LeadSource.objects.create(name="Fair"),
        "cadence": lambda: Cadence.objects.create(name="Slow"),
    }

    def fail(**_):
        raise IntegrityError(message)

    monkeypatch.setattr(service, name, fail)
    field = {"lead": "quote_amount"}.get(model, "name")
    response = refused(rows[model](), **{field: "77"})
    assert list(response.context["adminform"].form.errors) == [field]


def test_a_date_without_a_time_is_told_what_lacks_and_the_cursor_is_there(refused, make_lead, manager):
    lead = make_lead(assigned_to=manager)
    for sent, message, empty in (
        ({"pickup_at_0": "2027-05-01"}, "Enter the time, too.", "pickup_at_1"),
        ({"pickup_at_1": "08:30"}, "Enter the date, too.", "pickup_at_0"),
    ):
        response = refused(lead, **sent)
        assert response.context["adminform"].form.errors == {"pickup_at": [message]}
        (focused,) = re.findall(r"<input[^>]*autofocus[^>]*>", response.content.decode())
        assert f'name="{empty}"' in focused
        assert all(value in response.content.decode() for value in sent.values())
