"""One exception for each rule of sales that can be broken.

Each carries a stable `code` for programs and a sentence for people. `athena.config.api_errors` turns them into
HTTP, and the admin into messages.
"""

from collections.abc import Mapping


class SalesError(Exception):
    """A rule was broken; nothing was written."""

    code = "invalid"
    message = "That can't be done."

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or self.message)


class Invalid(SalesError):
    """A value is wrong. `fields` maps each field's name to what is wrong with it (HTTP 400)."""

    def __init__(self, fields: Mapping[str, str]) -> None:
        super().__init__(" ".join(f"{name}: {why}" for name, why in fields.items()))
        self.fields = dict(fields)


class NotFound(SalesError):
    """It is not there, or not visible to whoever asks (HTTP 404)."""

    code = "not_found"
    message = "Not found."


class NotAllowed(SalesError):
    """Visible, but not theirs to do (HTTP 403)."""

    code = "not_allowed"
    message = "You are not allowed to do that."


class NotYourLead(NotAllowed):
    code = "not_your_lead"
    message = "Only the lead's owner or a manager may change it."


class NotYourFollowUp(NotAllowed):
    code = "not_your_follow_up"
    message = "This follow-up is somebody else's."


class NotYourActivity(NotAllowed):
    code = "not_your_activity"
    message = "Only who logged it or a manager may correct it."


class ReceiverNotAllowed(NotAllowed):
    code = "receiver_not_allowed"
    message = "You may give leads to active colleagues of your team."


class OriginNotAllowed(NotAllowed):
    code = "origin_not_allowed"
    message = "This site is not among those that may use the form."


class Conflict(SalesError):
    """The state of things does not allow it (HTTP 409)."""

    code = "conflict"


class LeadClosed(Conflict):
    code = "lead_closed"
    message = "The lead is closed. Reopen it first."


class LeadMerged(Conflict):
    code = "lead_merged"
    message = "The lead was merged into another one, which has its story now."


class FollowUpClosed(Conflict):
    code = "follow_up_closed"
    message = "This follow-up is already completed or cancelled."


class CadenceRunning(Conflict):
    code = "cadence_running"
    message = "The lead is on a cadence. Stop that one first."


class NoCadence(Conflict):
    code = "no_cadence"
    message = "The lead is on no cadence."


class CadenceNotReady(Conflict):
    code = "cadence_not_ready"
    message = "Leads can't be put on this cadence: it is switched off, or has no steps."


class LeadUnassigned(Conflict):
    code = "lead_unowned"
    message = "The lead needs an owner who is active: its steps are theirs."


class NotWon(Conflict):
    code = "not_won"
    message = "Only a won trip with a pickup date can be repeated."


class AlreadyRepeated(Conflict):
    code = "already_repeated"
    message = "There is a new lead of this trip already."


class NotLoggedByHand(Conflict):
    code = "not_by_hand"
    message = "Athena wrote this itself: what was not logged by hand can't be corrected."


class StaleVersion(SalesError):
    """Somebody else changed it since it was read (HTTP 412)."""

    code = "changed"
    message = "This has been changed meanwhile. Read it again, then decide."


class TooManyRules(Conflict):
    code = "too_many_rules"
    message = "At most 200 rules can be active."


class NoCapacity(Conflict):
    code = "no_capacity"
    message = "They have as many open leads as they may have."


class AlreadyUndone(Conflict):
    code = "already_undone"
    message = "This transfer has been undone already."


class NotYourTransfer(NotAllowed):
    code = "not_your_transfer"
    message = "A transfer is undone by who made it, or by an administrator."


class LeadsRemain(Conflict):
    code = "leads_remain"
    message = "They still have open leads or follow-ups. Hand them over first."
