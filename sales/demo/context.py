"""What the stories of all leads share: the clock, the people, the rows they write and the clients who come back."""

from collections import Counter, defaultdict, deque
from datetime import date, datetime, time, timedelta
from itertools import count
from random import Random
from typing import Any, TypeVar

from django.db.models import Model

from athena.accounts.models import User
from sales.demo import people
from sales.demo.places import Client
from sales.demo.trip_kinds import Kind
from sales.models import TransferBatch
from sales.schedule import company_zone

SEED = "athena"
REMEMBERED_CLIENTS = 500
LEFT_DAYS_AGO = 25  # when the colleague who is gone left
OPENS, CLOSES = time(8, 30), time(17, 30)

Row = TypeVar("Row", bound=Model)


def dice(*of: object) -> Random:
    """Random numbers that are always the same for the same subject."""
    return Random("-".join(map(str, (SEED, *of))))  # noqa: S311 - a demo keeps no secrets


def working(at: datetime, rng: Random) -> datetime:
    """`at`, or the next moment after it when the office is open."""
    local = at.astimezone(company_zone())
    if local.time() > CLOSES:
        local = datetime.combine(local.date() + timedelta(days=1), OPENS, local.tzinfo)
    if local.weekday() >= 5:
        local = datetime.combine(local.date() + timedelta(days=7 - local.weekday()), OPENS, local.tzinfo)
    if local.time() <= OPENS:
        local = datetime.combine(local.date(), OPENS, local.tzinfo) + timedelta(minutes=rng.randint(0, 150))
    return local.replace(second=0, microsecond=0)


class World:
    """The company up to the beginning of `today`; nothing in its past is later than that."""

    def __init__(self, today: date, users: dict[int, User]) -> None:
        self.today = today
        self.now = datetime.combine(today, time(), company_zone())
        self.users = users
        self.rows: dict[type[Model], list[Any]] = defaultdict(list)
        self.clients_of: Counter[Kind] = Counter()
        self.behind: Counter[int] = Counter()  # how many overdue follow-ups each salesperson has been given
        self.booked: deque[tuple[datetime, Kind, Client]] = deque(maxlen=REMEMBERED_CLIENTS)
        self._ids: dict[type[Model], Any] = defaultdict(lambda: count(1))
        self._batches: dict[str, TransferBatch] = {}

    def new(self, model: type[Row], **fields: Any) -> Row:
        """A row to be inserted, with its id."""
        row = model(id=next(self._ids[model]), **fields)
        self.rows[model].append(row)
        return row

    def take(self, model: type[Row]) -> list[Row]:
        """The rows that wait to be inserted; they are the caller's now."""
        return self.rows.pop(model, [])

    def days_ago(self, days: int, clock: time = time(10)) -> datetime:
        return datetime.combine(self.today - timedelta(days=days), clock, company_zone())

    @property
    def left_at(self) -> datetime:
        """When `people.GONE` had their last day."""
        return self.days_ago(LEFT_DAYS_AGO, CLOSES)

    def batch(self, *, by: int, reason: str, at: datetime, shared: bool) -> TransferBatch:
        """A transfer's batch: its own, or the one that everybody with the same reason shares."""
        if shared and reason in self._batches:
            return self._batches[reason]
        batch = self.new(TransferBatch, by=self.users[by], reason=reason, created_at=at)
        if shared:
            self._batches[reason] = batch
        return batch

    def returning(self, rng: Random, at: datetime) -> tuple[Kind, Client] | None:
        """A client who has booked before `at` and asks again, or None: most are new."""
        if rng.random() > 0.16:
            return None
        known = [(kind, client) for closed_at, kind, client in self.booked if closed_at < at - timedelta(days=14)]
        return rng.choice(known) if known else None

    def owner_of(self, rng: Random, kind: Kind, at: datetime) -> int:
        """Who takes a new lead of this kind."""
        if kind.airport:
            return people.OTTO
        desk = [people.MARIA, people.TOM, people.WEI, people.MANAGER, people.OTTO]
        shares = [30, 26, 24, 4, 4]
        if at < self.left_at - timedelta(days=3):
            desk.append(people.GONE)
            shares.append(20 if at < self.left_at - timedelta(days=60) else 50)  # in the end they were given too much
        return rng.choices(desk, shares)[0]
