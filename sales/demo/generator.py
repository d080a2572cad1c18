"""Writes the demo into an empty database, all of it or nothing.

The first leads have stories of their own, inserted a thousand leads at a time; beyond `TOLD`, the rest are copies of
them, which the database makes itself (`copies.py`).
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
from sales.demo.context import World, dice
from sales.demo.lead_history import Story
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
GROWTH = 1.5  # over 1, there are more leads each month than the month before
CHUNK = 1000
TOLD = 2000
MOST = 1_000_000
FEWEST = len(inquiries.FEATURED)
OPENS, HOURS = time(8), 11  # when inquiries come in
HEARD = "Activity"


class DatabaseInUse(errors.Conflict):
    code = "database_in_use"
    message = "There are users already: demo data goes into an empty database only."


@transaction.atomic
def load(*, today: date, leads: int, progress: Callable[[int], None] = lambda done: None) -> None:
    """The accounts, the sources and `leads` leads with their stories, as they stand on the morning of `today`.

    The same day gives the same rows, but for the salts of the passwords. Nobody is reminded of demo follow-ups.
    `progress` is told how many leads there are by now. Raises `DatabaseInUse`.
    """
    if User.objects.exists():
        raise DatabaseInUse
    since = datetime.combine(today - timedelta(days=2 * DAYS), OPENS, schedule.company_zone())
    world = World(today, people.create(since=since))
    sources.create(dice("spend"), first=today - timedelta(days=DAYS), last=today, since=since)
    told = min(leads, TOLD)
    for first in range(1, told + 1, CHUNK):
        numbers = range(first, min(first + CHUNK, told + 1))
        _write(world, [_story(world, number, told) for number in numbers])
        progress(numbers[-1])
    if leads > told:
        copies.multiply(told, leads, progress)
    _reset_sequences(
        *(Team, User, LeadSource, SourceSpend, Lead, FollowUp, Activity, FieldChange, LeadTransfer, TransferBatch),
        *(LeadScoreHistory, CadenceEnrolment, IntakeForm),
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")  # plans are made by how many rows there are


def _story(world: World, number: int, of: int) -> Story:
    story = inquiries.begin(world, number, _asked_at(world, number, of))
    sale_course.tell(story, undecided=number <= FEWEST)
    if story.status == Lead.Status.WON:
        world.booked.append((story.at, story.kind, story.client))
    return story


def _asked_at(world: World, number: int, of: int) -> datetime:
    """When the `number`th lead came in: in the order of their numbers, in daytime, more and more of them."""
    share = (of - number + dice("asked", number).random()) / of
    days, fraction = divmod(DAYS * share**GROWTH, 1)
    clock = OPENS.hour * 60 + (1 - fraction) * HOURS * 60
    return world.days_ago(int(days) + 1, time(int(clock // 60), int(clock % 60)))


def _write(world: World, stories: list[Story]) -> None:
    leads = Lead.objects.filter(pk__range=(stories[0].lead.pk, stories[-1].lead.pk))
    for story in stories:
        story.lead.updated_at = story.at
        if story.lead.closed_at is None:
            story.lead.status = story.status
    search_index.index_leads(Lead.objects.bulk_create(world.take(Lead)))
    _mark_repeat_clients(leads)
    _score(leads, stories)
    for follow_up in world.rows[FollowUp]:
        assignee = world.users[follow_up.assigned_to_id]
        follow_up.due_at = schedule.get_due_at(assignee, follow_up.scheduled_date, follow_up.scheduled_time)
        follow_up.overdue_no = follow_up.escalated_no = follow_up.reminder_no  # nobody is told of what is made up
    heard = {activity.pk for story in stories for activity in story.engaged}
    TransferBatch.objects.bulk_create(world.take(TransferBatch))
    LeadTransfer.objects.bulk_create(world.take(LeadTransfer))
    FollowUp.objects.bulk_create(world.take(FollowUp))
    Activity.objects.bulk_create(row for row in world.take(Activity) if row.pk not in heard)
    _link(leads)
    FieldChange.objects.bulk_create(world.take(FieldChange))
    _close(leads)
    planning.refresh_next_dates(leads)


def _mark_repeat_clients(leads: QuerySet[Lead]) -> None:
    """A client is a repeat client who had booked, by the same e-mail address or telephone, before they asked."""
    booked = Lead.objects.filter(closed_at__lte=OuterRef("created_at"), lost_reason__isnull=True).order_by()
    by_email = booked.filter(email_normalised=OuterRef("email_normalised"))
    by_phone = booked.filter(phone_normalised=OuterRef("phone_normalised")).exclude(phone_normalised="")
    leads.filter(Exists(by_email) | Exists(by_phone)).update(is_repeat=True)


def _score(leads: QuerySet[Lead], stories: list[Story]) -> None:
    """Score the leads as the rules say: as they came in, and again after each thing that the client did."""
    scores.rescore(lead_ids=[story.lead.pk for story in stories], by=None, reason="New lead")
    history = LeadScoreHistory.objects.filter(lead__in=leads.order_by().values("pk"))
    history.update(changed_at=Subquery(Lead.objects.filter(pk=OuterRef("lead")).values("created_at")))
    for wave in zip_longest(*(story.engaged for story in stories)):
        heard = Activity.objects.bulk_create(activity for activity in wave if activity)
        scores.rescore(lead_ids=[activity.lead_id for activity in heard], by=None, reason=HEARD)
        _name_cause(history.filter(reason=HEARD))
    changes = LeadScoreHistory.objects.filter(lead=OuterRef("pk")).order_by().values("lead")
    leads.update(score_updated_at=Subquery(changes.annotate(at=Max("changed_at")).values("at")))


def _name_cause(history: QuerySet[LeadScoreHistory]) -> None:
    """These changes came from their leads' newest activity, at its time."""
    newest = Activity.objects.filter(lead=OuterRef("lead")).order_by("-occurred_at", "-pk")
    history.update(
        activity=Subquery(newest.values("pk")[:1]),
        user=Subquery(newest.values("user")[:1]),
        changed_at=Subquery(newest.values("occurred_at")[:1]),
        reason=Left(Concat(Value("Activity: "), Subquery(newest.values("description")[:1])), 255),
    )


def _link(leads: QuerySet[Lead]) -> None:
    """Name the activity that completing each follow-up wrote.

    Afterwards, because the two name each other: while foreign keys wait for their rows, SQLite looks for each new
    activity in all follow-ups.
    """
    completed = FollowUp.objects.filter(lead__in=leads.order_by().values("pk"), completed=True)
    completed.update(activity=Subquery(Activity.objects.filter(follow_up=OuterRef("pk")).values("pk")[:1]))


def _close(leads: QuerySet[Lead]) -> None:
    """The sales that have ended are closed now: scores of closed leads stay as they are."""
    ended = leads.filter(closed_at__isnull=False)
    ended.filter(lost_reason__isnull=True).update(status=Lead.Status.WON)
    ended.filter(lost_reason__isnull=False).update(status=Lead.Status.LOST)


def _reset_sequences(*models: type[Model]) -> None:
    """Let the next row of each table get the next id: the demo's rows have brought their own."""
    with connection.cursor() as cursor:
        for statement in connection.ops.sequence_reset_sql(no_style(), list(models)):
            cursor.execute(statement)
