"""Two users edit the same row: neither loses their changes, and the later one is notified."""

from datetime import date

import pytest
from django.contrib.messages import get_messages
from django.urls import reverse

from sales.models import FieldChange, LeadScoringRule, LeadSource
from sales.services.follow_ups import follow_ups
from sales.services.follow_ups.completion import CompletionInput
from sales.services.leads import leads
from sales.services.scoring import scoring_rules
from tests.rights.forms import untouched

AT = {"pickup_at_0": "2027-05-07", "pickup_at_1": "08:30:00"}


@pytest.fixture
def open_page(browse):
    """Opens the page of a row, and returns a function that submits its form with some values changed."""

    def start(user, row):
        url = reverse(f"admin:sales_{row._meta.model_name}_change", args=[row.pk])
        client = browse(user)
        form = untouched(client.get(url).content.decode())

        def save(**values):
            response = client.post(url, form | values)
            if response.status_code == 200:
                form.update(untouched(response.content.decode()))
            return response

        return save

    return start


def list_messages(response):
    return [str(message) for message in get_messages(response.wsgi_request)]


def test_changes_of_both_people_stay_and_the_second_one_is_informed(open_page, rep, manager, make_lead):
    lead = make_lead(assigned_to=rep, notes="Two\nlines", estimated_value="1200.00", is_repeat=True)
    save = open_page(rep, lead)
    changes = {"status": "qualified", "is_repeat": False, "estimated_passengers": 40}
    leads.update(by=manager, lead_id=lead.pk, changes=changes)
    response = save(company_name="Jazz Band", **AT)
    lead.refresh_from_db()
    assert response.status_code == 302
    assert lead.company_name == "Jazz Band"
    assert lead.status == "qualified"
    assert lead.is_repeat is False
    assert lead.estimated_passengers == 40
    assert str(lead.pickup_at) == "2027-05-07 08:30:00+00:00"
    assert set(FieldChange.objects.filter(by=rep).values_list("field", flat=True)) == {"company_name", "pickup_at"}
    assert list_messages(response)[0] == (
        "Somebody else changed these fields in the meantime, and their changes were kept: Status is now “Qualified”,"
        " Estimated passengers is now “40”, Is repeat is now “False”."
    )


def test_a_field_that_both_changed_must_be_saved_twice(open_page, rep, manager, make_lead):
    lead = make_lead(assigned_to=rep, notes="")
    save = open_page(rep, lead)
    leads.update(by=manager, lead_id=lead.pk, changes={"notes": "Wants wifi", "estimated_value": 900})
    response = save(notes="Wants a toilet", contact_name="Ann")
    assert response.context["adminform"].form.errors == {
        "notes": ["Somebody else changed this to “Wants wifi”. Save again to keep your value."]
    }
    lead.refresh_from_db()
    assert lead.notes == "Wants wifi"
    assert lead.contact_name == ""
    assert save().status_code == 302
    lead.refresh_from_db()
    assert lead.notes == "Wants a toilet"
    assert lead.contact_name == "Ann"
    assert lead.estimated_value == 900


def test_the_same_value_from_both_users_is_no_conflict(open_page, rep, manager, make_lead):
    lead = make_lead(assigned_to=rep)
    save = open_page(rep, lead)
    leads.update(by=manager, lead_id=lead.pk, changes={"notes": "Wants wifi", "pickup_at": None})
    response = save(notes="Wants wifi")
    assert response.status_code == 302
    assert FieldChange.objects.filter(by=rep).count() == 0


def test_without_another_edit_there_is_no_message(open_page, rep, make_lead):
    lead = make_lead(assigned_to=rep, notes="Two\r\nlines", estimated_value="1200.00", pickup_at="2027-05-07T12:30Z")
    response = open_page(rep, lead)(contact_name="Ann")
    assert [message for message in list_messages(response) if "else" in message] == []
    assert list(FieldChange.objects.values_list("field", flat=True)) == ["contact_name"]


def test_typed_values_stay_on_the_page_of_a_follow_up_completed_meanwhile(open_page, rep, make_lead):
    lead = make_lead(assigned_to=rep)
    follow_up = follow_ups.create(by=rep, lead_id=lead.pk, follow_up_type="call", scheduled_date=date(2027, 1, 5))
    save = open_page(rep, follow_up)
    follow_ups.complete(by=rep, follow_up_id=follow_up.pk, completion_input=CompletionInput(outcome="voicemail"))
    response = save(notes="Ask for the deposit")
    assert response.context["adminform"].form.errors == {
        "__all__": ["This follow-up is already completed or canceled."]
    }
    assert "Ask for the deposit" in response.content.decode()


@pytest.mark.parametrize("is_same_field", [False, True])
def test_concurrent_edits_of_rules_and_sources_are_not_lost_either(open_page, manager, admin, is_same_field):
    rule, source = LeadScoringRule.objects.get(rule_name="Large Group Size"), LeadSource.objects.create(name="Fair")
    save_rule, save_source = open_page(manager, rule), open_page(manager, source)
    scoring_rules.update_rule(by=admin, rule_id=rule.pk, changes={"points": 7})
    LeadSource.objects.update(channel="phone")
    rule_values = {"points": "9"} if is_same_field else {"rule_name": "Large"}
    source_values = {"channel": "ads"} if is_same_field else {"name": "Trade fair"}
    status_code = 200 if is_same_field else 302
    assert save_rule(**rule_values).status_code == status_code
    assert save_source(**source_values).status_code == status_code
    rule.refresh_from_db()
    source.refresh_from_db()
    assert rule.points == 7
    assert rule.rule_name == ("Large Group Size" if is_same_field else "Large")
    assert source.channel == "phone"
    assert source.name == ("Fair" if is_same_field else "Trade fair")
