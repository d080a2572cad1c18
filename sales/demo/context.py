"""What the histories of all leads share: the date, the users, the new rows and the returning clients."""

from collections import Counter, defaultdict, deque
from datetime import date, datetime, time, timedelta
from itertools import count
from random import Random
from typing import Any, TypeVar

from django.db.models import Model

from athena.accounts.models import User
from sales.demo import people
from sales.demo.places import Client
from sales.demo.trip_kinds import TripKind
from sales.models import TransferBatch
from sales.schedule import company_zone

SEED = "athena"
REMEMBERED_CLIENTS = 500
LEFT_DAYS_AGO = 25  # when `people.GONE` left the company
OFFICE_OPENS, OFFICE_CLOSES = time(8, 30), time(17, 30)

Row = TypeVar("Row", bound=Model)


def seeded_random(*subject: object) -> Random:
    """A generator whose random numbers are always the same for the same subject."""
    return Random("-".join(map(str, (SEED, *subject))))  # noqa: S311 - a demo keeps no secrets


def to_working_hours(at: datetime, rng: Random) -> datetime:
    """`at` or, if the office is closed then, a time soon after it opens next."""
    local = at.astimezone(company_zone())
    if local.time() > OFFICE_CLOSES:
        local = datetime.combine(local.date() + timedelta(days=1), OFFICE_OPENS, local.tzinfo)
    if local.weekday() >= 5:
        local = datetime.combine(local.date() + timedelta(days=7 - local.weekday()), OFFICE_OPENS, local.tzinfo)
    if local.time() <= OFFICE_OPENS:
        local = datetime.combine(local.date(), OFFICE_OPENS, local.tzinfo) + timedelta(minutes=rng.randint(0, 150))
    return local.replace(second=0, microsecond=0)


class DemoContext:
    """The company until the start of `today`. Everything in its past happened before that."""

    def __init__(self, today: date, users: dict[int, User]) -> None:
        self.today = today
        self.now = datetime.combine(today, time(), company_zone())
        self.users = users
        self.rows: dict[type[Model], list[Any]] = defaultdict(list)
        self.client_counts: Counter[TripKind] = Counter()
        self.overdue_counts: Counter[int] = Counter()  # overdue follow-ups, by salesperson
        self.booked_clients: deque[tuple[datetime, TripKind, Client]] = deque(maxlen=REMEMBERED_CLIENTS)
        self._ids: dict[type[Model], Any] = defaultdict(lambda: count(1))
        self._batches: dict[str, TransferBatch] = {}

    def add_row(self, model: type[Row], **fields: Any) -> Row:
        """Create a row, with an id, that `take_rows` returns for inserting."""
        row = model(id=next(self._ids[model]), **fields)
        self.rows[model].append(row)
        return row

    def take_rows(self, model: type[Row]) -> list[Row]:
        """Return the rows that are not inserted yet, and forget them."""
        return self.rows.pop(model, [])

    def days_ago(self, days: int, clock: time = time(10)) -> datetime:
        return datetime.combine(self.today - timedelta(days=days), clock, company_zone())

    @property
    def left_at(self) -> datetime:
        """The end of the last working day of `people.GONE`."""
        return self.days_ago(LEFT_DAYS_AGO, OFFICE_CLOSES)

    def get_batch(self, *, by: int, reason: str, at: datetime, is_shared: bool) -> TransferBatch:
        """Return a new batch or, if it is shared, the batch of all transfers with the same reason."""
        if is_shared and reason in self._batches:
            return self._batches[reason]
        batch = self.add_row(TransferBatch, by=self.users[by], reason=reason, created_at=at)
        if is_shared:
            self._batches[reason] = batch
        return batch

    def pick_returning_client(self, rng: Random, at: datetime) -> tuple[TripKind, Client] | None:
        """Pick a client who booked before `at` and asks again, or None: most clients are new."""
        if rng.random() > 0.16:
            return None
        returning = [
            (kind, client) for closed_at, kind, client in self.booked_clients if closed_at < at - timedelta(days=14)
        ]
        return rng.choice(returning) if returning else None

    def pick_owner(self, rng: Random, kind: TripKind, at: datetime) -> int:
        """Pick the user who gets a new lead of this kind."""
        if kind.is_airport:
            return people.OTTO
        owners = [people.MARIA, people.TOM, people.WEI, people.MANAGER, people.OTTO]
        weights = [30, 26, 24, 4, 4]
        if at < self.left_at - timedelta(days=3):
            owners.append(people.GONE)
            weights.append(20 if at < self.left_at - timedelta(days=60) else 50)  # in the end they got too much
        return rng.choices(owners, weights)[0]
