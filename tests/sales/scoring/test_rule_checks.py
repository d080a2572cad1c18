import pytest

from sales import errors
from sales.scoring import rule_checks

SOUND = {
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
QUOTE = {"rule_type": "activity", "condition_field": "quote_requested", "condition_operator": "equals"}


def wrong(**values):
    with pytest.raises(errors.Invalid) as caught:
        rule_checks.validate(SOUND | values)
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
        QUOTE | {"condition_value": "TRUE", "within_days": 1, "half_life_days": 3650},
    ],
)
def test_sound_rules_pass(values):
    rule_checks.validate(SOUND | values)


@pytest.mark.parametrize(
    "value", ["", "many", "50.5", "１２", "1e3", "1_000", "9" * 11, "NaN", "Infinity", "0x10", "--1"]
)
def test_passengers_are_a_whole_number(value):
    assert wrong(condition_value=value) == {"condition_value": "It is a whole number."}


@pytest.mark.parametrize("value", ["", "5000.001", "10000000000", "1,000", "$5"])
def test_money_has_two_decimals(value):
    assert wrong(condition_field="estimated_value", condition_value=value) == {
        "condition_value": "It is an amount with at most two decimals."
    }


@pytest.mark.parametrize("value", ["", "yes", "1", "truee"])
@pytest.mark.parametrize(("field", "operator"), [("is_repeat", "equals"), ("estimated_passengers", "is_set")])
def test_yes_and_no_are_true_and_false(field, operator, value):
    assert wrong(condition_field=field, condition_operator=operator, condition_value=value) == {
        "condition_value": "It is true or false."
    }


def test_a_choice_is_one_that_there_is():
    assert wrong(condition_field="trip_type", condition_operator="equals", condition_value="boat") == {
        "condition_value": "It is one of: one_way, round_trip, multi_day, shuttle."
    }


@pytest.mark.parametrize("value", ["", "  ", "a\x00b"])
def test_text_is_compared_with_something(value):
    assert wrong(condition_field="company_name", condition_operator="contains", condition_value=value) == {
        "condition_value": "Give the text to compare with."
    }


@pytest.mark.parametrize("value", ["10", "10,20,30", "50,10"])
def test_between_has_two_ends(value):
    assert wrong(condition_operator="between", condition_value=value) == {
        "condition_value": "Give the lower and the upper end, like 10,50."
    }


@pytest.mark.parametrize(
    ("field", "operator", "value", "why"),
    [
        ("estimated_passengers", "between", "1,many", "It is a whole number."),
        ("estimated_passengers", "in", "1,,2", "It is a whole number."),
        ("estimated_value", "in", "1,2.345", "It is an amount with at most two decimals."),
        ("company_name", "in", "choir,", "Give the text to compare with."),
        ("trip_type", "in", "shuttle,boat", "It is one of: one_way, round_trip, multi_day, shuttle."),
    ],
)
def test_each_part_of_a_list_is_checked(field, operator, value, why):
    assert wrong(condition_field=field, condition_operator=operator, condition_value=value) == {"condition_value": why}


def test_an_operator_must_suit_the_field():
    assert wrong(condition_field="is_repeat", condition_operator="greater_than") == {
        "condition_operator": "For is_repeat it is one of: equals, not_equals."
    }


def test_only_fields_of_the_registry_can_be_asked():
    why = wrong(condition_field="password")["condition_field"]
    assert why.startswith("A rule of this type may ask: accessible_seats, campaign, ")
    assert wrong(rule_type="activity").keys() == {"condition_field"}
    assert wrong(rule_type="horoscope") == {"rule_type": "There is no such type of rule."}


def test_only_what_happens_at_a_time_has_days():
    why = "estimated_passengers does not happen at a time."
    assert wrong(within_days=30, half_life_days=10) == {"within_days": why, "half_life_days": why}


def test_bounds_and_several_mistakes_at_once():
    values = QUOTE | {
        "condition_value": "x" * 256,
        "rule_name": " ",
        "points": 101,
        "within_days": 0,
        "group": "g" * 51,
    }
    assert wrong(**values, half_life_days=3651) == {
        "rule_name": "Give the rule a name of at most 100 characters.",
        "points": "Points are from −100 to 100.",
        "within_days": "Days are from 1 to 3650.",
        "half_life_days": "Days are from 1 to 3650.",
        "group": "At most 50 characters.",
        "condition_value": "It is true or false.",
    }
