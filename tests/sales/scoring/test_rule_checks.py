import pytest

from sales import errors
from sales.scoring import rule_checks

VALID_RULE = {
    "rule_name": "Big group",
    "rule_type": "attribute",
    "condition_field": "estimated_passengers",
    "condition_operator": "greater_than",
    "condition_value": "50",
    "points": 20,
    "is_active": True,
    "within_days": None,
    "half_life_days": None,
    "group": "",
}
QUOTE_REQUESTED = {"rule_type": "activity", "condition_field": "quote_requested", "condition_operator": "equals"}


def validate_and_get_errors(**values):
    with pytest.raises(errors.Invalid) as caught:
        rule_checks.validate(VALID_RULE | values)
    return caught.value.fields


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"condition_value": " 50 "},
        {"condition_value": "+50.00"},
        {"condition_operator": "is_set", "condition_value": "False"},
        {"condition_operator": "between", "condition_value": "10, 50"},
        {"condition_operator": "in", "condition_value": "54,55,56"},
        {"points": -100, "group": "g" * 50},
        QUOTE_REQUESTED | {"condition_value": "TRUE", "within_days": 1, "half_life_days": 3650},
    ],
)
def test_valid_rules_pass(values):
    rule_checks.validate(VALID_RULE | values)


@pytest.mark.parametrize(
    "value", ["", "many", "50.5", "１２", "1e3", "1_000", "9" * 11, "NaN", "Infinity", "0x10", "--1"]
)
def test_the_number_of_passengers_must_be_a_whole_number(value):
    problems = validate_and_get_errors(condition_value=value)

    assert problems == {"condition_value": "Enter a whole number."}


@pytest.mark.parametrize("value", ["", "5000.001", "10000000000", "1,000", "$5"])
def test_an_amount_has_at_most_two_decimals(value):
    problems = validate_and_get_errors(condition_field="estimated_value", condition_value=value)

    assert problems == {"condition_value": "Enter an amount with at most two decimals."}


@pytest.mark.parametrize("value", ["", "yes", "1", "truee"])
@pytest.mark.parametrize(("field", "operator"), [("is_repeat", "equals"), ("estimated_passengers", "is_set")])
def test_a_boolean_is_true_or_false(field, operator, value):
    problems = validate_and_get_errors(condition_field=field, condition_operator=operator, condition_value=value)

    assert problems == {"condition_value": "Enter true or false."}


def test_a_choice_must_exist():
    problems = validate_and_get_errors(condition_field="trip_type", condition_operator="equals", condition_value="boat")

    assert problems == {"condition_value": "Enter one of: one_way, round_trip, multi_day, shuttle."}


@pytest.mark.parametrize("value", ["", "  ", "a\x00b"])
def test_text_needs_something_to_compare_with(value):
    problems = validate_and_get_errors(
        condition_field="company_name", condition_operator="contains", condition_value=value
    )

    assert problems == {"condition_value": "Enter the text to compare with."}


@pytest.mark.parametrize("value", ["10", "10,20,30", "50,10"])
def test_between_takes_a_lower_and_an_upper_limit(value):
    problems = validate_and_get_errors(condition_operator="between", condition_value=value)

    assert problems == {"condition_value": "Enter the lower and the upper limit, such as 10,50."}


@pytest.mark.parametrize(
    ("field", "operator", "value", "problem"),
    [
        ("estimated_passengers", "between", "1,many", "Enter a whole number."),
        ("estimated_passengers", "in", "1,,2", "Enter a whole number."),
        ("estimated_value", "in", "1,2.345", "Enter an amount with at most two decimals."),
        ("company_name", "in", "choir,", "Enter the text to compare with."),
        ("trip_type", "in", "shuttle,boat", "Enter one of: one_way, round_trip, multi_day, shuttle."),
    ],
)
def test_each_part_of_a_list_is_checked(field, operator, value, problem):
    problems = validate_and_get_errors(condition_field=field, condition_operator=operator, condition_value=value)

    assert problems == {"condition_value": problem}


def test_an_operator_must_go_with_the_field():
    problems = validate_and_get_errors(condition_field="is_repeat", condition_operator="greater_than")

    assert problems == {"condition_operator": "The field is_repeat takes: equals, not_equals."}


def test_a_rule_can_name_only_fields_of_the_registry():
    problems = validate_and_get_errors(condition_field="password")

    assert problems["condition_field"].startswith("A rule of this type can use: accessible_seats, campaign, ")


def test_a_rule_can_name_only_fields_of_its_type():
    assert validate_and_get_errors(rule_type="activity").keys() == {"condition_field"}


def test_a_rule_must_have_a_type_that_exists():
    assert validate_and_get_errors(rule_type="horoscope") == {"rule_type": "There is no such type of rule."}


def test_only_fields_with_events_take_days():
    problem = "The field estimated_passengers does not come from events, so leave this empty."

    problems = validate_and_get_errors(within_days=30, half_life_days=10)

    assert problems == {"within_days": problem, "half_life_days": problem}


def test_limits_are_checked_and_several_problems_reported_at_once():
    problems = validate_and_get_errors(
        **QUOTE_REQUESTED,
        condition_value="x" * 256,
        rule_name=" ",
        points=101,
        within_days=0,
        group="g" * 51,
        half_life_days=3651,
    )

    assert problems == {
        "rule_name": "Enter a name of at most 100 characters.",
        "points": "Enter a number of points from −100 to 100.",
        "within_days": "Enter a number of days from 1 to 3650.",
        "half_life_days": "Enter a number of days from 1 to 3650.",
        "group": "Enter at most 50 characters.",
        "condition_value": "Enter true or false.",
    }
