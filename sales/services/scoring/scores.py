"""Scores leads by the current rules: some leads, in the transaction that changes them.

`scoring_rules` changes the rules; `scoring_runs` scores all open leads.
"""

from collections.abc import Collection

from django.db import connection, transaction
from django.utils import timezone

from athena.accounts.models import User
from sales import policy
from sales.models import Lead
from sales.scoring import rule_lock
from sales.scoring.compiler import CompiledRule
from sales.scoring.score_writer import Cause, write_scores
from sales.scoring.value_sources import LeadSelection
from sales.services import locks

# Above this, keys travel as one parameter: otherwise each condition on events would repeat them all.
_MAX_KEYS_AS_PARAMETERS = 100


def rescore(*, lead_ids: Collection[int], by: User | None, reason: str, activity_id: int | None = None) -> int:
    """Score these leads inside the caller's transaction, which holds their locks; returns how many scores changed.

    Closed and archived leads keep their score. The leads' rows change in the database: refresh the ones you still use.
    """
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError("Score leads in the transaction that locks them.")
    rule_lock.share()
    if not lead_ids:
        return 0
    rules, now, ids = CompiledRule.load_active(), timezone.now(), sorted(lead_ids)
    cause = Cause(reason=reason, user_id=by.pk if by else None, activity_id=activity_id)
    select = LeadSelection.from_ids if len(ids) <= _MAX_KEYS_AS_PARAMETERS else LeadSelection.from_many_ids
    return write_scores(rules, select(ids, now), cause).changed


@transaction.atomic
def recalculate_lead(*, by: User | None, lead_id: int) -> Lead:
    """Score one lead now. Raises `NotFound`, `NotYourLead`."""
    lead = locks.lock_visible_lead(by, lead_id)
    policy.check_may_change_lead(by, lead)
    rescore(lead_ids=[lead.pk], by=by, reason="Manual recalculation")
    lead.refresh_from_db(fields=["score", "score_raw", "score_updated_at", "version"])
    return lead
