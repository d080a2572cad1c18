"""Scores all open leads in runs. Runs and their batches are rows; workers take batches until none is left.

A batch is one transaction that scores its leads, counts them and deletes the batch's row. If a worker dies, its batch
stays as it was, and another worker takes it.
"""

import structlog
from django.db import connection, transaction
from django.db.models import Count, F, Max, Min, Q
from django.utils import timezone

from athena import task_names
from athena.accounts.models import User
from athena.accounts.roles import Role
from athena.db.availability import is_unavailable
from athena.db.bulk import check_foreign_keys
from athena.runtime.task_publisher import publish_task
from notifications import outbox
from sales import policy
from sales.models import Lead, RuleSet, ScoringBatch, ScoringRun
from sales.scoring import rule_lock
from sales.scoring.compiler import CompiledRule
from sales.scoring.score_writer import Cause, write_scores
from sales.scoring.value_sources import LeadSelection

logger = structlog.get_logger(__name__)

# How many keys a batch spans, so how many leads it has at most. While a batch is scored, about a second, nobody else
# can change the leads that it changes (on SQLite: anything at all).
BATCH_KEYS = {"postgresql": 16_000, "sqlite": 5_000}
MAX_REASON_LENGTH, REASON_SEPARATOR = 255, "; "
MAX_TRIES_WITHOUT_LOCKS = 3  # at leads of a batch that others keep changing

_State = ScoringRun.State


@transaction.atomic
def start_run(*, by: User | None, reason: str) -> ScoringRun:
    """Return the run that is queued or running already, or else start a new one.

    Raises `NotAllowed` unless `by` is a manager.
    """
    policy.check_is_manager(by)
    publish_task(task_names.RUN_SCORING)
    while (run := find_unfinished_run()) is None:
        new = ScoringRun(
            reason=reason[:MAX_REASON_LENGTH],
            started_by=by,
            total=Lead.objects.open().count(),
            rule_set_version=get_rule_set_version(),
        )
        ScoringRun.objects.bulk_create([new], ignore_conflicts=True)  # another process may have created one meanwhile
    return run


def restart_run(*, by: User | None, reason: str) -> ScoringRun:
    """Have all open leads scored by rules that have just changed. The caller holds the rule lock.

    A running run uses the old rules, so it ends as stale. The work that it (or a queued run) was started for is not
    done yet, so the returned run carries all their reasons, the newest first. It belongs to `by`, who changed the rules
    last.
    """
    while True:
        earlier = find_unfinished_run()
        reasons = _join_reasons(reason, earlier.reason if earlier else "")
        if earlier is not None and earlier.state == _State.QUEUED:
            queued = ScoringRun.objects.filter(pk=earlier.pk, state=_State.QUEUED)
            if queued.update(reason=reasons, started_by=by):
                publish_task(task_names.RUN_SCORING)
                return earlier
            continue  # a worker has started it meanwhile
        running = ScoringRun.objects.filter(state=_State.RUNNING)
        ScoringBatch.objects.filter(run__in=running.values("pk")).delete()
        running.update(state=_State.STALE, finished_at=timezone.now())
        new = start_run(by=by, reason=reasons)
        if new.reason == reasons:
            return new


def _join_reasons(reason: str, earlier: str) -> str:
    """Join the new reason and the earlier ones, without repeating any, as far as they fit into the column."""
    joined = reason[:MAX_REASON_LENGTH]
    for earlier_reason in earlier.split(REASON_SEPARATOR):
        if earlier_reason and earlier_reason not in joined.split(REASON_SEPARATOR):
            longer = joined + REASON_SEPARATOR + earlier_reason
            if len(longer) > MAX_REASON_LENGTH:
                break
            joined = longer
    return joined


def find_unfinished_run() -> ScoringRun | None:
    """The run that is queued or running, if any: there is one at a time."""
    return ScoringRun.objects.filter(state__in=ScoringRun.UNFINISHED).first()


def process_batches(*, max_batches: int | None = None) -> int:
    """Score the batches of the unfinished run, and of a run that follows it; returns how many batches were done.

    Several workers may call this at once. If the database is unavailable, this raises, and the next call continues the
    run. Any other error ends the run as failed.
    """
    batch_count = 0
    while max_batches is None or batch_count < max_batches:
        run = find_unfinished_run()
        if run is None:
            break
        try:
            if run.state == _State.QUEUED:
                _plan_batches(run)
            elif _score_batch(run):
                batch_count += 1
            elif not _finish(run):
                break  # other workers are doing the rest
        except Exception as error:
            if is_unavailable(error):
                raise
            logger.exception("scoring_run_failed", run=run.pk)
            _fail(run, error)
    return batch_count


def get_rule_set_version() -> int:
    """The version that the rules as a whole are at."""
    return RuleSet.objects.get_or_create(pk=1)[0].version


@transaction.atomic
def _plan_batches(run: ScoringRun) -> None:
    """Divide the open leads into batches by key, and start the run with the rules as they are now."""
    rule_lock.share()
    run = ScoringRun.objects.select_for_update().get(pk=run.pk)
    if run.state != _State.QUEUED:
        return  # another worker was faster
    key_ranges = Lead.objects.open().order_by().values(number=F("pk") / BATCH_KEYS[connection.vendor])
    rows = key_ranges.values(first_lead=Min("pk"), last_lead=Max("pk"), leads=Count("pk")).order_by("first_lead")
    batches = [ScoringBatch(run=run, **row) for row in rows]
    ScoringBatch.objects.bulk_create(batches)
    run.total = sum(batch.leads for batch in batches)
    run.rule_set_version = get_rule_set_version()
    run.state = _State.RUNNING
    run.started_at = timezone.now()
    run.save()


@transaction.atomic
def _score_batch(run: ScoringRun) -> bool:
    """Score a batch that no other worker has; return False if there is none."""
    rule_lock.share()
    batch = run.batches.select_for_update(of=("self",), skip_locked=True).order_by("pk").first()
    if batch is None:
        return False
    changed = _score_leads(run, batch)
    batch.delete()
    check_foreign_keys()  # now, since all workers update the run's row: lock it as briefly as possible
    ScoringRun.objects.filter(pk=run.pk).update(processed=F("processed") + batch.leads, changed=F("changed") + changed)
    return True


def _score_leads(run: ScoringRun, batch: ScoringBatch) -> int:
    """Score a batch's leads; returns how many scores changed.

    Leads that somebody changes at the same time are tried again, and in the end locked before they are read.
    """
    rules = CompiledRule.load_active()
    cause = Cause(reason=run.reason, run_id=run.pk, user_id=run.started_by_id)
    changed = 0
    for tries in range(MAX_TRIES_WITHOUT_LOCKS + 1):
        if tries == MAX_TRIES_WITHOUT_LOCKS:
            leads = Lead.objects.open().filter(pk__range=(batch.first_lead, batch.last_lead)).order_by("pk")
            list(leads.select_for_update(no_key=True).values_list("pk"))
        selection = LeadSelection.from_range(batch.first_lead, batch.last_lead, timezone.now())
        result = write_scores(rules, selection, cause)
        changed += result.changed
        if not result.skipped:
            break
    return changed


@transaction.atomic
def _finish(run: ScoringRun) -> bool:
    """End a run that has no batches left; return False while other workers still have some."""
    run = ScoringRun.objects.select_for_update().get(pk=run.pk)
    if run.state == _State.RUNNING:
        if run.batches.exists():
            return False
        run.state, run.finished_at = _State.DONE, timezone.now()
        run.save()
    return True


@transaction.atomic
def _fail(run: ScoringRun, error: Exception) -> None:
    """End the run as failed, and notify the user who started it (for Athena's own runs: the administrators)."""
    run.batches.all().delete()  # before locking the run: workers lock in this order, too
    run = ScoringRun.objects.select_for_update().get(pk=run.pk)
    if run.state not in ScoringRun.UNFINISHED:
        return  # a rule change has ended it
    run.state = _State.FAILED
    run.finished_at = timezone.now()
    run.error = f"{type(error).__name__}: {error}"[:500]
    run.save()
    recipients = Q(pk=run.started_by_id) if run.started_by_id else Q(is_active=True, role=Role.ADMIN)
    outbox.add_many(
        outbox.NewNotification(
            kind="run_failed",
            recipient_id=recipient_id,
            dedupe_key=f"run_failed:{run.pk}:{recipient_id}",
            context={"run_id": run.pk, "reason": run.reason, "error": run.error},
        )
        for recipient_id in User.objects.filter(recipients).order_by("pk").values_list("pk", flat=True)
    )
