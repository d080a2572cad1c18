"""Writes the demo into an empty database, in one transaction.

The first `MAX_HISTORIES` leads have histories of their own, which are inserted a thousand leads at a time. All others
are copies of them, which the database makes itself (`copies.py`).
"""

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from itertools import zip_longest

from django.core.management.color import no_style
from django.db import connection, transaction
from django.db.models import Exists, Max, Model, OuterRef, QuerySet, Subquery, Value
from django.db.models.functions import Concat, Left

from athena.accounts.models import Team, User
from sales import errors, schedule
from sales.demo import copies, inquiries, people, sale_course, sources
from sales.demo.context import DemoContext, seeded_random
from sales.demo.lead_history import LeadHistory
from sales.models import (
    Activity,
    CadenceEnrolment,
    FieldChange,
    FollowUp,
    IntakeForm,
    Lead,
    LeadScoreHistory,
    LeadSource,
    LeadTransfer,
    SourceSpend,
    TransferBatch,
)
from sales.services.follow_ups import planning
from sales.services.leads import search_index
from sales.services.scoring import scores

DAYS = 365
GROWTH = 1.5  # above 1, each month has more leads than the month before
CHUNK = 1000
MAX_HISTORIES = 2000
MAX_LEADS = 1_000_000
MIN_LEADS = len(inquiries.FEATURED)
FIRST_INQUIRY, INQUIRY_HOURS = time(8), 11  # of a day
_INBOUND_REASON = "Activity"


class DatabaseInUse(errors.Conflict):
    code = "database_in_use"
    message = "There are users already. Load demo data into an empty database."


@transaction.atomic
def load(*, today: date, leads: int, progress: Callable[[int], None] = lambda done: None) -> None:
    """Write the accounts, the sources and `leads` leads with their histories, as of the morning of `today`.

    The same day gives the same rows, except for the salts of the passwords. Nobody is reminded of demo follow-ups.
    `progress` is called with the number of leads so far. Raises `DatabaseInUse` if there are users.
    """
    if User.objects.exists():
        raise DatabaseInUse
    since = datetime.combine(today - timedelta(days=2 * DAYS), FIRST_INQUIRY, schedule.company_zone())
    context = DemoContext(today, people.create_accounts(since=since))
    sources.create_sources(seeded_random("spend"), first=today - timedelta(days=DAYS), last=today, since=since)
    histories = min(leads, MAX_HISTORIES)
    for first in range(1, histories + 1, CHUNK):
        numbers = range(first, min(first + CHUNK, histories + 1))
        _insert(context, [_generate_history(context, number, histories) for number in numbers])
        progress(numbers[-1])
    if leads > histories:
        copies.copy_leads(histories, leads, progress)
    _reset_sequences(
        *(Team, User, LeadSource, SourceSpend, Lead, FollowUp, Activity, FieldChange, LeadTransfer, TransferBatch),
        *(LeadScoreHistory, CadenceEnrolment, IntakeForm),
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")  # the database chooses its plans by the number of rows


def _generate_history(context: DemoContext, number: int, total: int) -> LeadHistory:
    history = inquiries.start_history(context, number, _pick_arrival(context, number, total))
    sale_course.play_sale(history, undecided=number <= MIN_LEADS)
    if history.status == Lead.Status.WON:
        context.booked_clients.append((history.at, history.trip_kind, history.client))
    return history


def _pick_arrival(context: DemoContext, number: int, total: int) -> datetime:
    """When the lead with this number came in: during the day, in the order of numbers, more of them each month."""
    share = (total - number + seeded_random("asked", number).random()) / total
    days, fraction = divmod(DAYS * share**GROWTH, 1)
    clock = FIRST_INQUIRY.hour * 60 + (1 - fraction) * INQUIRY_HOURS * 60
    return context.days_ago(int(days) + 1, time(int(clock // 60), int(clock % 60)))


def _insert(context: DemoContext, histories: list[LeadHistory]) -> None:
    leads = Lead.objects.filter(pk__range=(histories[0].lead.pk, histories[-1].lead.pk))
    for history in histories:
        history.lead.updated_at = history.at
        if history.lead.closed_at is None:
            history.lead.status = history.status
    search_index.index_leads(Lead.objects.bulk_create(context.take_rows(Lead)))
    _mark_repeat_clients(leads)
    _score(leads, histories)
    for follow_up in context.rows[FollowUp]:
        assignee = context.users[follow_up.assigned_to_id]
        follow_up.due_at = schedule.get_due_at(assignee, follow_up.scheduled_date, follow_up.scheduled_time)
        follow_up.overdue_no = follow_up.escalated_no = follow_up.reminder_no  # nobody is notified about made-up leads
    inserted = {activity.pk for history in histories for activity in history.inbound_activities}
    TransferBatch.objects.bulk_create(context.take_rows(TransferBatch))
    LeadTransfer.objects.bulk_create(context.take_rows(LeadTransfer))
    FollowUp.objects.bulk_create(context.take_rows(FollowUp))
    Activity.objects.bulk_create(row for row in context.take_rows(Activity) if row.pk not in inserted)
    _link_activities(leads)
    FieldChange.objects.bulk_create(context.take_rows(FieldChange))
    _close(leads)
    planning.refresh_next_dates(leads)


def _mark_repeat_clients(leads: QuerySet[Lead]) -> None:
    """Mark the leads of clients who had booked before, with the same email or phone."""
    booked = Lead.objects.filter(closed_at__lte=OuterRef("created_at"), lost_reason__isnull=True).order_by()
    by_email = booked.filter(email_normalised=OuterRef("email_normalised"))
    by_phone = booked.filter(phone_normalised=OuterRef("phone_normalised")).exclude(phone_normalised="")
    leads.filter(Exists(by_email) | Exists(by_phone)).update(is_repeat=True)


def _score(leads: QuerySet[Lead], histories: list[LeadHistory]) -> None:
    """Score the leads by the rules: as they came in, and again after each thing that the client did."""
    scores.rescore(lead_ids=[history.lead.pk for history in histories], by=None, reason="New lead")
    changes = LeadScoreHistory.objects.filter(lead__in=leads.order_by().values("pk"))
    changes.update(changed_at=Subquery(Lead.objects.filter(pk=OuterRef("lead")).values("created_at")))
    for wave in zip_longest(*(history.inbound_activities for history in histories)):
        inbound = Activity.objects.bulk_create(activity for activity in wave if activity)
        scores.rescore(lead_ids=[activity.lead_id for activity in inbound], by=None, reason=_INBOUND_REASON)
        _set_cause(changes.filter(reason=_INBOUND_REASON))
    own_changes = LeadScoreHistory.objects.filter(lead=OuterRef("pk")).order_by().values("lead")
    leads.update(score_updated_at=Subquery(own_changes.annotate(at=Max("changed_at")).values("at")))


def _set_cause(changes: QuerySet[LeadScoreHistory]) -> None:
    """Set the newest activity of each lead as the cause of these changes, and its time as theirs."""
    newest = Activity.objects.filter(lead=OuterRef("lead")).order_by("-occurred_at", "-pk")
    changes.update(
        activity=Subquery(newest.values("pk")[:1]),
        user=Subquery(newest.values("user")[:1]),
        changed_at=Subquery(newest.values("occurred_at")[:1]),
        reason=Left(Concat(Value("Activity: "), Subquery(newest.values("description")[:1])), 255),
    )


def _link_activities(leads: QuerySet[Lead]) -> None:
    """Set the activity of each completed follow-up.

    This is done afterwards, because the two refer to each other: while foreign keys wait for their rows, SQLite looks
    for each new activity in all follow-ups.
    """
    completed = FollowUp.objects.filter(lead__in=leads.order_by().values("pk"), completed=True)
    completed.update(activity=Subquery(Activity.objects.filter(follow_up=OuterRef("pk")).values("pk")[:1]))


def _close(leads: QuerySet[Lead]) -> None:
    """Close the leads whose sale has ended. They were open until now because only open leads are scored."""
    ended = leads.filter(closed_at__isnull=False)
    ended.filter(lost_reason__isnull=True).update(status=Lead.Status.WON)
    ended.filter(lost_reason__isnull=False).update(status=Lead.Status.LOST)


def _reset_sequences(*models: type[Model]) -> None:
    """Let the next row of each table get the next id, because the demo's rows came with their own ids."""
    with connection.cursor() as cursor:
        for statement in connection.ops.sequence_reset_sql(no_style(), list(models)):
            cursor.execute(statement)
