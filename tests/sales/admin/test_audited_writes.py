"""The admin writes through the services, with their permission checks and change records."""

from datetime import UTC, datetime

import pytest
from django.urls import reverse

from athena.accounts.models import User
from notifications.models import Notification
from sales.models import Activity, FieldChange, FollowUp, Lead, LeadScoringRule, LeadSource, ScoringRun
from sales.services import activities
from tests.rights.forms import untouched


@pytest.fixture
def change(browse):
    def make(user, row, **values):
        url = reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])
        client = browse(user)
        return client.post(url, {**untouched(client.get(url).content.decode()), **values})

    return make


@pytest.fixture
def add(browse):
    def make(user, model, **values):
        url = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_add")
        client = browse(user)
        return client.post(url, {**untouched(client.get(url).content.decode()), **values})

    return make


def read_form_errors(response):
    assert response.status_code == 200
    return response.context["adminform"].form.errors


def test_a_salesperson_adds_a_lead(add, rep):
    response = add(rep, Lead, company_name="Band", email="A@example.com", estimated_passengers="60")
    lead = Lead.objects.get()
    assert response.status_code == 302
    assert lead.assigned_to == rep
    assert lead.score == 30
    assert lead.email_normalised == "a@example.com"


def test_a_manager_chooses_the_owner_who_is_notified(add, manager, rep):
    add(manager, Lead, company_name="Band", assigned_to=rep.pk)
    assert Lead.objects.get().assigned_to == rep
    assert Notification.objects.get().recipient == rep


def test_a_change_is_recorded_and_rescores_the_lead(change, rep, make_lead):
    lead = make_lead(assigned_to=rep)
    assert change(rep, lead, notes="Wants wifi", estimated_value="6000").status_code == 302
    lead.refresh_from_db()
    assert lead.notes == "Wants wifi"
    assert lead.score == 40
    assert lead.version > 1
    assert set(FieldChange.objects.values_list("field", "by")) == {("notes", rep.pk), ("estimated_value", rep.pk)}


def test_a_services_error_is_shown_beside_the_field_and_nothing_typed_is_lost(change, rep, make_lead):
    lead = make_lead(assigned_to=rep)
    response = change(rep, lead, status="lost", notes="They went by train")
    assert read_form_errors(response) == {"lost_reason": ["Choose why the lead was lost."]}
    assert "They went by train" in response.content.decode()
    lead.refresh_from_db()
    assert lead.status == "new"
    assert not FieldChange.objects.exists()


def test_a_colleagues_lead_is_read_only(browse, colleague, rep, make_lead):
    lead = make_lead(assigned_to=rep)
    url = reverse("admin:sales_lead_change", args=[lead.pk])
    assert "_save" not in browse(colleague).get(url).content.decode()
    assert browse(colleague).post(url, {"company_name": "Mine"}).status_code == 403


def test_a_manager_archives_and_restores_leads(browse, manager, rep, make_lead):
    lead = make_lead(assigned_to=rep)
    url = reverse("admin:sales_lead_changelist")
    data = {"action": "archive_selected", "_selected_action": [lead.pk]}
    confirmation = browse(manager).post(url, data)
    assert "Archive 1 lead?" in confirmation.content.decode()
    assert Lead.objects.visible_to(manager).count() == 1
    browse(manager).post(url, untouched(confirmation.content.decode()))
    assert Lead.objects.visible_to(manager).count() == 0
    assert "Lincoln" not in browse(manager).get(url).content.decode()
    browse(manager).post(f"{url}?archived=yes", {"action": "restore_selected", "_selected_action": [lead.pk]})
    assert Lead.objects.visible_to(rep).get() == lead
    assert "archive_selected" not in browse(rep).get(url).content.decode()


def test_follow_ups_are_planned_rescheduled_completed_and_canceled(add, change, browse, rep, make_lead):
    lead = make_lead(assigned_to=rep)
    add(rep, FollowUp, lead=lead.pk, follow_up_type="call", scheduled_date="2027-01-05")
    follow_up = FollowUp.objects.get()
    change(rep, follow_up, scheduled_date="2027-01-06")
    follow_up.refresh_from_db()
    assert follow_up.assigned_to == rep
    assert str(follow_up.scheduled_date) == "2027-01-06"
    assert follow_up.reminder_no == 2
    url = reverse("admin:sales_followup_complete", args=[follow_up.pk])
    assert browse(rep).get(url).status_code == 200
    refused = browse(rep).post(url, {"outcome": "lost", "close": "lost", "next_follow_up_days": 3})
    assert refused.context["form"].errors == {"lost_reason": ["Choose why the lead was lost."]}
    completed = browse(rep).post(url, {"outcome": "successful", "schedule_next": "on", "next_follow_up_days": 3})
    assert completed.status_code == 302
    assert Activity.objects.filter(follow_up=follow_up).count() == 1
    next_follow_up = FollowUp.objects.open().get()
    list_url = reverse("admin:sales_followup_changelist")
    cancel = {"action": "cancel_selected", "_selected_action": [next_follow_up.pk, follow_up.pk]}
    confirmation = browse(rep).post(list_url, cancel).content.decode()
    assert "1 open lead will have no follow-up:" in confirmation
    assert FollowUp.objects.open().count() == 1
    browse(rep).post(list_url, cancel | {"step": "confirm", "reason": "They call us"})
    assert FollowUp.objects.open().count() == 0


def test_a_follow_up_of_a_closed_lead_is_refused_with_a_message(add, rep, make_lead):
    lead = make_lead(assigned_to=rep, status="won")
    response = add(rep, FollowUp, lead=lead.pk, follow_up_type="call", scheduled_date="2027-01-05")
    assert read_form_errors(response) == {"__all__": ["The lead is closed. Reopen it first."]}


def test_a_logged_activity_rescores_the_lead(add, rep, make_lead):
    lead = make_lead(assigned_to=rep)
    add(rep, Activity, lead=lead.pk, activity_type="email", direction="inbound", notes="Yes")
    lead.refresh_from_db()
    assert Activity.objects.get().user == rep
    assert lead.score == 10


def test_scoring_rules_are_validated_and_start_a_scoring_run(add, change, browse, manager):
    rule = {
        "rule_name": "Vans",
        "rule_type": "attribute",
        "condition_field": "vehicle_type",
        "condition_operator": "equals",
        "condition_value": "van",
        "points": "5",
    }
    refused = add(manager, LeadScoringRule, **{**rule, "condition_operator": "greater_than"})
    assert list(read_form_errors(refused)) == ["condition_operator"]
    assert ScoringRun.objects.count() == 0
    assert add(manager, LeadScoringRule, **rule).status_code == 302
    added = LeadScoringRule.objects.get(rule_name="Vans")
    assert added.is_active is True
    assert ScoringRun.objects.count() == 1
    assert change(manager, added, points="7").status_code == 302
    added.refresh_from_db()
    assert added.points == 7
    assert added.version == 2
    browse(manager).post(reverse("admin:sales_leadscoringrule_delete", args=[added.pk]), {"post": "yes"})
    assert not LeadScoringRule.objects.filter(rule_name="Vans").exists()


def test_only_managers_start_a_scoring_run_with_the_button(browse, manager, rep):
    url = reverse("admin:sales_scoringrun_start")
    assert browse(manager).get(url).status_code == 405
    assert browse(rep).post(url).status_code == 403
    browse(manager).post(url)
    assert ScoringRun.objects.get().started_by == manager


def test_a_manager_adds_a_source(add, manager):
    add(manager, LeadSource, name="Fair", channel="trade_show", cost_model="monthly")
    assert LeadSource.objects.get().channel == "trade_show"


def test_an_admin_adds_and_deactivates_users(add, change, browse, admin, desk, client):
    add(
        admin,
        User,
        email="New@Example.com",
        full_name="New Rep",
        role="rep",
        team=desk.pk,
        time_zone="Europe/Berlin",
        password1="a-long-pass-phrase",
        password2="a-long-pass-phrase",
        usable_password="true",
    )
    user = User.objects.get(email="new@example.com")
    assert user.check_password("a-long-pass-phrase")
    assert user.time_zone == "Europe/Berlin"
    assert client.login(username="NEW@example.com", password="a-long-pass-phrase")
    change(admin, user, is_active="")
    user.refresh_from_db()
    assert user.is_active is False
    assert client.get("/admin/").status_code == 302
    assert browse(admin).get(reverse("admin:accounts_user_delete", args=[user.pk])).status_code == 403


def test_pages_show_times_in_the_users_time_zone(browse, rep, make_lead):
    rep.time_zone = "Asia/Tokyo"
    rep.save()
    lead = make_lead(assigned_to=rep)
    Lead.objects.filter(pk=lead.pk).update(pickup_at=datetime(2027, 1, 5, 20, 0, tzinfo=UTC))
    page = browse(rep).get(reverse("admin:sales_lead_change", args=[lead.pk])).content.decode()
    assert 'value="2027-01-06"' in page


def test_only_web_addresses_in_notes_become_links_and_markup_is_escaped(browse, rep, make_lead):
    lead = make_lead(assigned_to=rep)
    notes = "<script>x</script> https://a.example/quote.pdf javascript:alert(1)"
    activities.log(by=rep, lead_id=lead.pk, activity_type="note", notes=notes)
    page = browse(rep).get(reverse("admin:sales_lead_change", args=[lead.pk])).content.decode()
    link = '<a href="https://a.example/quote.pdf" rel="nofollow">https://a.example/quote.pdf</a>'
    assert f"&lt;script&gt;x&lt;/script&gt; {link} javascript:alert(1)" in page
