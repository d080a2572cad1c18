"""Rules in a browser: the form offers what fits, and works without its script; the list counts and switches."""

import pytest

from tests.browser.conftest import PHONE, WIDE

pytestmark = pytest.mark.live

LIST, ADD = "/admin/sales/leadscoringrule/", "/admin/sales/leadscoringrule/add/"
NUMBERS = ["equals", "not_equals", "greater_than", "at_least", "less_than", "at_most", "between", "in"]


def options(page, name):
    """What a list of the form offers, but for the dashes of nothing."""
    found = page.eval_on_selector_all(f"#id_{name} option", "options => options.map(option => option.value)")
    return [value for value in found if value]


def values(page):
    return page.eval_on_selector_all("#condition_choice option", "options => options.map(option => option.text)")


@pytest.mark.parametrize("width", [WIDE, PHONE])
def test_the_type_narrows_the_fields_and_the_field_the_rest(visit, width):
    here = visit("manager", width=width)
    page = here.go(ADD)
    everything = options(page, "condition_field")

    page.select_option("#id_rule_type", "engagement")
    fields = options(page, "condition_field")
    assert (fields[0], "is_repeat" in fields, "is_repeat" in everything) == ("email_response", False, True)

    page.select_option("#id_condition_field", "no_answer_count")
    assert options(page, "condition_operator") == NUMBERS
    assert page.text_content("#id_condition_value_helptext") == "A whole number."
    assert page.is_visible("#id_within_days")

    page.select_option("#id_rule_type", "")  # anything again: and then the field says which type it is
    assert options(page, "condition_field") == everything
    page.select_option("#id_condition_field", "trip_type")
    assert page.input_value("#id_rule_type") == "attribute"
    assert options(page, "condition_operator") == ["equals", "not_equals", "in", "is_set"]
    assert values(page) == ["---------", "One way", "Round trip", "Multi-day tour", "Shuttle"]
    assert page.is_hidden("#id_within_days")

    page.select_option("#id_condition_operator", "in")
    for box in ("Shuttle", "Round trip"):
        page.get_by_label(box, exact=True).check()
    assert page.input_value("#id_condition_value") == "round_trip,shuttle"
    page.select_option("#id_condition_operator", "is_set")
    assert (values(page), page.input_value("#id_condition_value")) == (["Yes", "No"], "true")
    assert here.problems() == []

    page.select_option("#id_condition_field", "estimated_passengers")
    page.select_option("#id_condition_operator", "between")
    assert (page.input_value("#id_condition_value"), page.is_visible("#id_condition_value")) == ("", True)
    assert "such as 25,50" in page.text_content("#id_condition_value_helptext")


def test_what_is_chosen_is_saved_and_comes_back(visit):
    page = visit("manager").go(ADD)
    page.fill("#id_rule_name", "Bids")
    page.select_option("#id_condition_field", "channel")
    page.select_option("#id_condition_operator", "in")
    for box in ("Bid or tender", "Referral"):
        page.get_by_label(box, exact=True).check()
    page.fill("#id_points", "5")
    page.uncheck("#id_is_active")
    page.click("[name=_continue]")
    page.wait_for_url("**/change/**")
    assert page.input_value("#id_condition_value") == "referral,bid"
    assert page.get_by_label("Referral", exact=True).is_checked()
    assert page.locator("#condition_choice :checked").count() == 2


def test_without_javascript_the_server_says_what_does_not_fit(visit):
    page = visit("manager", javascript=False).go(ADD)
    page.fill("#id_rule_name", "Shuttles")
    page.select_option("#id_rule_type", "attribute")
    page.select_option("#id_condition_field", "trip_type")
    page.select_option("#id_condition_operator", "at_least")
    page.fill("#id_condition_value", "shuttle")
    page.fill("#id_points", "5")
    page.uncheck("#id_is_active")
    page.click("[name=_save]")
    message = "“Kind of trip” takes these comparisons: is, is not, is one of, is known."
    assert page.text_content(".field-condition_operator .errorlist").strip() == message
    page.select_option("#id_condition_operator", "equals")
    page.click("[name=_save]")
    page.get_by_text("was added successfully").wait_for()


@pytest.mark.parametrize("javascript", [True, False])
def test_the_list_counts_and_switches(visit, javascript):
    here = visit("manager", javascript=javascript)
    page = here.go(LIST)
    row = page.locator("tr", has=page.get_by_role("link", name="Called Back", exact=True))
    if javascript:
        page.wait_for_selector("a[data-matches]", state="detached")
        assert int(row.locator(".field-matching_leads").inner_text()) > 0
    else:
        assert row.locator(".field-matching_leads").inner_text() == "Count"
    for state in ("Off", "On"):
        row.locator("button.switch").click()
        message = f"“Called Back” is {state.lower()}. A scoring run over all open leads has started."
        page.get_by_text(message).wait_for()
        assert row.locator("button.switch").inner_text().startswith(state)
