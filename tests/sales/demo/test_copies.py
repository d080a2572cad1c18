"""Copies of the told histories: exactly as many, of other clients, each with all of its own."""

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

TODAY, MAX_HISTORIES, LEADS = date(2026, 11, 23), 50, 180  # three whole rounds, and 30 of a fourth
STORY = (FollowUp, Activity, FieldChange, LeadTransfer, LeadScoreHistory)


@pytest.fixture(scope="module")
def loaded(django_db_setup, django_db_blocker):
    """The demo, loaded once for this file. Gives what the progress was told."""
    done: list[int] = []
    with pytest.MonkeyPatch.context() as patch, django_db_blocker.unblock(), transaction.atomic():
        patch.setattr(generator, "MAX_HISTORIES", MAX_HISTORIES)
        patch.setattr(copies, "LEADS_PER_STATEMENT", MAX_HISTORIES)
        generator.load(today=TODAY, leads=LEADS, progress=done.append)
        yield done
        transaction.set_rollback(True)


@pytest.fixture(autouse=True)
def demo(loaded, db):
    """The demo, as it is after each test's changes are rolled back."""


def test_exactly_as_many_leads(loaded):
    assert list(Lead.objects.order_by("pk").values_list("pk", flat=True)) == list(range(1, LEADS + 1))
    assert loaded == [50, 100, 150, 180]


@pytest.mark.parametrize("model", STORY, ids=lambda model: model.__name__)
def test_a_copy_has_all_that_its_story_has(model):
    """Every column but keys, references and names, in the order of the rows."""
    names = {field.attname for field in model._meta.concrete_fields}
    same = sorted(names - {"id", "lead_id", "activity_id", "follow_up_id", "batch_id"})

    def rows_of(lead_id):
        return list(model.objects.filter(lead=lead_id).order_by("pk").values_list(*same))

    told = {number: rows_of(number) for number in range(1, MAX_HISTORIES + 1)}
    assert sum(map(len, told.values())) > 0
    for number in range(MAX_HISTORIES + 1, LEADS + 1):
        assert rows_of(number) == told[(number - 1) % MAX_HISTORIES + 1]


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


def test_clients_are_others():
    leads = list(Lead.objects.order_by("pk"))
    told, copied = leads[:MAX_HISTORIES], leads[MAX_HISTORIES:]
    for name in ("email_normalised", "phone_normalised"):
        assert not {getattr(lead, name) for lead in copied} & {getattr(lead, name) for lead in told} - {""}
    assert not {str(lead) for lead in copied} & {str(lead) for lead in told}
    for lead in leads:
        assert (lead.email_normalised, lead.phone_normalised) == (
            normalization.normalize_email(lead.email), normalization.normalize_phone(lead.phone),
        )  # fmt: skip


def test_each_client_is_found_by_name_address_and_number():
    for lead in Lead.objects.all():
        for asked in filter(None, (f"{lead}", lead.email, lead.phone)):
            assert lead in Lead.objects.search(asked), asked


def test_scores_are_what_the_rules_give_and_nothing_is_left_to_do():
    assert scores.rescore(lead_ids=range(1, LEADS + 1), by=None, reason="Again") == 0
    assert reminders.fill_derived_columns() == 0
    assert not Notification.objects.exists()


def test_what_comes_next_gets_the_next_id():
    for model in (Lead, *STORY):
        last = model.objects.order_by("-pk").first()
        last.pk = None
        if model is Lead:
            last.save()
            assert last.pk == LEADS + 1
        else:
            model.objects.bulk_create([last])


def test_nothing_that_belongs_to_a_lead_is_forgotten():
    """A new table about leads has to be copied, too (but for what services alone write later)."""
    about = {
        model for model in apps.get_app_config("sales").get_models()
        for field in model._meta.concrete_fields if field.related_model is Lead
    }  # fmt: skip
    assert about - {ImportRow, Inquiry, NotDuplicate} <= set(copies.COPIED_MODELS)
