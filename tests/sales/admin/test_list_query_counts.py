"""No list of the admin takes more queries with more rows."""

import pytest
from django.contrib import admin
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from athena.accounts.models import Team
from athena.accounts.roles import Role
from sales.models import LeadSource, SourceSpend
from tests.fixtures import new_user
from tests.sales.admin.eventful_lead import create_eventful_lead

# Without the two kinds of schedules that nobody uses.
MODELS = sorted(
    model._meta.label
    for model in admin.site._registry
    if model._meta.model_name not in ("clockedschedule", "solarschedule")
)


@pytest.fixture(scope="module")
def counts(made_once):
    """By model, the numbers of queries that its list takes for an admin with 1 and with 21 rows of everything."""
    desk = Team.objects.create(name="Charter desk")
    people = new_user("maria", team=desk), new_user("tom", team=desk), new_user("manager", Role.MANAGER, desk)
    client, counts_by_label = Client(), {label: [] for label in MODELS}
    client.force_login(new_user("admin", Role.ADMIN))
    client.get(reverse("admin:index"))
    SourceSpend.objects.create(source=LeadSource.objects.create(name="Fair"), month="2026-01-01", amount=10)
    for row_count in (1, 20):
        for _ in range(row_count):
            create_eventful_lead(*people)
        for label in MODELS:
            with CaptureQueriesContext(connection) as captured:
                response = client.get(reverse(f"admin:{label.lower().replace('.', '_')}_changelist"))
            assert response.status_code == 200
            counts_by_label[label].append(len(captured))
    return counts_by_label


@pytest.mark.parametrize("label", MODELS)
def test_a_list_takes_the_same_number_of_queries_for_one_row_and_for_many(counts, label):
    assert counts[label][0] == counts[label][1] <= 20
