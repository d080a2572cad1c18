"""Cadences: define them, enroll a lead in one, and go from step to step.

Whoever changes an enrollment holds the lock of its lead.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from athena.accounts.models import User, local_today
from sales import errors, normalization, policy, schedule
from sales.models import Cadence, CadenceEnrolment, CadenceStep, FieldChange, FollowUp, Lead
from sales.services import locks, unique_names
from sales.services.follow_ups import planning


@dataclass(frozen=True)
class UpcomingStep:
    """The next step of a cadence: due `days` days after the step before it was completed, for the lead's owner now."""

    enrolment: CadenceEnrolment
    day: int
    days: int
    follow_up_type: str
    notes: str
    assignee: User


@transaction.atomic
def save(*, by: User | None, cadence: Cadence, steps: Sequence[CadenceStep], removed: Sequence[CadenceStep]) -> None:
    """Save a new or changed cadence, already validated, with its new, changed and removed steps. For managers.

    Enrolled leads continue with the first step after the day that they have reached. Raises `NotAllowed`, `Invalid`.
    """
    policy.check_is_manager(by)
    cadence.name = normalization.collapse_spaces(cadence.name)
    unique_names.require_unused_name(cadence, "name")
    cadence.save()
    for step in removed:
        step.delete()
    for step in steps:
        step.cadence = cadence
        step.save()


@transaction.atomic
def enroll(*, by: User | None, lead_id: int, cadence_id: int) -> CadenceEnrolment:
    """Enroll a lead in a cadence: its first step becomes a follow-up for the lead's owner.

    Raises `NotFound`, `NotYourLead`, `LeadClosed`, `Invalid` (no such cadence), `CadenceNotReady`, `LeadUnowned`,
    `CadenceRunning`.
    """
    lead = locks.lock_visible_lead(by, lead_id)
    policy.check_may_change_lead(by, lead)
    if not lead.is_open:
        raise errors.LeadClosed
    cadence = Cadence.objects.filter(pk=cadence_id).first()
    if cadence is None:
        raise errors.Invalid({"cadence_id": "There is no such cadence."})
    first = cadence.steps.order_by("day").first()
    if first is None or not cadence.is_active:
        raise errors.CadenceNotReady
    owner = lead.assigned_to
    if owner is None or not owner.is_active:
        raise errors.LeadUnassigned
    if CadenceEnrolment.objects.running().filter(lead=lead).exists():
        raise errors.CadenceRunning
    follow_up = planning.plan_follow_up(
        lead=lead,
        by=by,
        assignee=owner,
        follow_up_type=first.follow_up_type,
        scheduled_date=schedule.move_to_working_day(local_today(owner) + timedelta(days=first.day)),
        scheduled_time=None,
        notes=first.notes,
    )
    enrolment = CadenceEnrolment.objects.create(lead=lead, cadence=cadence, day=first.day, follow_up=follow_up)
    _record_change(lead, by, None, cadence.name)
    planning.refresh_next_dates(Lead.objects.filter(pk=lead.pk))
    return enrolment


@transaction.atomic
def stop(*, by: User | None, lead_id: int, reason: str = "") -> CadenceEnrolment:
    """Stop the lead's cadence. The open follow-up stays, to be completed, rescheduled or canceled.

    Raises `NotFound`, `NotYourLead`, `NoCadence`.
    """
    lead = locks.lock_visible_lead(by, lead_id)
    policy.check_may_change_lead(by, lead)
    running = CadenceEnrolment.objects.running().select_related("cadence")
    enrolment: CadenceEnrolment | None = running.filter(lead=lead).first()
    if enrolment is None:
        raise errors.NoCadence
    _stop(enrolment, reason or "By hand")
    _record_change(lead, by, enrolment.cadence.name, None)
    return enrolment


def stop_for_leads(leads: "QuerySet[Lead]", *, reason: str) -> None:
    """Stop the cadences of these (locked) leads, inside the caller's transaction."""
    running = CadenceEnrolment.objects.running().filter(lead__in=leads.order_by().values("pk"))
    running.update(stopped_at=timezone.now(), stop_reason=reason)


def stop_all_but_one(kept_lead: Lead, other_leads: Collection[Lead], *, reason: str) -> None:
    """Stop the cadences of (locked) leads that are merged, except one: the kept lead's, or else the oldest."""
    running = CadenceEnrolment.objects.running().filter(lead__in=[kept_lead.pk, *(lead.pk for lead in other_leads)])
    rows = sorted(running.values_list("lead", "pk"), key=lambda row: (row[0] != kept_lead.pk, row[1]))
    running.filter(pk__in=[enrolment_id for _, enrolment_id in rows[1:]]).update(
        stopped_at=timezone.now(), stop_reason=reason
    )


def stop_at_follow_up(follow_up: FollowUp, *, reason: str) -> None:
    """Stop the cadence whose current step is this follow-up, if there is one."""
    running = CadenceEnrolment.objects.running().filter(follow_up=follow_up)
    running.update(stopped_at=timezone.now(), stop_reason=reason)


def find_next_or_stop(follow_up: FollowUp, *, stop_reason: str = "") -> UpcomingStep | None:
    """Find the cadence step after a follow-up that was just completed, or stop the cadence.

    Returns None if the follow-up is no step of a running cadence, or if the cadence stops: because of `stop_reason`,
    because the lead is closed, or after the last step.
    """
    enrolment = CadenceEnrolment.objects.running().filter(follow_up=follow_up).first()
    if enrolment is None:
        return None
    step = CadenceStep.objects.filter(cadence=enrolment.cadence_id, day__gt=enrolment.day).order_by("day").first()
    if stop_reason or step is None or not follow_up.lead.is_open:
        _stop(enrolment, stop_reason or "Finished")
        return None
    owner = follow_up.lead.assigned_to
    return UpcomingStep(
        enrolment=enrolment,
        day=step.day,
        days=step.day - enrolment.day,
        follow_up_type=step.follow_up_type,
        notes=step.notes,
        assignee=owner if owner is not None and owner.is_active else follow_up.assigned_to,
    )


def record_progress(step: UpcomingStep, follow_up: FollowUp) -> None:
    """Record that the lead has reached this step, for which `follow_up` is planned."""
    CadenceEnrolment.objects.filter(pk=step.enrolment.pk).update(day=step.day, follow_up=follow_up)


def _stop(enrolment: CadenceEnrolment, reason: str) -> None:
    enrolment.stopped_at, enrolment.stop_reason = timezone.now(), reason
    enrolment.save(update_fields=["stopped_at", "stop_reason"])


def _record_change(lead: Lead, by: User | None, old: str | None, new: str | None) -> None:
    FieldChange.objects.create(lead=lead, field="cadence", old=old, new=new, by=by)
