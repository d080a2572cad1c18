"""Who has guessed too often may not log in for a while: by account and address, and by address.

Every wrong password counts, at a login and where a change of password asks for the current one. Unknown accounts
count like known ones. Accounts are kept as keyed hashes: people type passwords into the wrong field.
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
    """Too many failures. `retry_after` is in seconds."""

    def __init__(self, retry_after: int) -> None:
        super().__init__(f"Too many failed logins. Try again in {math.ceil(retry_after / 60)} minutes.")
        self.retry_after = retry_after


def check_not_locked(email: str, address: str) -> None:
    """Raises `LockedOut`."""
    now = timezone.now()
    from_address = FailedLogin.objects.filter(address=address)
    limits = (
        (from_address.filter(account=_account(email)), MAX_ACCOUNT_FAILURES, ACCOUNT_WINDOW),
        (from_address, MAX_ADDRESS_FAILURES, ADDRESS_WINDOW),
    )
    waits = []
    for failures, most, time in limits:
        newest = failures.filter(at__gt=now - time).order_by("-at").values_list("at", flat=True)[:most]
        if len(newest) == most:
            waits.append((newest[most - 1] + time - now).total_seconds())
    if waits:
        _log("login_locked_out", email, address)
        raise LockedOut(max(1, math.ceil(max(waits))))


@transaction.atomic
def record_failure(email: str, address: str) -> None:
    """Count a failure. Of many at once only as many as are allowed are counted: the others raise `LockedOut`."""
    _one_at_a_time(address)
    check_not_locked(email, address)
    FailedLogin.objects.create(account=_account(email), address=address, at=timezone.now())
    _log("login_failed", email, address)


def delete_expired() -> int:
    """Delete the failures that no longer count. Returns how many."""
    return FailedLogin.objects.filter(at__lte=timezone.now() - ADDRESS_WINDOW).delete()[0]


def _log(event: str, email: str, address: str) -> None:
    """For whoever watches for guessing. The account is a keyed hash, the same as in the table."""
    logger.warning(event, account=_account(email), address=address)


def _account(email: str) -> str:
    return salted_hmac("athena.accounts.lockout", fold_email(email), algorithm="sha256").hexdigest()


def _one_at_a_time(address: str) -> None:
    """Until the transaction ends, for this address. On SQLite a transaction that writes is alone anyway."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"failed login {address}"])
