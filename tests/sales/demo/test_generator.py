"""The demo's rows add up: whole tables are held against what the services would have kept."""

from datetime import UTC, date, datetime, time

import pytest
from django.db import transaction
from django.db.models import Count, Exists, F, Max, Min, OuterRef, Q, Subquery, Sum, Window
from django.db.models.functions import Coalesce, Lag

from athena.accounts.models import Team, User
from notifications.models import Notification
from sales import schedule
from sales.demo import generator, people
from sales.models import (
    Activity,
    FieldChange,
    FollowUp,
    Lead,
    LeadScoreHistory,
    LeadScoringRule,
    LeadSource,
    LeadTransfer,
    SourceSpend,
    TransferBatch,
)
from sales.models.lead import CLOSED_STATUSES
from sales.services.follow_ups import reminders
from sales.services.scoring import scores

TODAY = date(2026, 11, 23)
MORNING = datetime(2026, 11, 23, 5, tzinfo=UTC)  # midnight in New York
SYSTEM = (Activity.Type.STATUS_CHANGE, Activity.Type.TRANSFER)


@pytest.fixture(scope="module", params=[200, 90], ids=["told", "copied"])
def loaded(request, django_db_setup, django_db_blocker):
    """The demo, loaded once for all tests: every lead told, and 90 told ones of which the others are copies."""
    with pytest.MonkeyPatch.context() as patch, django_db_blocker.unblock(), transaction.atomic():
        patch.setattr(generator, "MAX_HISTORIES", request.param)
        generator.load(today=TODAY, leads=200)
        yield
        transaction.set_rollback(True)


@pytest.fixture(autouse=True)
def demo(loaded, db):
    """The demo, as it is after each test's changes are rolled back."""


def of_lead(queryset, value):
    """A lead's aggregate of its rows."""
    return Subquery(queryset.filter(lead=OuterRef("pk")).order_by().values("lead").annotate(it=value).values("it"))


def test_the_first_four_leads():
    leads = list(Lead.objects.filter(pk__lte=4).order_by("pk"))
    admin = User.objects.get(pk=people.ADMIN)
    assert [lead.assigned_to_id for lead in leads] == [people.WEI, people.MANAGER, people.WEI, people.MANAGER]
    assert Lead.objects.visible_to(admin).open().filter(pk__lte=4).count() == 4
    assert Lead.objects.filter(
        pk__lte=4, score__gte=50, pickup_at__gt=MORNING, next_follow_up_date__isnull=False
    ).count() == len(leads)
    assert not LeadTransfer.objects.filter(lead__in=leads).exists()


def test_repeat_clients_have_booked_before():
    booked = Lead.objects.filter(status="won", closed_at__lte=OuterRef("created_at"))
    same = Q(email_normalised=OuterRef("email_normalised")) | Q(
        phone_normalised=OuterRef("phone_normalised"), phone_normalised__gt=""
    )
    assert not Lead.objects.exclude(is_repeat=Exists(booked.filter(same))).exists()


def test_scores_are_the_sum_of_their_history():
    total = Coalesce(of_lead(LeadScoreHistory.objects, Sum("points_changed")), 0)
    assert not Lead.objects.exclude(score=total).exists()
    before = Coalesce(Window(Lag("new_score"), partition_by="lead", order_by=["changed_at", "id"]), 0)
    assert not LeadScoreHistory.objects.annotate(before=before).exclude(old_score=F("before")).exists()
    assert not Lead.objects.exclude(
        Q(score_updated_at=of_lead(LeadScoreHistory.objects, Max("changed_at")))
        | Q(score_updated_at__isnull=True, score_history__isnull=True)
    ).exists()


def test_scores_changed_when_the_client_did_something():
    assert not LeadScoreHistory.objects.exclude(
        Q(reason="New lead", changed_at=F("lead__created_at"), activity__isnull=True)
        | Q(reason__startswith="Activity: ", changed_at=F("activity__occurred_at"), lead=F("activity__lead"))
    ).exists()
    assert LeadScoreHistory.objects.filter(activity__isnull=False).count() > 100


def test_scores_are_what_the_rules_give():
    """Those of closed leads too: reopened, they would score the same."""
    Lead.objects.filter(status__in=CLOSED_STATUSES).update(status="quoted")
    assert scores.rescore(lead_ids=range(1, 201), by=None, reason="Again") == 0


@pytest.mark.parametrize("rule", range(1, 9))
def test_every_rule_fires(rule):
    """Without it, some scores would be others."""
    LeadScoringRule.objects.filter(pk=LeadScoringRule.objects.order_by("pk")[rule - 1].pk).update(is_active=False)
    assert scores.rescore(lead_ids=range(1, 201), by=None, reason="Without it") >= 3


def test_the_owner_is_who_got_it_last():
    last = LeadTransfer.objects.filter(lead=OuterRef("pk")).order_by("-transferred_at", "-pk").values("to_user")[:1]
    moved = Lead.objects.filter(transfers__isnull=False).distinct()
    assert moved.count() >= 20
    assert not moved.exclude(assigned_to=Subquery(last)).exists()
    given = Window(Lag("to_user"), partition_by="lead", order_by=["transferred_at", "id"])
    first = Window(Lag("id"), partition_by="lead", order_by=["transferred_at", "id"])
    later = LeadTransfer.objects.annotate(given=given, first=first).filter(first__isnull=False)
    assert later.count() >= 3
    assert not later.exclude(from_user=F("given")).exists()


def test_transfers_have_batches_and_activities():
    facts = LeadTransfer.objects.order_by("lead_id", "transferred_at", "pk")
    assert not facts.exclude(
        batch__by=F("transferred_by"), batch__reason=F("transfer_reason"), batch__created_at=F("transferred_at")
    ).exists()
    logged = Activity.objects.filter(activity_type="transfer").order_by("lead_id", "occurred_at", "pk")
    assert list(logged.values_list("lead", "user", "occurred_at", "notes")) == list(
        facts.values_list("lead", "transferred_by", "transferred_at", "transfer_reason")
    )
    assert TransferBatch.objects.annotate(size=Count("transfers")).filter(size__gte=2).count() == 2
    assert not TransferBatch.objects.filter(transfers__isnull=True).exists()


def test_follow_ups_move_with_their_lead():
    earlier = LeadTransfer.objects.filter(lead=OuterRef("lead"), from_user=OuterRef("assigned_to"))
    left_behind = FollowUp.objects.open().filter(Exists(earlier)).exclude(assigned_to=F("lead__assigned_to"))
    assert not left_behind.exists()


def test_follow_ups_are_whole():
    for follow_up in FollowUp.objects.select_related("assigned_to"):
        due = schedule.get_due_at(follow_up.assigned_to, follow_up.scheduled_date, follow_up.scheduled_time)
        assert follow_up.due_at == due
    assert not FollowUp.objects.exclude(first_scheduled_date__lte=F("scheduled_date")).exists()
    assert not FollowUp.objects.exclude(created_at__gte=F("lead__created_at"), created_at__lt=MORNING).exists()
    done = FollowUp.objects.filter(completed=True)
    assert not done.exclude(
        activity__occurred_at=F("completed_at"),
        activity__follow_up=F("pk"),
        activity__lead=F("lead"),
        activity__activity_type=F("follow_up_type"),
        activity__direction="outbound",
        activity__user=F("completed_by"),
        completed_by=F("assigned_to"),
        completed_at__gt=F("created_at"),
        completed_at__lt=MORNING,
    ).exists()
    assert not done.filter(completed_at__date__lt=F("scheduled_date")).exists()
    cancelled = FollowUp.objects.filter(cancelled_at__isnull=False)
    assert cancelled.filter(lead__status__in=CLOSED_STATUSES).count() >= 20
    assert not cancelled.exclude(cancelled_at__gt=F("created_at"), cancelled_at__lt=MORNING).exists()
    assert not cancelled.filter(cancel_reason="").exists()


def test_a_closed_lead_has_nothing_open():
    closed = Lead.objects.filter(status__in=CLOSED_STATUSES)
    assert not FollowUp.objects.open().filter(lead__in=closed).exists()
    assert not closed.filter(Q(closed_at__isnull=True) | Q(next_follow_up_date__isnull=False)).exists()
    assert not closed.filter(status="won", booked_value__isnull=True).exists()
    assert not closed.filter(status="won", lost_reason__isnull=False).exists()
    assert not closed.filter(status="lost", booked_value__isnull=False).exists()
    assert not closed.filter(closed_at__gte=F("pickup_at")).exists()
    assert not Lead.objects.open().filter(Q(closed_at__isnull=False) | Q(lost_reason__isnull=False)).exists()


def test_what_leads_say_of_their_follow_ups():
    done, last = FollowUp.objects.filter(completed=True), Q(follow_up_count=0, last_follow_up_date__isnull=True)
    following = of_lead(FollowUp.objects.open(), Min("due_at"))
    leads = Lead.objects.annotate(following=following)
    assert not leads.filter(next_follow_up_date__isnull=True, following__isnull=False).exists()
    assert not leads.filter(next_follow_up_date__isnull=False).exclude(next_follow_up_date=F("following")).exists()
    assert not Lead.objects.exclude(follow_up_count=Coalesce(of_lead(done, Count("pk")), 0)).exists()
    assert not Lead.objects.exclude(Q(last_follow_up_date=of_lead(done, Max("completed_at"))) | last).exists()


def test_what_leads_say_of_their_activities():
    told = Activity.objects.exclude(activity_type__in=SYSTEM)
    assert not Lead.objects.exclude(last_activity_at=of_lead(told, Max("occurred_at"))).exists()
    contact = Activity.objects.filter(direction="outbound", activity_type__in=["call", "email", "meeting", "quote"])
    leads = Lead.objects.annotate(first=of_lead(contact, Min("occurred_at")))
    assert not leads.filter(first_contacted_at__isnull=True, first__isnull=False).exists()
    assert not leads.filter(first_contacted_at__isnull=False).exclude(first_contacted_at=F("first")).exists()
    assert not Activity.objects.exclude(occurred_at__gte=F("lead__created_at"), occurred_at__lt=MORNING).exists()


def test_statuses_are_the_last_that_were_entered():
    changes = list(FieldChange.objects.filter(field="status").order_by("lead_id", "at", "pk"))
    logged = Activity.objects.filter(activity_type="status_change").order_by("lead_id", "occurred_at", "pk")
    assert [(c.lead_id, {"from": c.old, "to": c.new}, c.at, c.by_id) for c in changes] == list(
        logged.values_list("lead", "data", "occurred_at", "user")
    )
    status = dict.fromkeys(Lead.objects.values_list("pk", flat=True), "new")
    reached: dict[tuple[int, str], datetime] = {}
    for change in changes:
        assert status[change.lead_id] == change.old
        status[change.lead_id] = change.new
        reached[change.lead_id, change.new] = change.at
    for lead in Lead.objects.all():
        assert lead.status == status[lead.pk]
        assert lead.qualified_at == reached.get((lead.pk, "qualified"))
        assert lead.quoted_at == reached.get((lead.pk, "quoted"))
        assert lead.closed_at == reached.get((lead.pk, "won"), reached.get((lead.pk, "lost")))
        stages = [lead.created_at, lead.first_contacted_at, lead.qualified_at, lead.quoted_at, lead.closed_at]
        reached_stages = [at for at in stages if at]
        assert reached_stages == sorted(reached_stages)


@pytest.mark.parametrize("field", ["quote_amount", "quote_valid_until", "booked_value", "lost_reason"])
def test_fields_have_the_value_they_were_last_given(field):
    last: dict[int, object] = {}
    for change in FieldChange.objects.filter(field=field).order_by("at", "pk"):
        last[change.lead_id] = change.new
    values = {}
    for pk, value in Lead.objects.exclude(**{field: None}).values_list("pk", field):
        values[pk] = value.isoformat() if isinstance(value, date) else value
    assert values == last
    assert len(values) >= 50


def test_nobody_is_reminded():
    assert not FollowUp.objects.exclude(remind_at__isnull=True, reminder_sent=False).exists()
    assert reminders.fill_derived_columns() == 0
    assert reminders.send_due_reminders() == 0
    assert not Notification.objects.exists()


def test_the_next_row_gets_the_next_id():
    user = User.objects.get(pk=people.MARIA)
    lead = Lead.objects.create(company_name="The next one", assigned_to=user)
    batch = TransferBatch.objects.create()
    made = [
        Team.objects.create(name="Night desk"),
        User.objects.create(email="next@example.com", full_name="Next"),
        LeadSource.objects.create(name="Radio"),
        SourceSpend.objects.create(source_id=1, month=date(2026, 1, 1), amount=1),
        FollowUp.objects.create(lead=lead, follow_up_type="call", scheduled_date=TODAY, assigned_to=user),
        Activity.objects.create(lead=lead, activity_type="note"),
        FieldChange.objects.create(lead=lead, field="status"),
        LeadTransfer.objects.create(lead=lead, batch=batch, to_user=user),
        batch,
    ]
    assert lead.pk == 201
    for row in made:
        assert row.pk == type(row)._default_manager.aggregate(highest=Max("pk"))["highest"]
        assert type(row)._default_manager.filter(pk=row.pk - 1).exists()


def test_days_of_work():
    """People do things in the office's hours; only trips that are very near make them work at odd times."""
    zone = schedule.company_zone()
    done = [at.astimezone(zone) for at in FollowUp.objects.values_list("completed_at", flat=True) if at]
    odd = [at for at in done if at.weekday() >= 5 or not time(8) <= at.time() <= time(18)]
    assert len(odd) <= len(done) // 50
