"""One exception for each business rule of sales.

Each has a stable `code` for programs and a `message` for people. `athena.config.api_errors` turns them into HTTP
responses, and the admin shows the message.
"""

from collections.abc import Mapping


class SalesError(Exception):
    """A business rule was broken; nothing was written."""

    code = "invalid"
    message = "That cannot be done."

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or self.message)


class Invalid(SalesError):
    """A value is wrong (HTTP 400). `fields` maps each field's name to a message."""

    def __init__(self, fields: Mapping[str, str]) -> None:
        super().__init__(" ".join(f"{name}: {message}" for name, message in fields.items()))
        self.fields = dict(fields)


class NotFound(SalesError):
    """The row does not exist, or the user may not see it (HTTP 404)."""

    code = "not_found"
    message = "Not found."


class NotAllowed(SalesError):
    """The user may see the row but not do this with it (HTTP 403)."""

    code = "not_allowed"
    message = "You are not allowed to do that."


class NotYourLead(NotAllowed):
    code = "not_your_lead"
    message = "Only the lead's owner or a manager may change this lead."


class NotYourFollowUp(NotAllowed):
    code = "not_your_follow_up"
    message = "This follow-up is assigned to somebody else."


class NotYourActivity(NotAllowed):
    code = "not_your_activity"
    message = "Only the person who logged this activity or a manager may correct it."


class ReceiverNotAllowed(NotAllowed):
    code = "receiver_not_allowed"
    message = "You may give leads only to active members of your team."


class OriginNotAllowed(NotAllowed):
    code = "origin_not_allowed"
    message = "This website is not allowed to use the form."


class Conflict(SalesError):
    """The current state does not allow this (HTTP 409)."""

    code = "conflict"


class LeadClosed(Conflict):
    code = "lead_closed"
    message = "The lead is closed. Reopen it first."


class LeadMerged(Conflict):
    code = "lead_merged"
    message = "This lead was merged into another lead, which has its timeline now."


class FollowUpClosed(Conflict):
    code = "follow_up_closed"
    message = "This follow-up is already completed or canceled."


class CadenceRunning(Conflict):
    code = "cadence_running"
    message = "The lead is already enrolled in a cadence. Stop that one first."


class NoCadence(Conflict):
    code = "no_cadence"
    message = "The lead is not enrolled in a cadence."


class CadenceNotReady(Conflict):
    code = "cadence_not_ready"
    message = "No lead can be enrolled in this cadence, because it is inactive or has no steps."


class LeadUnassigned(Conflict):
    code = "lead_unowned"
    message = "The lead needs an active owner, who will be assigned the steps."


class NotWon(Conflict):
    code = "not_won"
    message = "Only a won trip with a pickup date can be repeated."


class AlreadyRepeated(Conflict):
    code = "already_repeated"
    message = "This trip already has a repeat lead."


class NotLoggedByHand(Conflict):
    code = "not_by_hand"
    message = "Athena wrote this entry. Only activities that were logged by hand can be corrected."


class StaleVersion(SalesError):
    """Somebody else changed the row since it was read (HTTP 412)."""

    code = "changed"
    message = "Somebody changed this in the meantime. Read it again, then decide."


class TooManyRules(Conflict):
    code = "too_many_rules"
    message = "At most 200 rules can be active."


class NoCapacity(Conflict):
    code = "no_capacity"
    message = "The receivers already have as many open leads as their limits allow."


class AlreadyUndone(Conflict):
    code = "already_undone"
    message = "This transfer was already undone."


class NotYourTransfer(NotAllowed):
    code = "not_your_transfer"
    message = "Only the person who made a transfer or an administrator may undo it."


class LeadsRemain(Conflict):
    code = "leads_remain"
    message = "This user still has open leads or follow-ups. Hand them over first."
