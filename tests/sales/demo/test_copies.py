"""Copies of generated leads: the right number, with other clients, and each with rows of its own."""

from datetime import date

import pytest
from django.apps import apps
from django.db import transaction
from django.db.models import F

from notifications.models import Notification
from sales import normalization
from sales.demo import copies, generator
from sales.models import (
    Activity,
    FieldChange,
    FollowUp,
    ImportRow,
    Inquiry,
    Lead,
    LeadScoreHistory,
    LeadTransfer,
    NotDuplicate,
)
from sales.services.follow_ups import reminders
from sales.services.scoring import scores

TODAY, MAX_HISTORIES, LEADS = date(2026, 11, 23), 50, 180  # three full rounds, and 30 leads of a fourth
HISTORY_MODELS = (FollowUp, Activity, FieldChange, LeadTransfer, LeadScoreHistory)


@pytest.fixture(scope="module")
def loaded(django_db_setup, django_db_blocker):
    """The demo, loaded once for this file. Gives the counts that were passed to `progress`."""
    counts: list[int] = []
    with pytest.MonkeyPatch.context() as patch, django_db_blocker.unblock(), transaction.atomic():
        patch.setattr(generator, "MAX_HISTORIES", MAX_HISTORIES)
        patch.setattr(copies, "LEADS_PER_STATEMENT", MAX_HISTORIES)
        generator.load(today=TODAY, leads=LEADS, progress=counts.append)
        yield counts
        transaction.set_rollback(True)


@pytest.fixture(autouse=True)
def demo(loaded, db):
    """The loaded demo; the changes of each test are rolled back."""


def test_the_number_of_leads(loaded):
    assert list(Lead.objects.order_by("pk").values_list("pk", flat=True)) == list(range(1, LEADS + 1))
    assert loaded == [50, 100, 150, 180]


@pytest.mark.parametrize("model", HISTORY_MODELS, ids=lambda model: model.__name__)
def test_a_copy_has_the_same_rows(model):
    """In the same order, and with the same values, except for ids and references."""
    names = {field.attname for field in model._meta.concrete_fields}
    compared = sorted(names - {"id", "lead_id", "activity_id", "follow_up_id", "batch_id"})

    def read_rows(lead_id):
        return list(model.objects.filter(lead=lead_id).order_by("pk").values_list(*compared))

    originals = {number: read_rows(number) for number in range(1, MAX_HISTORIES + 1)}
    assert sum(map(len, originals.values())) > 0
    for number in range(MAX_HISTORIES + 1, LEADS + 1):
        assert read_rows(number) == originals[(number - 1) % MAX_HISTORIES + 1]


def test_references_stay_within_a_copy():
    assert not FollowUp.objects.exclude(activity=None).exclude(activity__lead=F("lead")).exists()
    assert not FollowUp.objects.exclude(activity=None).exclude(activity__follow_up=F("pk")).exists()
    assert not Activity.objects.exclude(follow_up=None).exclude(follow_up__lead=F("lead")).exists()
    assert not LeadScoreHistory.objects.exclude(activity=None).exclude(activity__lead=F("lead")).exists()
    for transfer in LeadTransfer.objects.filter(lead__gt=MAX_HISTORIES):
        assert transfer.batch_id > max(
            LeadTransfer.objects.filter(lead__lte=MAX_HISTORIES).values_list("batch", flat=True)
        )
    assert FollowUp.objects.filter(lead__gt=MAX_HISTORIES, completed=True, activity=None).count() == 0


def test_copies_have_other_clients():
    leads = list(Lead.objects.order_by("pk"))
    originals, copied = leads[:MAX_HISTORIES], leads[MAX_HISTORIES:]
    for name in ("email_normalised", "phone_normalised"):
        assert not {getattr(lead, name) for lead in copied} & {getattr(lead, name) for lead in originals} - {""}
    assert not {str(lead) for lead in copied} & {str(lead) for lead in originals}
    for lead in leads:
        assert lead.email_normalised == normalization.normalize_email(lead.email)
        assert lead.phone_normalised == normalization.normalize_phone(lead.phone)


def test_each_client_is_found_by_name_email_and_phone():
    for lead in Lead.objects.all():
        for text in filter(None, (f"{lead}", lead.email, lead.phone)):
            assert lead in Lead.objects.search(text), text


def test_scores_are_what_the_rules_give_and_nothing_is_left_to_do():
    assert scores.rescore(lead_ids=range(1, LEADS + 1), by=None, reason="Again") == 0
    assert reminders.fill_derived_columns() == 0
    assert not Notification.objects.exists()


def test_the_next_row_gets_the_next_id():
    for model in (Lead, *HISTORY_MODELS):
        last = model.objects.order_by("-pk").first()
        last.pk = None
        if model is Lead:
            last.save()
            assert last.pk == LEADS + 1
        else:
            model.objects.bulk_create([last])


def test_every_table_about_leads_is_copied():
    """Except for those to which only services write later."""
    models = {
        model for model in apps.get_app_config("sales").get_models()
        for field in model._meta.concrete_fields if field.related_model is Lead
    }  # fmt: skip
    assert models - {ImportRow, Inquiry, NotDuplicate} <= set(copies.COPIED_MODELS)
