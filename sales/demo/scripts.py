"""The steps of a sale: what the salesperson does, how it ends, and what the client says."""

from dataclasses import dataclass
from random import Random

from sales.models import Activity, FollowUp, Lead

Type, Outcome, Status = FollowUp.Type, FollowUp.Outcome, Lead.Status
UNDECIDED = "undecided"
LOST_REASONS = {
    "price": 30,
    "competitor": 19,
    "no_response": 21,
    "trip_cancelled": 13,
    "no_availability": 10,
    "outside_area": 4,
    "other": 3,
}
LOST_EARLY = ("no_availability", "outside_area", "other")


@dataclass(frozen=True)
class Step:
    """One follow-up: its instructions, its outcome, and the status of the lead afterwards."""

    type: FollowUp.Type
    instructions: str
    outcome: FollowUp.Outcome
    outcome_notes: str
    new_status: Lead.Status | None = None
    answer_probability: float = 0.0  # that the client writes or calls before it


ANSWERS = (
    (Activity.Type.EMAIL, "Email from the client", "Sent the passenger list and the address of the hotel."),
    (
        Activity.Type.EMAIL,
        "Email from the client",
        "Asked whether a deposit of ten per cent is enough to hold the date.",
    ),
    (Activity.Type.EMAIL, "Email from the client", "Confirmed the date; the head count may still grow a little."),
    (Activity.Type.EMAIL, "Email from the client", "Wants the driver's overnight room shown separately."),
    (Activity.Type.CALL, "The client called back", "Happy with the times; asked about luggage space."),
    (Activity.Type.CALL, "The client called back", "Would like a second stop on the way home."),
    (Activity.Type.CALL, "The client called back", "The committee meets next week and decides then."),
)
_LATER_QUOTE = (Activity.Type.QUOTE_REQUESTED, "Quote requested", "Asked for a written quote for the committee.")

_FIRST_STEPS = (
    Step(
        Type.CALL,
        "First call: dates, head count, stops",
        Outcome.SUCCESSFUL,
        "Spoke about the trip; keen.",
        Status.CONTACTED,
    ),
    Step(
        Type.EMAIL, "Thank them and ask for the itinerary", Outcome.SUCCESSFUL, "Sent our questions.", Status.CONTACTED
    ),
    Step(
        Type.CALL,
        "First call: dates, head count, stops",
        Outcome.VOICEMAIL,
        "Left my number and the web link.",
        Status.CONTACTED,
    ),
)
_QUALIFYING_STEPS = (
    Step(
        Type.CALL,
        "Check head count, budget and who decides",
        Outcome.SUCCESSFUL,
        "Dates are firm, budget is approved.",
        Status.QUALIFIED,
        0.4,
    ),
    Step(
        Type.MEETING,
        "Meet on site and look at the loading place",
        Outcome.SUCCESSFUL,
        "Room for two coaches at the gate.",
        Status.QUALIFIED,
        0.3,
    ),
    Step(
        Type.CALL,
        "Settle the vehicle and the times",
        Outcome.SUCCESSFUL,
        "They know what they want.",
        Status.QUALIFIED,
        0.4,
    ),
)
_QUOTE_STEPS = (
    Step(
        Type.QUOTE,
        "Send the quote",
        Outcome.SUCCESSFUL,
        "Quote sent with the vehicle's photographs.",
        Status.QUOTED,
        0.25,
    ),
    Step(
        Type.QUOTE,
        "Work out the price and send it",
        Outcome.SUCCESSFUL,
        "Quote sent, valid for three weeks.",
        Status.QUOTED,
        0.25,
    ),
)
_REMINDING_STEPS = (
    Step(
        Type.CALL,
        "Ask what they think of the quote",
        Outcome.SUCCESSFUL,
        "Likes it; waiting for the treasurer.",
        None,
        0.35,
    ),
    Step(Type.CALL, "Ask what they think of the quote", Outcome.NO_ANSWER, "", None, 0.1),
    Step(Type.CALL, "Call again about the quote", Outcome.VOICEMAIL, "Left a message with the assistant.", None, 0.1),
    Step(
        Type.EMAIL,
        "Remind them that the quote expires",
        Outcome.SUCCESSFUL,
        "Offered to hold the date until Friday.",
        None,
        0.3,
    ),
    Step(
        Type.CALL,
        "Go through the quote together",
        Outcome.RESCHEDULED,
        "In a meeting; asked to be called later.",
        None,
        0.1,
    ),
)
_UNANSWERED_STEPS = (
    Step(Type.CALL, "Try again by telephone", Outcome.NO_ANSWER, ""),
    Step(Type.CALL, "Try again by telephone", Outcome.VOICEMAIL, "Another message left."),
    Step(Type.EMAIL, "Ask whether the trip is still on", Outcome.NO_ANSWER, "No reply."),
)
_WINNING_STEPS = (
    Step(Type.CALL, "Ask for the booking", Outcome.SUCCESSFUL, "Booked; contract signed.", Status.WON, 0.4),
    Step(Type.EMAIL, "Send the contract", Outcome.SUCCESSFUL, "Signed contract came back.", Status.WON, 0.5),
)
AFTERWARDS = Step(Type.EMAIL, "Check that the coach is still held", Outcome.SUCCESSFUL, "")
PERMIT = Step(Type.OTHER, "Ask the airport for a bus permit", Outcome.SUCCESSFUL, "")
_LOSS_NOTES = {
    "price": "Found the price too high.",
    "competitor": "Booked with another operator.",
    "no_response": "Not to be reached; giving up.",
    "trip_cancelled": "The trip will not take place.",
    "no_availability": "All our coaches are out that day.",
    "outside_area": "Too far from our garages.",
    "other": "Uses the school district's own buses.",
}


def pick_ending(rng: Random, win_rate: float) -> str:
    """How the sale ends: "won", or the reason why the lead is lost."""
    if rng.random() < win_rate:
        return Status.WON.value
    return rng.choices(list(LOST_REASONS), list(LOST_REASONS.values()))[0]


def build_steps(rng: Random, end: str, reminders: int | None = None) -> list[Step]:
    """The steps of a sale with this ending. A client who is `UNDECIDED` gets as many reminders as there are."""
    first = rng.choice(_FIRST_STEPS)
    if end == "no_response":
        return [_FIRST_STEPS[2], *rng.sample(_UNANSWERED_STEPS, rng.randint(1, 3)), _build_loss_step(end)]
    if end in LOST_EARLY:
        return [first, _build_loss_step(end)]
    sale = [first, rng.choice(_QUALIFYING_STEPS), rng.choice(_QUOTE_STEPS)]
    sale += [rng.choice(_REMINDING_STEPS) for _ in range(rng.randint(0, 2) if reminders is None else reminders)]
    if end == UNDECIDED:
        return sale
    return [*sale, rng.choice(_WINNING_STEPS) if end == Status.WON else _build_loss_step(end)]


def pick_answer(rng: Random, may_ask_for_quote: bool) -> tuple[Activity.Type, str, str]:
    """What the client says: type, description, notes. Clients who may ask for a quote often do."""
    return _LATER_QUOTE if may_ask_for_quote and rng.random() < 0.5 else rng.choice(ANSWERS)


def _build_loss_step(reason: str) -> Step:
    return Step(Type.CALL, "Ask for a decision", Outcome.LOST, _LOSS_NOTES[reason], Status.LOST)
