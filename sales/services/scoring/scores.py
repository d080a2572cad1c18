"""Giving leads the score that the rules say.

The rules change in `scoring_rules`; all leads at once are scored in `scoring_runs`.
"""

from collections.abc import Collection

from django.db import connection, transaction
from django.utils import timezone

from athena.accounts.models import User
from sales import policy
from sales.models import Lead
from sales.scoring import rule_lock
from sales.scoring.compiler import Compiled
from sales.scoring.score_writer import Cause, write_scores
from sales.scoring.value_sources import Scope
from sales.services import locks

_AT_ONCE = 100  # beyond it keys travel as one parameter: each condition on events repeats them


def rescore(*, lead_ids: Collection[int], by: User | None, reason: str, activity_id: int | None = None) -> int:
    """Score these leads inside the caller's transaction, which holds their locks; how many scores changed.

    Closed and archived leads keep their score. The leads' rows change: refresh those that are used afterwards.
    """
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError("Leads are scored in the transaction that locks them.")
    rule_lock.share()
    rules, now, ids = Compiled.active(), timezone.now(), sorted(lead_ids)
    cause = Cause(reason=reason, user_id=by.pk if by else None, activity_id=activity_id)
    if not ids:
        return 0
    scope = Scope.of(ids, now) if len(ids) <= _AT_ONCE else Scope.among(ids, now)
    return write_scores(rules, scope, cause).changed


@transaction.atomic
def calculate(*, by: User | None, lead_id: int) -> Lead:
    """Score one lead now. Raises `NotFound`, `NotYourLead`."""
    lead = locks.lock_visible_lead(by, lead_id)
    policy.check_may_change_lead(by, lead)
    rescore(lead_ids=[lead.pk], by=by, reason="Manual recalculation")
    lead.refresh_from_db(fields=["score", "score_raw", "score_updated_at", "version"])
    return lead
