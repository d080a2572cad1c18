"""The course of a sale, from its first follow-up until the lead is closed or today is reached."""

from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import NamedTuple

from sales.demo import people, scripts, sources
from sales.demo.context import LEFT_DAYS_AGO, to_working_hours
from sales.demo.lead_history import QUOTE_VALIDITY, SHORT_WHILE, LeadHistory
from sales.demo.scripts import UNDECIDED, Step
from sales.models import Activity, FollowUp, Lead

Type, Outcome, Status = FollowUp.Type, FollowUp.Outcome, Lead.Status
LATEST_BEFORE_TRIP = timedelta(hours=20)
LOG_DAYS_MEAN, LOG_DAYS_DEVIATION = 3.8, 0.6  # a sale takes e to the 3.8, or 45, days in the median
MIN_OVERDUE = 2  # overdue follow-ups of each salesperson of the charter desk
TIMES = (time(9, 30), time(11), time(13, 30), time(15), time(16, 30))


class PlannedTransfer(NamedTuple):
    """A day on which the manager transferred several leads of one person to others."""

    days_ago: int
    old_owner: int
    receivers: tuple[int, ...]
    share: float
    reason: str


PLANNED_TRANSFERS = (
    PlannedTransfer(80, people.TOM, (people.WEI,), 0.8, "New England goes to Wei"),
    PlannedTransfer(LEFT_DAYS_AGO - 1, people.GONE, (people.MARIA, people.TOM), 0.4, "Gabe has left the company"),
)
COLLEAGUES = (people.MARIA, people.TOM, people.WEI)
TRANSFER_REASONS = ("Knows the client from an earlier trip", "Load balancing", "On holiday until the end of the month")


def play_sale(history: LeadHistory, *, undecided: bool) -> None:
    """Write what happened to the lead until today. An `undecided` client is still being reminded."""
    rng = history.rng
    is_returning = history.lead.source_id == sources.REPEAT.id
    end = (
        UNDECIDED if undecided else scripts.pick_ending(rng, history.trip_kind.win_rate + (0.2 if is_returning else 0))
    )
    steps = scripts.build_steps(rng, end, reminders=9 if undecided else None)
    if history.owner is None and not _assign(history):
        return
    for number, (step, pause) in enumerate(zip(steps, _pick_pauses(history, len(steps), undecided), strict=True)):
        at = _pick_time(history, history.at + pause)
        follow_up = _plan_step(history, step, at)
        _make_transfers(history, min(at, history.context.now))
        if at >= history.context.now or _has_owner_left(history, at):
            _leave_open(history, follow_up)
            return
        if rng.random() < step.answer_probability or (undecided and number == 1):
            _let_client_answer(history, at)
        if step.new_status in (Status.WON, Status.LOST) and rng.random() < 0.3:
            history.plan(scripts.AFTERWARDS, history.get_date(at) + timedelta(days=rng.randint(1, 6)), None)
        history.at = at
        _complete_step(history, follow_up, step, end)


def _pick_pauses(history: LeadHistory, steps: int, undecided: bool) -> list[timedelta]:
    """The time before each step: some hours before the first, then shares of the whole sale."""
    rng, days_ahead = history.rng, (history.trip_at - history.at) / timedelta(days=1)
    days = 420 if undecided else min(rng.lognormvariate(LOG_DAYS_MEAN, LOG_DAYS_DEVIATION), days_ahead * 0.7)
    weights = [rng.uniform(0.5, 1.5) for _ in range(steps - 1)]
    first = timedelta(hours=rng.expovariate(1 / 5))
    return [first, *(timedelta(days=days * weight / sum(weights)) for weight in weights)]


def _pick_time(history: LeadHistory, at: datetime) -> datetime:
    """The time of a step that would be at `at`: in working hours, but in any case before the trip."""
    latest = history.trip_at - LATEST_BEFORE_TRIP
    return max(min(to_working_hours(at, history.rng), latest), history.at + 2 * SHORT_WHILE)


def _assign(history: LeadHistory) -> bool:
    """Let the manager assign the lead. Returns False if it still waits for an owner."""
    rng, context = history.rng, history.context
    at = to_working_hours(history.at + timedelta(hours=rng.uniform(1, 20)), rng)
    if at >= context.now or (history.at > context.days_ago(14) and rng.random() < 0.8):
        return False
    history.transfer(rng.choice(COLLEAGUES), by=people.MANAGER, reason="From the unassigned leads", at=at)
    return True


def _plan_step(history: LeadHistory, step: Step, at: datetime) -> FollowUp:
    """Plan the follow-up for a step at `at`: mostly for that day, sometimes for an earlier one."""
    rng, done_on = history.rng, history.get_date(at)
    late = rng.choices((0, 1, 2, 4, 7), (72, 12, 8, 5, 3))[0]
    day = max(history.get_date(), done_on - timedelta(days=late))
    clock = rng.choice(TIMES) if rng.random() < 0.4 else None
    moved = rng.randint(1, 5) if rng.random() < 0.1 else 0
    first = max(history.get_date(), day - timedelta(days=moved))
    follow_up = history.plan(step, first, clock)
    if first != day:
        history.reschedule(follow_up, day, clock)
    return follow_up


def _make_transfers(history: LeadHistory, until: datetime) -> None:
    """Write the transfers until `until`: those that the manager planned, and now and then one between colleagues."""
    rng, context = history.rng, history.context
    for planned in PLANNED_TRANSFERS:
        at = context.days_ago(planned.days_ago)
        if (
            history.owner == planned.old_owner
            and history.at + SHORT_WHILE < at < until
            and rng.random() < planned.share
        ):
            history.transfer(
                rng.choice(planned.receivers), by=people.MANAGER, reason=planned.reason, at=at, is_shared=True
            )
    at = to_working_hours(history.at + (until - history.at) / 2, rng)
    if (
        history.owner in COLLEAGUES
        and history.lead.pk > 4
        and history.at + SHORT_WHILE < at < until
        and rng.random() < 0.05
    ):
        receiver = rng.choice([user for user in COLLEAGUES if user != history.owner])
        by = rng.choice((history.owner, people.MANAGER))
        history.transfer(receiver, by=by, reason=rng.choice(TRANSFER_REASONS), at=at)


def _has_owner_left(history: LeadHistory, at: datetime) -> bool:
    """Whether the owner has left the company by `at`. Nobody completes their follow-ups."""
    return history.owner == people.GONE and at >= history.context.left_at


def _let_client_answer(history: LeadHistory, before: datetime) -> None:
    """Let the client get in touch, some time before the next step."""
    at = history.at + (before - history.at) * history.rng.uniform(0.3, 0.9)
    types = {activity.activity_type for activity in history.inbound_activities}
    may_ask_for_quote = Activity.Type.QUOTE_REQUESTED not in types and history.lead.quoted_at is None
    kind, description, notes = scripts.pick_answer(history.rng, may_ask_for_quote)
    if kind == Activity.Type.CALL:
        at = to_working_hours(at, history.rng)
    history.at = min(at.replace(second=0, microsecond=0) + SHORT_WHILE, before - SHORT_WHILE)
    history.log_inbound(kind, description, notes, by=history.owner)


def _complete_step(history: LeadHistory, follow_up: FollowUp, step: Step, end: str) -> None:
    """Complete the step, and change the lead's status if the step does."""
    lead, rng, ends = history.lead, history.rng, step.new_status in (Status.WON, Status.LOST)
    history.complete(follow_up, step, "The lead is closed." if ends else "")
    history.at += SHORT_WHILE
    if step.new_status == Status.QUALIFIED and lead.estimated_passengers and rng.random() < 0.2:
        _correct_head_count(history)
    if step.new_status == Status.QUOTED:
        price = Decimal(round(float(lead.estimated_value or 1900) * rng.uniform(0.94, 1.08) / 5) * 5)
        history.change_status(Status.QUOTED, quote_amount=price, quote_valid_until=history.get_date() + QUOTE_VALIDITY)
    elif step.new_status == Status.WON:
        share = rng.choice((Decimal(1), Decimal(1), Decimal("0.95")))
        history.change_status(
            Status.WON, booked_value=((lead.quote_amount or Decimal(0)) * share).quantize(Decimal("0.01"))
        )
    elif step.new_status == Status.LOST:
        history.change_status(Status.LOST, lost_reason=end)
    elif step.new_status:
        history.change_status(step.new_status)


def _correct_head_count(history: LeadHistory) -> None:
    """Write a change of the head count to the number that the lead has."""
    lead = history.lead
    passengers = lead.estimated_passengers or 0
    lead.estimated_passengers = max(1, passengers - 3)
    history.change_fields(history.owner, estimated_passengers=passengers)


def _leave_open(history: LeadHistory, follow_up: FollowUp) -> None:
    """Leave the follow-up open: overdue, for today or for later. Some are canceled, so that nothing is planned."""
    rng, today = history.rng, history.context.today
    if _has_owner_left(history, history.context.now):
        return
    draw = rng.random()
    if (
        history.owner in COLLEAGUES
        and history.get_date() < today
        and history.context.overdue_counts[history.owner] < MIN_OVERDUE
    ):
        draw = 0.0  # on any day, the tour of Athena starts with something overdue
        history.context.overdue_counts[history.owner] += 1
    if draw > 0.88 and history.lead.pk > 4 and history.at + SHORT_WHILE < history.context.now:
        history.at += SHORT_WHILE
        history.cancel(follow_up, "The client will get in touch")
        return
    clock = None if rng.random() < 0.5 else rng.choice(TIMES)
    day = _pick_date(history, draw, today)
    first = follow_up.first_scheduled_date
    was_moved = first != follow_up.scheduled_date
    follow_up.scheduled_date, follow_up.scheduled_time = day, clock
    follow_up.first_scheduled_date = min(day, first) if first and was_moved else day
    if rng.random() < 0.06 and history.owner != people.OTTO:
        history.plan(
            scripts.PERMIT, today + timedelta(days=rng.randint(1, 8)), None, for_user=people.OTTO, by=people.MANAGER
        )


def _pick_date(history: LeadHistory, draw: float, today: date) -> date:
    rng = history.rng
    if draw < 0.24:
        return max(history.get_date(), today - timedelta(days=rng.randint(1, 9)))
    if draw < 0.46:
        return today
    day = today + timedelta(days=rng.randint(1, 12))
    return day + timedelta(days=(7 - day.weekday()) % 7 if day.weekday() >= 5 else 0)
