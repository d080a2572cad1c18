"""Names that differ only in case, spaces or Unicode form count as the same name.

Services compare all letters; the database's constraints compare only the case of ASCII letters.
"""

from datetime import date
from decimal import Decimal
from importlib import import_module

import pytest
from django.apps import apps
from django.db import IntegrityError, connection, transaction

from sales import errors
from sales.models import AssignmentRule, Cadence, IntakeForm, LeadScoringRule, LeadSource, SourceSpend
from sales.services import sources
from sales.services.follow_ups import cadences
from sales.services.imports import spend_import
from sales.services.leads import intake_forms
from sales.services.ownership import assignment
from sales.services.scoring import scoring_rules

RULE = {
    "rule_type": "attribute",
    "condition_field": "accessible_seats",
    "condition_operator": "at_least",
    "condition_value": "1",
    "points": 5,
}


def add_scoring_rule(by, name):
    return scoring_rules.create_rule(by=by, values=RULE | {"rule_name": name})


def add_assignment_rule(by, name):
    return assignment.create_rule(by=by, values={"rule_name": name, "position": 1, "conditions": []})


def add_source(by, name):
    return sources.create(by=by, values={"name": name})


def add_source_in_the_admin(by, name):
    source = LeadSource(name=name)
    sources.save(by=by, row=source)
    return source


def add_form(by, name):
    form = IntakeForm(name=name)
    intake_forms.save(by=by, form=form)
    return form


def add_cadence(by, name):
    cadence = Cadence(name=name)
    cadences.save(by=by, cadence=cadence, steps=[], removed=[])
    return cadence


ADD = {
    "scoring rule": (add_scoring_rule, "rule_name"),
    "assignment rule": (add_assignment_rule, "rule_name"),
    "source": (add_source, "name"),
    "source in the admin": (add_source_in_the_admin, "name"),
    "form": (add_form, "name"),
    "cadence": (add_cadence, "name"),
}


@pytest.mark.parametrize("kind", ADD)
@pytest.mark.parametrize("name", ["École de Danse", "école DE danse", "École  de\u00a0Danse", " E\u0301cole de Danse "])
def test_a_name_is_taken_in_any_case_and_spacing(manager, kind, name):
    add, field = ADD[kind]
    first = add(manager, "École de Danse")
    with pytest.raises(errors.Invalid) as refused:
        add(manager, name)
    assert list(refused.value.fields.values()) == ["This name is already taken: “École de Danse”."]
    assert list(refused.value.fields) == [field]
    assert type(first).objects.filter(**{f"{field}__contains": "anse"}).count() == 1


@pytest.mark.parametrize("kind", ADD)
def test_names_are_stored_with_single_spaces(manager, kind):
    add, field = ADD[kind]
    row = add(manager, "Church  groups" if kind != "assignment rule" else "Church groups")
    row.refresh_from_db()
    assert getattr(row, field) == "Church groups"


@pytest.mark.parametrize(
    ("model", "field", "others"),
    [
        (LeadScoringRule, "rule_name", RULE),
        (AssignmentRule, "rule_name", {"position": 1}),
        (LeadSource, "name", {}),
        (IntakeForm, "name", {}),
        (Cadence, "name", {}),
    ],
)
def test_the_database_refuses_a_name_that_differs_only_in_case(db, model, field, others):
    first_key, second_key = ({"key": "1"}, {"key": "2"}) if model is IntakeForm else ({}, {})
    model.objects.create(**others, **first_key, **{field: "Church groups"})
    with pytest.raises(IntegrityError), transaction.atomic():
        model.objects.create(**others, **second_key, **{field: "CHURCH Groups"})


def list_spend(campaign):
    return list(SourceSpend.objects.filter(campaign__icontains=campaign).values_list("campaign", "amount"))


def test_a_campaign_has_one_amount_a_month_whatever_its_case_and_spaces(manager):
    source, may = LeadSource.objects.create(name="Ads"), date(2026, 5, 1)
    for amount, campaign in enumerate(("Summer Trips", "summer  trips", " SUMMER TRIPS"), start=1):
        sources.set_spend(by=manager, source_id=source.pk, month=may, amount=Decimal(amount), campaign=campaign)
    assert list_spend("summer") == [("Summer Trips", 3)]
    text = "month,source,campaign,amount\n2026-05,Ads,summer trips,7\n2026-06,Ads,summer trips,8\n"
    assert [row.replaces for row in spend_import.plan_spend(by=manager, text=text).rows] == [3, None]
    spend_import.save_spend(by=manager, text=text)
    assert sorted(list_spend("summer")) == [("Summer Trips", 7), ("summer trips", 8)]
    twice = "month,source,campaign,amount\n2026-05,Ads,Summer trips,7\n2026-05,Ads,SUMMER Trips,8\n"
    first, second = spend_import.plan_spend(by=manager, text=twice).rows
    assert first.problems == ()
    assert second.problems == ("Line 2 is for the same month, source and campaign. Keep one of them.",)
    with pytest.raises(errors.Invalid) as refused:
        sources.save(by=manager, row=SourceSpend(source=source, month=may, amount=9, campaign="summer Trips"))
    assert list(refused.value.fields) == ["campaign"]
    with pytest.raises(IntegrityError), transaction.atomic():
        SourceSpend.objects.create(source=source, month=may, amount=9, campaign="summer Trips")


@pytest.mark.parametrize("other", ["e\u0301te\u0301  I\u0307ZMI\u0307R", "ÉTÉ İZMİR"])
def test_a_campaign_in_another_unicode_form_is_the_same(manager, other):
    source, may = LeadSource.objects.create(name="Ads"), date(2026, 5, 1)
    for amount, campaign in enumerate(("Été İzmir", other), start=1):
        sources.set_spend(by=manager, source_id=source.pk, month=may, amount=Decimal(amount), campaign=campaign)
    assert list(SourceSpend.objects.values_list("campaign", "amount")) == [("Été İzmir", 2)]
    text = f"month,source,campaign,amount\n2026-05,Ads,{other},7\n"
    assert [row.replaces for row in spend_import.plan_spend(by=manager, text=text).rows] == [2]


def test_the_migration_adds_up_spend_and_numbers_equal_names(manager):
    """Runs the functions of migration 0014 on rows that its constraints don't allow."""
    migration = import_module("sales.migrations.0014_names_and_campaigns_in_any_case")
    models = (LeadSource, SourceSpend)
    constraints = [(model, get_name_constraint(model)) for model in models]
    execute = connection.cursor().execute
    for _, constraint in constraints:
        execute(f"DROP INDEX {constraint.name}")
    names = ["ads", "Ads", "ADS", "ads (2)", "x" * 100, "X" * 100]
    lead_sources = [LeadSource.objects.create(name=name) for name in names]
    for campaign, amount in (("May", 1), ("MAY", 2), ("June", 4)):
        SourceSpend.objects.create(source=lead_sources[0], campaign=campaign, month=date(2026, 5, 1), amount=amount)
    SourceSpend.objects.create(source=lead_sources[1], campaign="may", month=date(2026, 5, 1), amount=8)
    migration.add_up_spend(apps, connection.schema_editor())
    migration.number_names(apps, connection.schema_editor())
    connection.check_constraints()
    for model, constraint in constraints:
        execute(str(constraint.create_sql(model, connection.schema_editor())))
    numbered = [LeadSource.objects.get(pk=source.pk).name for source in lead_sources]
    assert numbered == ["ads", "Ads (2)", "ADS (3)", "ads (2) (2)", "x" * 100, "X" * 96 + " (2)"]
    rows = SourceSpend.objects.order_by("source_id", "campaign").values_list("campaign", "amount")
    assert list(rows) == [("June", 4), ("May", 3), ("may", 8)]


def get_name_constraint(model):
    return next(constraint for constraint in model._meta.constraints if constraint.name.endswith("in_any_case"))
