"""Users, teams, sessions of the API and failed logins."""

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
    """The canonical spelling of an email address, which is stored, unique and looked up (NFKC, case-folded).

    The host follows IDNA 2008 instead: case-folded, `straße.de` would become another host.
    """
    local, at, host = unicodedata.normalize("NFKC", value).strip().rpartition("@")
    return f"{local.casefold()}{at}{host_names.unicode_host(host)}" if at else host.casefold()


def validate_time_zone(value: str) -> None:
    if value not in time_zones.list_names():
        raise ValidationError("“%(value)s” is not an IANA time zone.", params={"value": value})


def zone_choices() -> list[tuple[str, str]]:
    """All IANA time zones as choices of a form. The empty choice stands for an unknown zone, to be replaced."""
    return [("", "---------"), *((name, name.replace("_", " ")) for name in sorted(time_zones.list_names()))]


class FoldedEmailField(models.EmailField):  # type: ignore[type-arg]
    """An email address that is folded when it is stored and when it is looked up."""

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
    """A person who works with leads. Users who leave are deactivated, never deleted, since history names them."""

    email = FoldedEmailField(unique=True)
    full_name = models.CharField(max_length=150)
    role = models.CharField(max_length=10, choices=roles.Role, default=roles.Role.REP, db_default=roles.Role.REP)
    team = models.ForeignKey(Team, models.PROTECT, null=True, blank=True, related_name="members")
    time_zone = models.CharField(
        max_length=64, default="America/New_York", db_default="America/New_York", validators=[validate_time_zone]
    )
    settled_zone = models.CharField(
        max_length=64, blank=True, default="", db_default="", editable=False
    )  # the zone of the last calculation of this user's due times; the tick repeats it if the zone has changed
    reminder_minutes = models.PositiveIntegerField(
        default=30, db_default=30, help_text="How long before a timed follow-up the reminder comes, in minutes."
    )
    settled_minutes = models.PositiveIntegerField(
        default=30, db_default=30, editable=False
    )  # the same for `reminder_minutes` and this user's reminders
    digest_hour = models.PositiveSmallIntegerField(
        default=7, db_default=7, help_text="The local hour (0 to 23) of the daily digest."
    )
    digested_on = models.DateField(null=True, editable=False)  # the last local date whose digest is done
    calendar_epoch = models.IntegerField(default=0, db_default=0, editable=False)  # raised to end the calendar's token
    max_open_leads = models.PositiveIntegerField(
        null=True, blank=True, help_text="They are given no more open leads than this. Empty: any number."
    )
    away_until = models.DateField(
        null=True, blank=True, help_text="Their last day away. Until then assignment rules give them no new leads."
    )
    is_active = models.BooleanField(default=True, db_default=True)
    login_epoch = models.IntegerField(default=0, db_default=0, editable=False)  # raised to end all sessions and tokens
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
        """The hash that sessions and tokens must match. It changes with the password and with `login_epoch`."""
        return self._login_hash(settings.SECRET_KEY)

    def get_session_auth_fallback_hash(self) -> Iterator[str]:
        """The same hash for each of SECRET_KEY_FALLBACKS."""
        return map(self._login_hash, settings.SECRET_KEY_FALLBACKS)

    def _login_hash(self, secret: str | bytes) -> str:
        value = f"{self.login_epoch}:{self.password}"
        return salted_hmac("athena.accounts.login", value, secret=secret, algorithm="sha256").hexdigest()

    @property
    def is_staff(self) -> bool:
        """All active users may open the admin; their role decides what they may do there."""
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
    """Today's date in this user's time zone."""
    return timezone.now().astimezone(user.zone).date()


def local_instant(user: "User", day: date, clock: time) -> datetime:
    """The UTC datetime at which this user's wall clock shows `day` and `clock`.

    A time that a DST change skips is moved past the gap; of a time that occurs twice, the first is taken.
    """
    return datetime.combine(day, clock, tzinfo=user.zone).astimezone(UTC)


class LoginSession(models.Model):
    """A session of the API: one login on one device. Its refresh tokens are a family; only the newest one is valid."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(User, models.CASCADE, related_name="login_sessions")
    jti = models.CharField(max_length=64)
    previous_jti = models.CharField(max_length=64, default="", db_default="")
    started_at = models.DateTimeField(db_default=Now())  # the time of the login; refreshing does not change it
    rotated_at = models.DateTimeField(db_default=Now())
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "login_sessions"
        constraints = [models.CheckConstraint(condition=models.Q(jti__gt=""), name="login_sessions_jti_set")]

    def __str__(self) -> str:
        return str(self.id)


class FailedLogin(models.Model):
    """A failed login, kept as long as it counts for a lockout (`athena.accounts.lockout`)."""

    account = models.CharField(max_length=64)  # a keyed hash of the email address that was typed
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
