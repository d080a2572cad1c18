"""People: users, the teams they work in, and the devices they are logged in on."""

import unicodedata
import uuid
from collections.abc import Iterator
from datetime import UTC, date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.core.exceptions import ValidationError
from django.db import models
from django.utils import timezone
from django.utils.crypto import salted_hmac

from athena import host_names, time_zones
from athena.accounts import roles
from athena.db import Now

MAX_REMINDER_MINUTES = 7 * 24 * 60


def fold_email(value: str) -> str:
    """The one spelling of an e-mail address that is stored, unique and looked up (NFKC, case-folded).

    Its host is spelled by IDNA 2008: case-folded, `straße.de` would be the host of somebody else.
    """
    local, at, host = unicodedata.normalize("NFKC", value).strip().rpartition("@")
    return f"{local.casefold()}{at}{host_names.unicode_host(host)}" if at else host.casefold()


def validate_time_zone(value: str) -> None:
    if value not in time_zones.list_names():
        raise ValidationError("“%(value)s” is not an IANA time zone.", params={"value": value})


def zone_choices() -> list[tuple[str, str]]:
    """Every IANA time zone, for a form. The empty one is shown for an unknown zone, which has to be replaced."""
    return [("", "---------"), *((name, name.replace("_", " ")) for name in sorted(time_zones.list_names()))]


class FoldedEmailField(models.EmailField):  # type: ignore[type-arg]
    """An e-mail address, folded both when it is stored and when it is looked up."""

    def get_prep_value(self, value: Any) -> Any:
        value = super().get_prep_value(value)
        return fold_email(value) if isinstance(value, str) else value


class Team(models.Model):
    name = models.CharField(max_length=100, unique=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        db_table = "teams"
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class UserManager(BaseUserManager["User"]):
    def get_by_natural_key(self, username: str | None) -> "User":
        return self.get(email=username)

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        user = self.model(email=fold_email(email), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "User":
        return self.create_user(email, password, **{"role": roles.Role.ADMIN, **fields})


class User(AbstractBaseUser):
    """Somebody who works with leads. Deactivated when they leave, never deleted: history names them."""

    email = FoldedEmailField(unique=True)
    full_name = models.CharField(max_length=150)
    role = models.CharField(max_length=10, choices=roles.Role, default=roles.Role.REP, db_default=roles.Role.REP)
    team = models.ForeignKey(Team, models.PROTECT, null=True, blank=True, related_name="members")
    time_zone = models.CharField(
        max_length=64, default="America/New_York", db_default="America/New_York", validators=[validate_time_zone]
    )
    settled_zone = models.CharField(
        max_length=64, blank=True, default="", db_default="", editable=False
    )  # the zone that this person's due times were last worked out in; the tick catches up where it differs
    reminder_minutes = models.PositiveIntegerField(
        default=30, db_default=30, help_text="How long before a timed follow-up the reminder comes, in minutes."
    )
    settled_minutes = models.PositiveIntegerField(
        default=30, db_default=30, editable=False
    )  # the lead time that this person's reminders were last worked out with, as `settled_zone`
    digest_hour = models.PositiveSmallIntegerField(
        default=7, db_default=7, help_text="The local hour (0 to 23) of the daily digest."
    )
    digested_on = models.DateField(null=True, editable=False)  # the latest local day whose digest is settled
    calendar_epoch = models.IntegerField(default=0, db_default=0, editable=False)  # one more ends the calendar's token
    max_open_leads = models.PositiveIntegerField(
        null=True, blank=True, help_text="They are given no more open leads than this. Empty: any number."
    )
    away_until = models.DateField(
        null=True, blank=True, help_text="Their last day away. Until then assignment rules give them no new leads."
    )
    is_active = models.BooleanField(default=True, db_default=True)
    login_epoch = models.IntegerField(default=0, db_default=0, editable=False)  # one more ends all logins
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    objects = UserManager()

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS = ["full_name"]

    class Meta:
        db_table = "users"
        ordering = ["full_name", "id"]
        constraints = [
            models.CheckConstraint(condition=models.Q(role__in=roles.Role.values), name="users_role_known"),
            models.CheckConstraint(
                condition=models.Q(reminder_minutes__range=(0, MAX_REMINDER_MINUTES)), name="users_reminder_minutes"
            ),
            models.CheckConstraint(condition=models.Q(digest_hour__range=(0, 23)), name="users_digest_hour"),
            models.CheckConstraint(
                condition=models.Q(max_open_leads__isnull=True) | models.Q(max_open_leads__range=(0, 100_000)),
                name="users_max_open_leads",
            ),
        ]

    def __str__(self) -> str:
        return self.full_name or self.email

    def get_short_name(self) -> str:
        return self.full_name.partition(" ")[0] or str(self.email)

    def get_session_auth_hash(self) -> str:
        """What sessions and tokens must match: it changes with the password and with `login_epoch`."""
        return self._login_hash(settings.SECRET_KEY)

    def get_session_auth_fallback_hash(self) -> Iterator[str]:
        """The same by each of SECRET_KEY_FALLBACKS."""
        return map(self._login_hash, settings.SECRET_KEY_FALLBACKS)

    def _login_hash(self, secret: str | bytes) -> str:
        value = f"{self.login_epoch}:{self.password}"
        return salted_hmac("athena.accounts.login", value, secret=secret, algorithm="sha256").hexdigest()

    @property
    def is_staff(self) -> bool:
        """Everybody works in the admin; what they may do there is their role's."""
        return self.is_active

    @property
    def is_superuser(self) -> bool:
        return self.is_active and self.role == roles.Role.ADMIN

    @property
    def reads_all_leads(self) -> bool:
        """Whether this user may read every lead: an administrator, or a manager without a team."""
        return self.role == roles.Role.ADMIN or (self.role == roles.Role.MANAGER and self.team_id is None)

    def has_role(self, minimum: roles.Role) -> bool:
        """Whether this user is active and has the role `minimum` or one above it."""
        return self.is_active and roles.is_at_least(self.role, minimum)

    def has_perm(self, perm: str, obj: object = None) -> bool:
        return self.is_active and perm in roles.get_permissions(self.role)

    def has_perms(self, perms: list[str], obj: object = None) -> bool:
        return all(self.has_perm(perm, obj) for perm in perms)

    def has_module_perms(self, app_label: str) -> bool:
        return self.is_active and any(p.startswith(f"{app_label}.") for p in roles.get_permissions(self.role))

    @property
    def zone(self) -> ZoneInfo:
        return time_zones.find_zone(self.time_zone)


def local_today(user: "User") -> date:
    """Today on this person's wall calendar."""
    return timezone.now().astimezone(user.zone).date()


def local_instant(user: "User", day: date, clock: time) -> datetime:
    """The UTC instant at which this person's wall clock shows `day` and `clock`.

    A time that a DST change skips is the instant just as long after the gap's start; one that comes twice, the first.
    """
    return datetime.combine(day, clock, tzinfo=user.zone).astimezone(UTC)


class LoginSession(models.Model):
    """A family of refresh tokens: one login on one device. Only the newest token of a family refreshes it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(User, models.CASCADE, related_name="login_sessions")
    jti = models.CharField(max_length=64)
    previous_jti = models.CharField(max_length=64, default="", db_default="")
    started_at = models.DateTimeField(db_default=Now())  # the login itself; renewing a family does not move it
    rotated_at = models.DateTimeField(db_default=Now())
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "login_sessions"
        constraints = [models.CheckConstraint(condition=models.Q(jti__gt=""), name="login_sessions_jti_set")]

    def __str__(self) -> str:
        return str(self.id)


class FailedLogin(models.Model):
    """A failed login, for as long as it counts towards a lockout (`athena.accounts.lockout`)."""

    account = models.CharField(max_length=64)  # a keyed hash of the e-mail address that was typed
    address = models.CharField(max_length=45)
    at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "failed_logins"
        indexes = [
            models.Index("address", "account", "at", name="idx_failed_logins_account"),
            models.Index("address", "at", name="idx_failed_logins_address"),
            models.Index("at", name="idx_failed_logins_age"),
        ]

    def __str__(self) -> str:
        return f"{self.address} {self.at}"
