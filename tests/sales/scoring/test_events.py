"""Rules about what happened to a lead, and what time does to their points."""

from datetime import timedelta

import pytest

from tests.sales.scoring.conftest import NOW

DAY, MOMENT = timedelta(days=1), timedelta(microseconds=1)


@pytest.fixture
def rule(no_rules, make_rule):
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
def test_what_happened(rule, make_lead, log, points_of, kind, field, activity_type, direction):
    rule(field, kind=kind, points=1)
    rule(field, "equals", "false", kind=kind, points=10)
    answered, silent, asked = make_lead(), make_lead(), make_lead()
    log(answered, activity_type, direction=direction)
    log(answered, activity_type, direction=direction)
    log(asked, activity_type, direction="outbound")
    log(asked, "note", direction="inbound")
    outbound_counts = direction is None
    assert points_of([answered, silent, asked]) == [1, 10, 1 if outbound_counts else 10]


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
def test_how_often(rule, make_lead, log, points_of, operator, value, expected):
    rule("meeting_count", operator, value, points=1)
    leads = [make_lead() for _ in range(4)]
    for times, lead in enumerate(leads):
        log(lead, "call")
        for _ in range(times):
            log(lead, "meeting")
    assert points_of(leads) == expected


def test_outcomes_of_follow_ups(rule, make_lead, completed, points_of):
    rule("no_answer_count", "at_least", "2", kind="engagement", points=-5)
    once, twice, reached = make_lead(), make_lead(), make_lead()
    completed(once, "no_answer")
    completed(twice, "no_answer")
    completed(twice, "no_answer")
    completed(reached, "successful")
    completed(reached, "successful")
    assert points_of([once, twice, reached]) == [0, -5, 0]


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
def test_days_since_the_last_contact(rule, make_lead, log, points_of, operator, value, expected):
    rule("days_since_last_contact", operator, value, kind="engagement", points=1)
    leads = three_days, almost_three, to_come, never = [make_lead() for _ in range(4)]
    log(three_days, "call", occurred_at=NOW - 3 * DAY)
    log(three_days, "email", occurred_at=NOW - 9 * DAY)
    log(almost_three, "quote", occurred_at=NOW - 3 * DAY + MOMENT)
    log(to_come, "meeting", occurred_at=NOW + DAY)
    log(never, "note")
    assert points_of(leads) == expected


def test_only_what_happened_in_time_counts(rule, make_lead, log, points_of):
    rule("quote_requested", within_days=30, points=1)
    rule("call_count", "at_least", "2", within_days=30, points=10)
    rule("call_count", "at_most", "1", within_days=30, points=100)
    in_time, too_late = make_lead(), make_lead()
    for lead, oldest in ((in_time, NOW - 30 * DAY), (too_late, NOW - 30 * DAY - MOMENT)):
        log(lead, "quote_requested", occurred_at=oldest)
        log(lead, "call", occurred_at=oldest)
        log(lead, "call")
    assert points_of([in_time, too_late]) == [11, 100]


@pytest.mark.parametrize(
    ("points", "age", "expected"),
    [
        (20, timedelta(0), 20),
        (20, 10 * DAY, 10),
        (20, 20 * DAY, 5),
        (20, 30 * DAY, 3),  # 2.5: halves round up
        (-20, 30 * DAY, -2),
        (20, 10 * DAY - MOMENT, 11),  # nine whole days: 10.7
        (20, 3650 * DAY, 0),
        (-100, 100_000 * DAY, 0),
        (20, -5 * DAY, 20),
    ],
)
def test_points_fade(rule, make_lead, log, points_of, points, age, expected):
    rule("quote_requested", points=points, half_life_days=10)
    lead = make_lead()
    log(lead, "quote_requested", occurred_at=NOW - age)
    log(lead, "quote_requested", occurred_at=NOW - age - DAY)
    log(lead, "call")
    assert points_of([lead]) == [expected]


def test_what_never_happened_does_not_fade(rule, make_lead, points_of):
    rule("quote_requested", "equals", "false", points=20, half_life_days=1)
    assert points_of([make_lead()]) == [20]


def test_of_a_group_the_most_points_count(rule, make_rule, make_lead, points_of):
    for least, points in ((10, -30), (25, -10), (50, -20)):
        make_rule(
            condition_field="estimated_passengers",
            condition_operator="at_least",
            condition_value=str(least),
            points=points,
            group=" Size" if least == 25 else "size",
        )
    make_rule(points=7)
    make_rule(points=7, group="alone")
    sizes = [None, 5, 10, 25, 50]
    leads = [make_lead(estimated_passengers=size, is_repeat=size == 50) for size in sizes]
    assert points_of(leads) == [0, 0, -30, -10, 4]


def test_no_rules_no_points(no_rules, make_lead, points_of):
    assert points_of([make_lead(is_repeat=True)]) == [0]


def test_two_hundred_rules_add_up(no_rules, make_rule, make_lead, points_of):
    for number in range(200):
        make_rule(rule_name=f"Rule no. {number}", points=number - 90 if number < 190 else 0)
    assert points_of([make_lead(is_repeat=True), make_lead()]) == [sum(range(-90, 100)), 0]


def test_the_default_rules_all_fire(make_lead, log, points_of):
    whole = make_lead(estimated_passengers=51, estimated_value="5000.01", is_repeat=True)
    log(whole, "email", direction="inbound")
    log(whole, "call", direction="inbound")
    log(whole, "quote_requested")
    none = make_lead(estimated_passengers=25, estimated_value=2000)
    log(none, "email", direction="outbound")
    assert points_of([whole, none]) == [145, 0]


def test_a_broken_rule_is_left_out(no_rules, make_rule, make_lead, points_of):
    make_rule(points=5)
    make_rule(points=50, condition_field="password")
    make_rule(points=50, condition_operator="contains")
    make_rule(points=50, condition_value="maybe")
    make_rule(points=50, condition_field="estimated_passengers", condition_value="9" * 100)
    make_rule(points=50, rule_type="activity")
    make_rule(points=50, within_days=3)
    assert points_of([make_lead(is_repeat=True)]) == [5]
