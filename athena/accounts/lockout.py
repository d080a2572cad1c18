"""Lockout after too many wrong passwords: for an account from one address, and for an address.

Every wrong password counts, both at a login and when a password is changed. Unknown accounts count like known ones.
Accounts are stored as keyed hashes, because users sometimes type their password into the wrong field.
"""

import math
from datetime import timedelta

import structlog
from django.db import connection, transaction
from django.utils import timezone
from django.utils.crypto import salted_hmac

from athena.accounts.models import FailedLogin, fold_email

logger = structlog.get_logger(__name__)

MAX_ACCOUNT_FAILURES, ACCOUNT_WINDOW = 5, timedelta(minutes=15)
MAX_ADDRESS_FAILURES, ADDRESS_WINDOW = 20, timedelta(hours=1)


class LockedOut(Exception):
    """There were too many failures. `retry_after` is in seconds."""

    def __init__(self, retry_after: int) -> None:
        super().__init__(f"Too many failed logins. Try again in {math.ceil(retry_after / 60)} minutes.")
        self.retry_after = retry_after


def check_not_locked(email: str, address: str) -> None:
    """Check that neither the account nor the address is locked out. Raises `LockedOut`."""
    now = timezone.now()
    from_address = FailedLogin.objects.filter(address=address)
    limits = (
        (from_address.filter(account=_hash_account(email)), MAX_ACCOUNT_FAILURES, ACCOUNT_WINDOW),
        (from_address, MAX_ADDRESS_FAILURES, ADDRESS_WINDOW),
    )
    waits = []
    for failures, maximum, window in limits:
        newest = failures.filter(at__gt=now - window).order_by("-at").values_list("at", flat=True)[:maximum]
        if len(newest) == maximum:
            waits.append((newest[maximum - 1] + window - now).total_seconds())
    if waits:
        _log("login_locked_out", email, address)
        raise LockedOut(max(1, math.ceil(max(waits))))


@transaction.atomic
def record_failure(email: str, address: str) -> None:
    """Count a failure. If many come at once, only as many as allowed are counted; the others raise `LockedOut`."""
    _lock_address(address)
    check_not_locked(email, address)
    FailedLogin.objects.create(account=_hash_account(email), address=address, at=timezone.now())
    _log("login_failed", email, address)


def delete_expired() -> int:
    """Delete failures that no longer count. Returns their number."""
    return FailedLogin.objects.filter(at__lte=timezone.now() - ADDRESS_WINDOW).delete()[0]


def _log(event: str, email: str, address: str) -> None:
    """Log an event for the detection of attacks. The account is a keyed hash, as in the table."""
    logger.warning(event, account=_hash_account(email), address=address)


def _hash_account(email: str) -> str:
    return salted_hmac("athena.accounts.lockout", fold_email(email), algorithm="sha256").hexdigest()


def _lock_address(address: str) -> None:
    """Serialize failures from this address until the transaction ends. SQLite serializes all writes anyway."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"failed login {address}"])
