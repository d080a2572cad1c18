"""The rows of the demo are consistent: they are what the services would have written."""

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
from sales.models.leads.lead import CLOSED_STATUSES
from sales.services.follow_ups import reminders
from sales.services.scoring import scores

TODAY = date(2026, 11, 23)
MORNING = datetime(2026, 11, 23, 5, tzinfo=UTC)  # midnight in New York
TYPES_OF_SYSTEM = (Activity.Type.STATUS_CHANGE, Activity.Type.TRANSFER)


@pytest.fixture(scope="module", params=[200, 90], ids=["generated", "copied"])
def loaded(request, django_db_setup, django_db_blocker):
    """The demo, loaded once for all tests: 200 generated leads, and 90 generated leads and 110 copies of them."""
    with pytest.MonkeyPatch.context() as patch, django_db_blocker.unblock(), transaction.atomic():
        patch.setattr(generator, "MAX_HISTORIES", request.param)
        generator.load(today=TODAY, leads=200)
        yield
        transaction.set_rollback(True)


@pytest.fixture(autouse=True)
def demo(loaded, db):
    """The loaded demo; the changes of each test are rolled back."""


def aggregate_by_lead(queryset, aggregate):
    """An aggregate of the rows that belong to a lead."""
    rows = queryset.filter(lead=OuterRef("pk")).order_by().values("lead")
    return Subquery(rows.annotate(result=aggregate).values("result"))


def test_the_first_four_leads():
    leads = list(Lead.objects.filter(pk__lte=4).order_by("pk"))
    admin = User.objects.get(pk=people.ADMIN)
    assert [lead.assigned_to_id for lead in leads] == [people.WEI, people.MANAGER, people.WEI, people.MANAGER]
    assert Lead.objects.visible_to(admin).open().filter(pk__lte=4).count() == 4
    assert min(lead.score for lead in leads) >= 50
    assert min(lead.pickup_at for lead in leads) > MORNING
    assert None not in [lead.next_follow_up_date for lead in leads]
    assert not LeadTransfer.objects.filter(lead__in=leads).exists()


def test_repeat_clients_have_booked_before():
    booked = Lead.objects.filter(status="won", closed_at__lte=OuterRef("created_at"))
    same_client = Q(email_normalised=OuterRef("email_normalised")) | Q(
        phone_normalised=OuterRef("phone_normalised"), phone_normalised__gt=""
    )
    assert not Lead.objects.exclude(is_repeat=Exists(booked.filter(same_client))).exists()


def test_scores_are_the_sum_of_their_history():
    total = Coalesce(aggregate_by_lead(LeadScoreHistory.objects, Sum("points_changed")), 0)
    assert not Lead.objects.exclude(score=total).exists()
    before = Coalesce(Window(Lag("new_score"), partition_by="lead", order_by=["changed_at", "id"]), 0)
    assert not LeadScoreHistory.objects.annotate(before=before).exclude(old_score=F("before")).exists()
    assert not Lead.objects.exclude(
        Q(score_updated_at=aggregate_by_lead(LeadScoreHistory.objects, Max("changed_at")))
        | Q(score_updated_at__isnull=True, score_history__isnull=True)
    ).exists()


def test_scores_changed_when_the_client_did_something():
    assert not LeadScoreHistory.objects.exclude(
        Q(reason="New lead", changed_at=F("lead__created_at"), activity__isnull=True)
        | Q(reason__startswith="Activity: ", changed_at=F("activity__occurred_at"), lead=F("activity__lead"))
    ).exists()
    assert LeadScoreHistory.objects.filter(activity__isnull=False).count() > 100


def test_scores_are_what_the_rules_give():
    """The scores of closed leads, too: if they are reopened, they have the same score."""
    Lead.objects.filter(status__in=CLOSED_STATUSES).update(status="quoted")
    assert scores.rescore(lead_ids=range(1, 201), by=None, reason="Again") == 0


@pytest.mark.parametrize("rule", range(1, 9))
def test_every_rule_fires(rule):
    """Without it, some scores would differ."""
    LeadScoringRule.objects.filter(pk=LeadScoringRule.objects.order_by("pk")[rule - 1].pk).update(is_active=False)
    assert scores.rescore(lead_ids=range(1, 201), by=None, reason="Without it") >= 3


def test_the_owner_is_the_receiver_of_the_last_transfer():
    last = LeadTransfer.objects.filter(lead=OuterRef("pk")).order_by("-transferred_at", "-pk").values("to_user")[:1]
    transferred = Lead.objects.filter(transfers__isnull=False).distinct()
    assert transferred.count() >= 20
    assert not transferred.exclude(assigned_to=Subquery(last)).exists()
    previous_owner = Window(Lag("to_user"), partition_by="lead", order_by=["transferred_at", "id"])
    previous_id = Window(Lag("id"), partition_by="lead", order_by=["transferred_at", "id"])
    later = LeadTransfer.objects.annotate(previous_owner=previous_owner, previous_id=previous_id)
    later = later.filter(previous_id__isnull=False)
    assert later.count() >= 3
    assert not later.exclude(from_user=F("previous_owner")).exists()


def test_transfers_have_batches_and_activities():
    transfers = LeadTransfer.objects.order_by("lead_id", "transferred_at", "pk")
    assert not transfers.exclude(
        batch__by=F("transferred_by"), batch__reason=F("transfer_reason"), batch__created_at=F("transferred_at")
    ).exists()
    activities = Activity.objects.filter(activity_type="transfer").order_by("lead_id", "occurred_at", "pk")
    assert list(activities.values_list("lead", "user", "occurred_at", "notes")) == list(
        transfers.values_list("lead", "transferred_by", "transferred_at", "transfer_reason")
    )
    assert TransferBatch.objects.annotate(size=Count("transfers")).filter(size__gte=2).count() == 2
    assert not TransferBatch.objects.filter(transfers__isnull=True).exists()


def test_follow_ups_move_with_their_lead():
    earlier = LeadTransfer.objects.filter(lead=OuterRef("lead"), from_user=OuterRef("assigned_to"))
    left_behind = FollowUp.objects.open().filter(Exists(earlier)).exclude(assigned_to=F("lead__assigned_to"))
    assert not left_behind.exists()


def test_follow_ups_are_consistent():
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
    canceled = FollowUp.objects.filter(cancelled_at__isnull=False)
    assert canceled.filter(lead__status__in=CLOSED_STATUSES).count() >= 20
    assert not canceled.exclude(cancelled_at__gt=F("created_at"), cancelled_at__lt=MORNING).exists()
    assert not canceled.filter(cancel_reason="").exists()


def test_a_closed_lead_has_no_open_follow_up():
    closed = Lead.objects.filter(status__in=CLOSED_STATUSES)
    assert not FollowUp.objects.open().filter(lead__in=closed).exists()
    assert not closed.filter(Q(closed_at__isnull=True) | Q(next_follow_up_date__isnull=False)).exists()
    assert not closed.filter(status="won", booked_value__isnull=True).exists()
    assert not closed.filter(status="won", lost_reason__isnull=False).exists()
    assert not closed.filter(status="lost", booked_value__isnull=False).exists()
    assert not closed.filter(closed_at__gte=F("pickup_at")).exists()
    assert not Lead.objects.open().filter(Q(closed_at__isnull=False) | Q(lost_reason__isnull=False)).exists()


def test_the_follow_up_columns_of_leads():
    done = FollowUp.objects.filter(completed=True)
    has_none = Q(follow_up_count=0, last_follow_up_date__isnull=True)
    next_due = aggregate_by_lead(FollowUp.objects.open(), Min("due_at"))
    leads = Lead.objects.annotate(next_due=next_due)
    assert not leads.filter(next_follow_up_date__isnull=True, next_due__isnull=False).exists()
    assert not leads.filter(next_follow_up_date__isnull=False).exclude(next_follow_up_date=F("next_due")).exists()
    assert not Lead.objects.exclude(follow_up_count=Coalesce(aggregate_by_lead(done, Count("pk")), 0)).exists()
    last_completed = aggregate_by_lead(done, Max("completed_at"))
    assert not Lead.objects.exclude(Q(last_follow_up_date=last_completed) | has_none).exists()


def test_the_activity_columns_of_leads():
    by_people = Activity.objects.exclude(activity_type__in=TYPES_OF_SYSTEM)
    assert not Lead.objects.exclude(last_activity_at=aggregate_by_lead(by_people, Max("occurred_at"))).exists()
    contacts = Activity.objects.filter(direction="outbound", activity_type__in=["call", "email", "meeting", "quote"])
    leads = Lead.objects.annotate(first=aggregate_by_lead(contacts, Min("occurred_at")))
    assert not leads.filter(first_contacted_at__isnull=True, first__isnull=False).exists()
    assert not leads.filter(first_contacted_at__isnull=False).exclude(first_contacted_at=F("first")).exists()
    assert not Activity.objects.exclude(occurred_at__gte=F("lead__created_at"), occurred_at__lt=MORNING).exists()


def test_the_status_is_that_of_the_last_change():
    changes = list(FieldChange.objects.filter(field="status").order_by("lead_id", "at", "pk"))
    activities = Activity.objects.filter(activity_type="status_change").order_by("lead_id", "occurred_at", "pk")
    assert [
        (change.lead_id, {"from": change.old, "to": change.new}, change.at, change.by_id) for change in changes
    ] == list(activities.values_list("lead", "data", "occurred_at", "user"))
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
def test_fields_have_the_value_of_the_last_change(field):
    last_values: dict[int, object] = {}
    for change in FieldChange.objects.filter(field=field).order_by("at", "pk"):
        last_values[change.lead_id] = change.new
    values = {}
    for pk, value in Lead.objects.exclude(**{field: None}).values_list("pk", field):
        values[pk] = value.isoformat() if isinstance(value, date) else value
    assert values == last_values
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
    rows = [
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
    for row in rows:
        assert row.pk == type(row)._default_manager.aggregate(highest=Max("pk"))["highest"]
        assert type(row)._default_manager.filter(pk=row.pk - 1).exists()


def test_people_work_in_office_hours():
    """Only a trip in a few hours makes them work at other times."""
    zone = schedule.company_zone()
    done = [at.astimezone(zone) for at in FollowUp.objects.values_list("completed_at", flat=True) if at]
    outside_office_hours = [at for at in done if at.weekday() >= 5 or not time(8) <= at.time() <= time(18)]
    assert len(outside_office_hours) <= len(done) // 50
