"""The accounts of the demo. Their ids are fixed, because documents, scripts and tests use them."""

from dataclasses import dataclass
from datetime import datetime

from athena.accounts.models import Team, User
from athena.accounts.roles import Role

CHARTER_DESK, AIRPORT_DESK = 1, 2
TEAMS = {CHARTER_DESK: "Charter desk", AIRPORT_DESK: "Airport desk"}
TIME_ZONE = "America/New_York"
ADMIN, MARIA, TOM, WEI, MANAGER, GONE, OTTO = range(1, 8)


@dataclass(frozen=True)
class Account:
    id: int
    email: str
    full_name: str
    role: Role
    team_id: int | None
    is_active: bool = True

    @property
    def password(self) -> str:
        """The local part of the email and "123". Everybody knows it, so these accounts are for demonstrations only."""
        return self.email.partition("@")[0] + "123"


ACCOUNTS = (
    Account(ADMIN, "admin@example.com", "Alex Morgan", Role.ADMIN, None),
    Account(MARIA, "maria@example.com", "Maria Santos", Role.REP, CHARTER_DESK),
    Account(TOM, "tom@example.com", "Tom Becker", Role.REP, CHARTER_DESK),
    Account(WEI, "wei@example.com", "Wei Chen", Role.REP, CHARTER_DESK),
    Account(MANAGER, "manager@example.com", "Grace Okafor", Role.MANAGER, CHARTER_DESK),
    Account(GONE, "gone@example.com", "Gabe Collins", Role.REP, CHARTER_DESK, is_active=False),
    Account(OTTO, "otto@example.com", "Otto Lindqvist", Role.REP, AIRPORT_DESK),
)


def create_accounts(*, since: datetime) -> dict[int, User]:
    """Create the teams and accounts in an empty database. Returns the users by id."""
    Team.objects.bulk_create(Team(id=key, name=name, created_at=since) for key, name in TEAMS.items())
    users = [
        User(
            id=account.id,
            email=account.email,
            full_name=account.full_name,
            role=account.role,
            team_id=account.team_id,
            is_active=account.is_active,
            time_zone=TIME_ZONE,
            settled_zone=TIME_ZONE,
            created_at=since,
        )
        for account in ACCOUNTS
    ]
    for user, account in zip(users, ACCOUNTS, strict=True):
        user.set_password(account.password)
    return {user.pk: user for user in User.objects.bulk_create(users)}
