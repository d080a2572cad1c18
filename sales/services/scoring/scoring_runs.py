"""Scoring all open leads: a run is a row, and so is each of its batches; workers take the batches until none is left.

A batch is one transaction that scores its leads, counts them and deletes the batch. A worker that dies leaves its batch
as it was, for the next one who asks.
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
from sales.scoring.compiler import Compiled
from sales.scoring.score_writer import Cause, write_scores
from sales.scoring.value_sources import Scope

logger = structlog.get_logger(__name__)

# How many keys a batch spans, so how many leads it has at most. While it lasts, a second or so, nobody else can change
# the leads that it changes (on SQLite: anything).
BATCH = {"postgresql": 16_000, "sqlite": 5_000}
MAX_REASON, REASON_SEPARATOR = 255, "; "
ROUNDS = 3  # tries at a batch's leads that others keep changing, before they are locked first

_State = ScoringRun.State


@transaction.atomic
def start_run(*, by: User | None, reason: str) -> ScoringRun:
    """The run that is queued or running already, or else a new one. Raises `NotAllowed` below manager."""
    policy.check_is_manager(by)
    publish_task(task_names.RUN_SCORING)
    while (run := unfinished()) is None:
        new = ScoringRun(
            reason=reason[:MAX_REASON],
            started_by=by,
            total=Lead.objects.open().count(),
            rule_set_version=rule_set_version(),
        )
        ScoringRun.objects.bulk_create([new], ignore_conflicts=True)  # somebody else's may have come first
    return run


def restart(*, by: User | None, reason: str) -> ScoringRun:
    """Have all leads scored by rules that have just changed. Holds the rule lock.

    A running run goes by the old rules: it ends as stale. What it and a queued run were started for is not done yet, so
    the run that does it gives all reasons, the newest first; it is that of whoever changed the rules last.
    """
    while True:
        earlier = unfinished()
        reasons = _join_reasons(reason, earlier.reason if earlier else "")
        if earlier is not None and earlier.state == _State.QUEUED:
            queued = ScoringRun.objects.filter(pk=earlier.pk, state=_State.QUEUED)
            if queued.update(reason=reasons, started_by=by):
                publish_task(task_names.RUN_SCORING)
                return earlier
            continue  # a worker has begun it
        running = ScoringRun.objects.filter(state=_State.RUNNING)
        ScoringBatch.objects.filter(run__in=running.values("pk")).delete()
        running.update(state=_State.STALE, finished_at=timezone.now())
        new = start_run(by=by, reason=reasons)
        if new.reason == reasons:
            return new


def _join_reasons(reason: str, earlier: str) -> str:
    """Both, each once, the new one first; of the earlier ones as many as the column holds."""
    joined = reason[:MAX_REASON]
    for other in earlier.split(REASON_SEPARATOR):
        if other and other not in joined.split(REASON_SEPARATOR):
            longer = joined + REASON_SEPARATOR + other
            if len(longer) > MAX_REASON:
                break
            joined = longer
    return joined


def unfinished() -> ScoringRun | None:
    return ScoringRun.objects.filter(state__in=ScoringRun.UNFINISHED).first()


def work(*, max_batches: int | None = None) -> int:
    """Do what there is to do of the unfinished run, and of one that follows; how many batches were done.

    Several workers may do so at once. When the database is away it raises, and the run goes on at the next call; any
    other error ends the run as failed.
    """
    done = 0
    while max_batches is None or done < max_batches:
        run = unfinished()
        if run is None:
            break
        try:
            if run.state == _State.QUEUED:
                _plan(run)
            elif _score_batch(run):
                done += 1
            elif not _finish(run):
                break  # what is left is in other workers' hands
        except Exception as error:
            if is_unavailable(error):
                raise
            logger.exception("scoring_run_failed", run=run.pk)
            _fail(run, error)
    return done


def rule_set_version() -> int:
    return RuleSet.objects.get_or_create(pk=1)[0].version


@transaction.atomic
def _plan(run: ScoringRun) -> None:
    """Part the leads into batches by key; the run is for the rules of this moment."""
    rule_lock.share()
    run = ScoringRun.objects.select_for_update().get(pk=run.pk)
    if run.state != _State.QUEUED:
        return  # another worker was faster
    parts = Lead.objects.open().order_by().values(part=F("pk") / BATCH[connection.vendor])
    batches = [
        ScoringBatch(run=run, **part)
        for part in parts.values(first_lead=Min("pk"), last_lead=Max("pk"), leads=Count("pk")).order_by("first_lead")
    ]
    ScoringBatch.objects.bulk_create(batches)
    run.total = sum(batch.leads for batch in batches)
    run.rule_set_version, run.state, run.started_at = rule_set_version(), _State.RUNNING, timezone.now()
    run.save()


@transaction.atomic
def _score_batch(run: ScoringRun) -> bool:
    """Score one batch that no other worker is at; False where there is none."""
    rule_lock.share()
    batch = run.batches.select_for_update(of=("self",), skip_locked=True).order_by("pk").first()
    if batch is None:
        return False
    changed = _score_leads(run, batch)
    batch.delete()
    check_foreign_keys()  # the run's row is every worker's: hold it for a moment only
    ScoringRun.objects.filter(pk=run.pk).update(processed=F("processed") + batch.leads, changed=F("changed") + changed)
    return True


def _score_leads(run: ScoringRun, batch: ScoringBatch) -> int:
    """Leads that somebody changes at the same time are tried again, and at last locked before they are read."""
    rules = Compiled.active()
    cause = Cause(reason=run.reason, run_id=run.pk, user_id=run.started_by_id)
    changed = 0
    for tries in range(ROUNDS + 1):
        if tries == ROUNDS:
            leads = Lead.objects.open().filter(pk__range=(batch.first_lead, batch.last_lead)).order_by("pk")
            list(leads.select_for_update(no_key=True).values_list("pk"))
        written = write_scores(rules, Scope.between(batch.first_lead, batch.last_lead, timezone.now()), cause)
        changed += written.changed
        if not written.skipped:
            break
    return changed


@transaction.atomic
def _finish(run: ScoringRun) -> bool:
    """Close a run that has no batches left; False while other workers are at them."""
    run = ScoringRun.objects.select_for_update().get(pk=run.pk)
    if run.state == _State.RUNNING:
        if run.batches.exists():
            return False
        run.state, run.finished_at = _State.DONE, timezone.now()
        run.save()
    return True


@transaction.atomic
def _fail(run: ScoringRun, error: Exception) -> None:
    """End the run, keep why, and tell whoever started it (for the system's own: the admins)."""
    run.batches.all().delete()  # before the run is locked, as workers take them in this order
    run = ScoringRun.objects.select_for_update().get(pk=run.pk)
    if run.state not in ScoringRun.UNFINISHED:
        return  # a rule change has ended it
    run.state, run.finished_at, run.error = _State.FAILED, timezone.now(), f"{type(error).__name__}: {error}"[:500]
    run.save()
    people = Q(pk=run.started_by_id) if run.started_by_id else Q(is_active=True, role=Role.ADMIN)
    outbox.add_many(
        outbox.NewNotification(
            kind="run_failed",
            recipient_id=recipient,
            dedupe_key=f"run_failed:{run.pk}:{recipient}",
            context={"run_id": run.pk, "reason": run.reason, "error": run.error},
        )
        for recipient in User.objects.filter(people).order_by("pk").values_list("pk", flat=True)
    )
