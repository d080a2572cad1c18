"""How the sale of one lead goes on, from its first follow-up until it is closed or today has come."""

from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import NamedTuple

from sales.demo import people, scripts, sources
from sales.demo.context import LEFT_DAYS_AGO, working
from sales.demo.lead_history import MOMENT, QUOTE_VALID, Story
from sales.demo.scripts import UNDECIDED, Step
from sales.models import Activity, FollowUp, Lead

Type, Outcome, Status = FollowUp.Type, FollowUp.Outcome, Lead.Status
LATEST_BEFORE_TRIP = timedelta(hours=20)
MEDIAN_DAYS, SPREAD = 3.8, 0.6  # of the logarithm of a sale's length in days: e to the 3.8 is forty-five
PUT_OFF = 2  # follow-ups that each of the charter desk's salespeople has let pass, at least
CLOCKS = (time(9, 30), time(11), time(13, 30), time(15), time(16, 30))


class Move(NamedTuple):
    """A day when the manager gave several leads of one person to others."""

    days_ago: int
    giver: int
    takers: tuple[int, ...]
    share: float
    reason: str


MOVES = (
    Move(80, people.TOM, (people.WEI,), 0.8, "New England goes to Wei"),
    Move(LEFT_DAYS_AGO - 1, people.GONE, (people.MARIA, people.TOM), 0.4, "Gabe has left the company"),
)
COLLEAGUES = (people.MARIA, people.TOM, people.WEI)
REASONS = ("Knows the client from an earlier trip", "Load balancing", "On holiday until the end of the month")


def tell(story: Story, *, undecided: bool) -> None:
    """Tell the lead's story up to today. An `undecided` client is still being chased."""
    rng = story.rng
    loyal = story.lead.source_id == sources.REPEAT.id
    end = UNDECIDED if undecided else scripts.fate(rng, story.kind.share_won + (0.2 if loyal else 0))
    steps = scripts.steps(rng, end, chases=9 if undecided else None)
    if story.owner is None and not _assign(story):
        return
    for number, (step, pause) in enumerate(zip(steps, _pauses(story, len(steps), undecided), strict=True)):
        at = _moment(story, story.at + pause)
        follow_up = _promise(story, step, at)
        _change_hands(story, min(at, story.world.now))
        if at >= story.world.now or _neglected(story, at):
            _leave_open(story, follow_up)
            return
        if rng.random() < step.answered or (undecided and number == 1):
            _answer(story, at)
        if step.reaches in (Status.WON, Status.LOST) and rng.random() < 0.3:
            story.plan(scripts.AFTERWARDS, story.day(at) + timedelta(days=rng.randint(1, 6)), None)
        story.at = at
        _do(story, follow_up, step, end)


def _pauses(story: Story, steps: int, undecided: bool) -> list[timedelta]:
    """How long each step waits for the one before: hours until the first, then shares of the whole sale."""
    rng, ahead = story.rng, (story.trip_at - story.at) / timedelta(days=1)
    days = 420 if undecided else min(rng.lognormvariate(MEDIAN_DAYS, SPREAD), ahead * 0.7)
    weights = [rng.uniform(0.5, 1.5) for _ in range(steps - 1)]
    first = timedelta(hours=rng.expovariate(1 / 5))
    return [first, *(timedelta(days=days * weight / sum(weights)) for weight in weights)]


def _moment(story: Story, at: datetime) -> datetime:
    """When a step that falls on `at` is taken: in working hours, in any case before the trip."""
    latest = story.trip_at - LATEST_BEFORE_TRIP
    return max(min(working(at, story.rng), latest), story.at + 2 * MOMENT)


def _assign(story: Story) -> bool:
    """The manager gives the unowned lead to somebody; False while it waits."""
    rng, world = story.rng, story.world
    at = working(story.at + timedelta(hours=rng.uniform(1, 20)), rng)
    if at >= world.now or (story.at > world.days_ago(14) and rng.random() < 0.8):
        return False
    story.give(rng.choice(COLLEAGUES), by=people.MANAGER, reason="From the unowned queue", at=at)
    return True


def _promise(story: Story, step: Step, at: datetime) -> FollowUp:
    """The follow-up for a step that will be taken at `at`: mostly for that day, sometimes for an earlier one."""
    rng, done_on = story.rng, story.day(at)
    late = rng.choices((0, 1, 2, 4, 7), (72, 12, 8, 5, 3))[0]
    day = max(story.day(), done_on - timedelta(days=late))
    clock = rng.choice(CLOCKS) if rng.random() < 0.4 else None
    moved = rng.randint(1, 5) if rng.random() < 0.1 else 0
    first = max(story.day(), day - timedelta(days=moved))
    follow_up = story.plan(step, first, clock)
    if first != day:
        story.reschedule(follow_up, day, clock)
    return follow_up


def _change_hands(story: Story, until: datetime) -> None:
    """Transfers between now and `until`: the manager's big moves, and now and then a colleague who helps out."""
    rng, world = story.rng, story.world
    for move in MOVES:
        at = world.days_ago(move.days_ago)
        if story.owner == move.giver and story.at + MOMENT < at < until and rng.random() < move.share:
            story.give(rng.choice(move.takers), by=people.MANAGER, reason=move.reason, at=at, shared=True)
    at = working(story.at + (until - story.at) / 2, rng)
    if story.owner in COLLEAGUES and story.lead.pk > 4 and story.at + MOMENT < at < until and rng.random() < 0.05:
        taker = rng.choice([user for user in COLLEAGUES if user != story.owner])
        by = rng.choice((story.owner, people.MANAGER))
        story.give(taker, by=by, reason=rng.choice(REASONS), at=at)


def _neglected(story: Story, at: datetime) -> bool:
    """Whether the owner has left by `at`: nobody does what they had promised."""
    return story.owner == people.GONE and at >= story.world.left_at


def _answer(story: Story, before: datetime) -> None:
    """The client gets in touch, some time before the next step."""
    at = story.at + (before - story.at) * story.rng.uniform(0.3, 0.9)
    unasked = not any(each.activity_type == Activity.Type.QUOTE_REQUESTED for each in story.engaged)
    kind, description, notes = scripts.answer(story.rng, unasked and story.lead.quoted_at is None)
    if kind == Activity.Type.CALL:
        at = working(at, story.rng)
    story.at = min(at.replace(second=0, microsecond=0) + MOMENT, before - MOMENT)
    story.hear(kind, description, notes, by=story.owner)


def _do(story: Story, follow_up: FollowUp, step: Step, end: str) -> None:
    """Take the step, and let the lead come to where it leads."""
    lead, rng, ends = story.lead, story.rng, step.reaches in (Status.WON, Status.LOST)
    story.keep(follow_up, step, "The lead is closed." if ends else "")
    story.at += MOMENT
    if step.reaches == Status.QUALIFIED and lead.estimated_passengers and rng.random() < 0.2:
        _correct_head_count(story)
    if step.reaches == Status.QUOTED:
        price = Decimal(round(float(lead.estimated_value or 1900) * rng.uniform(0.94, 1.08) / 5) * 5)
        story.reach(Status.QUOTED, quote_amount=price, quote_valid_until=story.day() + QUOTE_VALID)
    elif step.reaches == Status.WON:
        share = rng.choice((Decimal(1), Decimal(1), Decimal("0.95")))
        story.reach(Status.WON, booked_value=((lead.quote_amount or Decimal(0)) * share).quantize(Decimal("0.01")))
    elif step.reaches == Status.LOST:
        story.reach(Status.LOST, lost_reason=end)
    elif step.reaches:
        story.reach(step.reaches)


def _correct_head_count(story: Story) -> None:
    """The head count was another one before (the lead already shows the right one)."""
    lead = story.lead
    right, lead.estimated_passengers = lead.estimated_passengers, max(1, lead.estimated_passengers - 3)  # type: ignore[operator]
    story.change(story.owner, estimated_passengers=right)


def _leave_open(story: Story, follow_up: FollowUp) -> None:
    """Today has come: the follow-up is overdue, for today or to come; or it was cancelled and nothing is planned."""
    rng, today = story.rng, story.world.today
    if _neglected(story, story.world.now):
        return
    draw = rng.random()
    if story.owner in COLLEAGUES and story.day() < today and story.world.behind[story.owner] < PUT_OFF:
        draw = 0.0  # whatever the day, the tour through Athena begins with something that they have put off
        story.world.behind[story.owner] += 1
    if draw > 0.88 and story.lead.pk > 4 and story.at + MOMENT < story.world.now:
        story.at += MOMENT
        story.cancel(follow_up, "The client will get in touch")
        return
    clock = None if rng.random() < 0.5 else rng.choice(CLOCKS)
    day = _next_day(story, draw, today)
    was_moved = follow_up.first_scheduled_date != follow_up.scheduled_date
    follow_up.scheduled_date, follow_up.scheduled_time = day, clock
    follow_up.first_scheduled_date = min(day, follow_up.first_scheduled_date) if was_moved else day  # type: ignore[type-var]
    if rng.random() < 0.06 and story.owner != people.OTTO:
        story.plan(
            scripts.PERMIT, today + timedelta(days=rng.randint(1, 8)), None, for_user=people.OTTO, by=people.MANAGER
        )


def _next_day(story: Story, draw: float, today: date) -> date:
    rng = story.rng
    if draw < 0.24:
        return max(story.day(), today - timedelta(days=rng.randint(1, 9)))
    if draw < 0.46:
        return today
    day = today + timedelta(days=rng.randint(1, 12))
    return day + timedelta(days=(7 - day.weekday()) % 7 if day.weekday() >= 5 else 0)
