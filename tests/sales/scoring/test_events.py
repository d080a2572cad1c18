"""Rules about activities and follow-ups of a lead, and how their points decay."""

from datetime import timedelta

import pytest

from tests.sales.scoring.conftest import NOW

DAY, MICROSECOND = timedelta(days=1), timedelta(microseconds=1)


@pytest.fixture
def make_event_rule(no_rules, make_rule):
    def make(field, operator="equals", value="true", *, kind="activity", **fields):
        return make_rule(
            rule_type=kind, condition_field=field, condition_operator=operator, condition_value=value, **fields
        )

    return make


@pytest.mark.parametrize(
    ("kind", "field", "activity_type", "direction"),
    [
        ("activity", "quote_requested", "quote_requested", None),
        ("engagement", "email_response", "email", "inbound"),
        ("engagement", "phone_response", "call", "inbound"),
    ],
)
def test_whether_an_event_occurred(
    make_event_rule, make_lead, log, compute_points, kind, field, activity_type, direction
):
    make_event_rule(field, kind=kind, points=1)
    make_event_rule(field, "equals", "false", kind=kind, points=10)
    inbound, silent, outbound = make_lead(), make_lead(), make_lead()
    log(inbound, activity_type, direction=direction)
    log(inbound, activity_type, direction=direction)
    log(outbound, activity_type, direction="outbound")
    log(outbound, "note", direction="inbound")
    outbound_counts = direction is None

    assert compute_points([inbound, silent, outbound]) == [1, 10, 1 if outbound_counts else 10]


@pytest.mark.parametrize(
    ("operator", "value", "expected"),
    [
        ("equals", "2", [0, 0, 1, 0]),
        ("equals", "0", [1, 0, 0, 0]),
        ("not_equals", "2", [1, 1, 0, 1]),
        ("not_equals", "0", [0, 1, 1, 1]),
        ("greater_than", "1", [0, 0, 1, 1]),
        ("greater_than", "-1", [1, 1, 1, 1]),
        ("at_least", "3", [0, 0, 0, 1]),
        ("at_least", "0", [1, 1, 1, 1]),
        ("less_than", "2", [1, 1, 0, 0]),
        ("less_than", "0", [0, 0, 0, 0]),
        ("at_most", "2", [1, 1, 1, 0]),
        ("at_most", "0", [1, 0, 0, 0]),
    ],
)
def test_the_number_of_events(make_event_rule, make_lead, log, compute_points, operator, value, expected):
    make_event_rule("meeting_count", operator, value, points=1)
    leads = [make_lead() for _ in range(4)]
    for times, lead in enumerate(leads):
        log(lead, "call")
        for _ in range(times):
            log(lead, "meeting")
    assert compute_points(leads) == expected


def test_the_number_of_outcomes_of_follow_ups(make_event_rule, make_lead, complete, compute_points):
    make_event_rule("no_answer_count", "at_least", "2", kind="engagement", points=-5)
    once, twice, reached = make_lead(), make_lead(), make_lead()
    complete(once, "no_answer")
    complete(twice, "no_answer")
    complete(twice, "no_answer")
    complete(reached, "successful")
    complete(reached, "successful")

    assert compute_points([once, twice, reached]) == [0, -5, 0]


@pytest.mark.parametrize(
    ("operator", "value", "expected"),
    [
        ("equals", "3", [1, 0, 0, 0]),
        ("not_equals", "3", [0, 1, 1, 0]),
        ("greater_than", "2", [1, 0, 0, 0]),
        ("at_least", "2", [1, 1, 0, 0]),
        ("less_than", "3", [0, 1, 1, 0]),
        ("at_most", "0", [0, 0, 1, 0]),
        ("is_set", "true", [1, 1, 1, 0]),
        ("is_set", "false", [0, 0, 0, 1]),
    ],
)
def test_days_since_the_last_contact(make_event_rule, make_lead, log, compute_points, operator, value, expected):
    make_event_rule("days_since_last_contact", operator, value, kind="engagement", points=1)
    leads = three_days, almost_three, to_come, never = [make_lead() for _ in range(4)]
    log(three_days, "call", occurred_at=NOW - 3 * DAY)
    log(three_days, "email", occurred_at=NOW - 9 * DAY)
    log(almost_three, "quote", occurred_at=NOW - 3 * DAY + MICROSECOND)
    log(to_come, "meeting", occurred_at=NOW + DAY)
    log(never, "note")

    assert compute_points(leads) == expected


def test_only_events_within_the_days_of_the_rule_count(make_event_rule, make_lead, log, compute_points):
    make_event_rule("quote_requested", within_days=30, points=1)
    make_event_rule("call_count", "at_least", "2", within_days=30, points=10)
    make_event_rule("call_count", "at_most", "1", within_days=30, points=100)
    in_time, too_late = make_lead(), make_lead()
    for lead, oldest in ((in_time, NOW - 30 * DAY), (too_late, NOW - 30 * DAY - MICROSECOND)):
        log(lead, "quote_requested", occurred_at=oldest)
        log(lead, "call", occurred_at=oldest)
        log(lead, "call")

    assert compute_points([in_time, too_late]) == [11, 100]


@pytest.mark.parametrize(
    ("points", "age", "expected"),
    [
        (20, timedelta(0), 20),
        (20, 10 * DAY, 10),
        (20, 20 * DAY, 5),
        (20, 30 * DAY, 3),  # 2.5: halves round up
        (-20, 30 * DAY, -2),
        (20, 10 * DAY - MICROSECOND, 11),  # nine whole days: 10.7
        (20, 3650 * DAY, 0),
        (-100, 100_000 * DAY, 0),
        (20, -5 * DAY, 20),
    ],
)
def test_points_decay_with_the_half_life(make_event_rule, make_lead, log, compute_points, points, age, expected):
    make_event_rule("quote_requested", points=points, half_life_days=10)
    lead = make_lead()
    log(lead, "quote_requested", occurred_at=NOW - age)
    log(lead, "quote_requested", occurred_at=NOW - age - DAY)
    log(lead, "call")

    assert compute_points([lead]) == [expected]


def test_points_for_a_missing_event_do_not_decay(make_event_rule, make_lead, compute_points):
    make_event_rule("quote_requested", "equals", "false", points=20, half_life_days=1)
    assert compute_points([make_lead()]) == [20]


def test_only_the_rule_with_most_points_of_a_group_counts(no_rules, make_rule, make_lead, compute_points):
    for min_passengers, points in ((10, -30), (25, -10), (50, -20)):
        make_rule(
            condition_field="estimated_passengers",
            condition_operator="at_least",
            condition_value=str(min_passengers),
            points=points,
            group=" Size" if min_passengers == 25 else "size",
        )
    make_rule(points=7)
    make_rule(points=7, group="alone")
    sizes = [None, 5, 10, 25, 50]
    leads = [make_lead(estimated_passengers=size, is_repeat=size == 50) for size in sizes]

    assert compute_points(leads) == [0, 0, -30, -10, 4]


def test_without_rules_there_are_no_points(no_rules, make_lead, compute_points):
    assert compute_points([make_lead(is_repeat=True)]) == [0]


def test_two_hundred_rules_add_up(no_rules, make_rule, make_lead, compute_points):
    for number in range(200):
        make_rule(rule_name=f"Rule no. {number}", points=number - 90 if number < 190 else 0)
    assert compute_points([make_lead(is_repeat=True), make_lead()]) == [sum(range(-90, 100)), 0]


def test_all_default_rules_can_match(make_lead, log, compute_points):
    perfect = make_lead(estimated_passengers=51, estimated_value="5000.01", is_repeat=True)
    log(perfect, "email", direction="inbound")
    log(perfect, "call", direction="inbound")
    log(perfect, "quote_requested")
    poor = make_lead(estimated_passengers=25, estimated_value=2000)
    log(poor, "email", direction="outbound")

    assert compute_points([perfect, poor]) == [145, 0]


def test_invalid_rules_are_left_out(no_rules, make_rule, make_lead, compute_points):
    make_rule(points=5)
    make_rule(points=50, condition_field="password")
    make_rule(points=50, condition_operator="contains")
    make_rule(points=50, condition_value="maybe")
    make_rule(points=50, condition_field="estimated_passengers", condition_value="9" * 100)
    make_rule(points=50, rule_type="activity")
    make_rule(points=50, within_days=3)

    assert compute_points([make_lead(is_repeat=True)]) == [5]
