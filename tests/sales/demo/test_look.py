"""The demo has something to show on every page."""

import re
from collections import Counter
from datetime import UTC, date, datetime

import pytest
from django.db import transaction
from django.db.models import F, Q

from athena.accounts.models import User
from sales import normalization
from sales.demo import generator, people
from sales.models import FollowUp, Lead, LeadSource, SourceSpend
from sales.models.leads.lead import CLOSED_STATUSES, OPEN_STATUSES

TODAY = date(2026, 11, 23)
MORNING = datetime(2026, 11, 23, 5, tzinfo=UTC)  # midnight in New York


@pytest.fixture(scope="module")
def loaded(django_db_setup, django_db_blocker):
    """The demo, loaded once for this file."""
    with django_db_blocker.unblock(), transaction.atomic():
        generator.load(today=TODAY, leads=200)
        yield
        transaction.set_rollback(True)


@pytest.fixture(autouse=True)
def demo(loaded, db):
    """The loaded demo; the changes of each test are rolled back."""


def test_the_accounts():
    assert list(User.objects.order_by("pk").values_list("pk", "email", "role", "team__name", "is_active")) == [
        (1, "admin@example.com", "admin", None, True),
        (2, "maria@example.com", "rep", "Charter desk", True),
        (3, "tom@example.com", "rep", "Charter desk", True),
        (4, "wei@example.com", "rep", "Charter desk", True),
        (5, "manager@example.com", "manager", "Charter desk", True),
        (6, "gone@example.com", "rep", "Charter desk", False),
        (7, "otto@example.com", "rep", "Airport desk", True),
    ]
    for user in User.objects.all():
        assert user.check_password(user.email.split("@")[0] + "123")
    assert not User.objects.exclude(time_zone="America/New_York", settled_zone="America/New_York").exists()


def test_leads_of_every_status_owner_and_source():
    statuses = Counter(Lead.objects.values_list("status", flat=True))
    assert statuses.total() == 200
    assert all(statuses[status] >= 5 for status in OPEN_STATUSES)
    assert all(statuses[status] >= 50 for status in CLOSED_STATUSES)
    assert Lead.objects.filter(status="lost").values("lost_reason").distinct().count() >= 6
    open_owners = Counter(Lead.objects.open().values_list("assigned_to", flat=True))
    assert open_owners.keys() == {people.MARIA, people.TOM, people.WEI, people.MANAGER, people.GONE, people.OTTO, None}
    assert Lead.objects.filter(is_repeat=True).count() >= 10
    months = {(at.year, at.month) for at in Lead.objects.values_list("created_at", flat=True)}
    assert len(months) == 13
    assert Lead.objects.values("source").distinct().count() >= 10
    assert Lead.objects.exclude(utm_campaign="").exists()


def test_leads_came_in_during_the_year():
    assert not Lead.objects.filter(Q(created_at__gte=MORNING) | Q(pickup_at__lt=F("created_at"))).exists()
    by_arrival = Lead.objects.order_by("created_at", "pk").values_list("pk", flat=True)
    assert list(by_arrival) == list(range(1, 201))


def test_emails_and_phones_are_reserved_for_fiction():
    for lead in Lead.objects.all():
        assert re.fullmatch(r"[a-z.]+@([a-z0-9]+\.)?example\.(com|org|net)", lead.email), lead.email
        assert re.fullmatch(r"(\(\d{3}\) 555-01\d\d)?", lead.phone), lead.phone
        assert lead.email_normalised == normalization.normalize_email(lead.email)
        assert lead.phone_normalised == normalization.normalize_phone(lead.phone)
        lead.clean_fields()


def test_scores_differ():
    scores = list(Lead.objects.open().values_list("score", flat=True))
    assert 0 in scores
    assert len(set(scores)) >= 10
    assert sum(score >= 50 for score in scores) >= 8


def test_follow_ups_of_every_kind():
    open_follow_ups = FollowUp.objects.open()
    assert open_follow_ups.filter(scheduled_date__lt=TODAY).count() >= 8
    assert open_follow_ups.filter(scheduled_date=TODAY, scheduled_time__isnull=True).exists()
    assert open_follow_ups.filter(scheduled_date=TODAY, scheduled_time__isnull=False).exists()
    assert open_follow_ups.filter(scheduled_date__gt=TODAY).count() >= 10
    for rep in (people.MARIA, people.TOM, people.WEI, people.OTTO):
        assert open_follow_ups.filter(assigned_to=rep).exists()
    for user in (people.MARIA, people.GONE):
        assert open_follow_ups.filter(assigned_to=user, scheduled_date__lt=TODAY).exists()
    assert Lead.objects.unplanned().exists()
    outcomes = set(FollowUp.objects.filter(completed=True).values_list("outcome", flat=True))
    assert outcomes == set(FollowUp.Outcome.values)
    assert FollowUp.objects.filter(first_scheduled_date__lt=F("scheduled_date")).count() >= 20


def test_sources_have_spend_every_month():
    assert LeadSource.objects.count() == 12
    assert LeadSource.objects.values("channel").distinct().count() >= 8
    assert set(LeadSource.objects.values_list("cost_model", flat=True)) == set(LeadSource.CostModel.values)
    months = list(SourceSpend.objects.order_by("month").values_list("month", flat=True).distinct())
    assert len(months) == 13
    assert months[0] == date(2025, 11, 1)
    assert months[-1] == date(2026, 11, 1)
    spend, leads = SourceSpend.objects.filter(source__channel="ads"), Lead.objects.filter(source__channel="ads")
    campaigns_with_spend = set(spend.values_list("source", "campaign"))
    campaigns_of_leads = set(leads.values_list("source", "campaign"))
    assert campaigns_with_spend == campaigns_of_leads
