"""The first steps on the home page: who sees them, and how each is completed."""

import re
from html import unescape

import pytest
from django.core import mail
from django.urls import reverse

from athena.accounts.models import User
from notifications import delivery
from notifications.channels import ChannelUnavailable, PermanentFailure
from notifications.channels.email import EmailChannel
from notifications.emails import test_email
from notifications.models import Preference
from sales.models import IntakeForm, LeadSource

HOME = "/admin/"
WELCOME = "Welcome to Athena"


def read_first_steps(client):
    """Return the section of the home page with the first steps, or an empty text."""
    return (
        unescape(client.get(HOME).content.decode())
        .partition('aria-labelledby="first-steps"')[2]
        .partition("</section>")[0]
    )


def list_states(client):
    """Return the state of each first step, like "To do"."""
    return re.findall(r'class="step-state">([^<]+)<', read_first_steps(client))


def test_an_empty_system_shows_the_steps_and_no_empty_tables(browse, admin):
    page = browse(admin).get(HOME).content.decode()
    assert WELCOME in page
    assert "The team today" not in page
    assert "’s day" not in page
    assert list_states(browse(admin)) == ["To do"] * 4


def test_with_leads_the_teams_figures_follow_the_first_steps(browse, admin, make_lead):
    make_lead()
    page = browse(admin).get(HOME).content.decode()
    assert -1 < page.index(WELCOME) < page.index("The team today")


@pytest.mark.parametrize(("role", "step_count"), [("admin", 4), ("manager", 3), ("rep", 0)])
def test_users_see_only_the_steps_that_they_may_take(browse, request, role, step_count):
    client = browse(request.getfixturevalue(role))
    assert len(list_states(client)) == step_count
    links = re.findall(r'href="(/[^"]+)"', read_first_steps(client))
    assert bool(links) is bool(step_count)
    assert {link: client.get(link).status_code for link in links} == dict.fromkeys(links, 200)


def test_each_step_is_completed_on_the_page_that_it_links_to(browse, admin):
    client = browse(admin)
    user = {
        "email": "sam@example.com",
        "full_name": "Sam",
        "role": "rep",
        "time_zone": "UTC",
        "usable_password": "true",
        "password1": "sell-Buses-77",
        "password2": "sell-Buses-77",
    }
    form = {"name": "Web site", "is_active": "on"}
    source = {"name": "Web site", "channel": "web_form", "cost_model": "none", "is_active": "on"}
    lead = {"company_name": "Harbor Choir", "status": "new"}
    states_after_each_page = []
    for name, body in (
        ("accounts_user_add", user),
        ("sales_leadsource_add", source),
        ("sales_intakeform_add", form),
        ("sales_lead_add", lead),
    ):
        url = reverse(f"admin:{name}")
        assert f'href="{url}"' in read_first_steps(client)
        assert client.post(url, body).status_code == 302, name
        states_after_each_page.append(list_states(client))
    assert User.objects.filter(email="sam@example.com").exists()
    assert LeadSource.objects.count() == 1
    assert IntakeForm.objects.count() == 1
    assert states_after_each_page == [
        ["Done", "To do", "To do", "To do"],
        ["Done", "Done", "To do", "To do"],
        ["Done", "Done", "To do", "To do"],
        ["Done", "Done", "Done", "To do"],
    ]
    client.post(reverse("admin:notifications_delivery_test"), {"home": "1"})
    delivery.deliver()
    assert read_first_steps(client) == ""


def test_the_page_shows_the_result_of_the_test_email(browse, admin, monkeypatch):
    client, failures = browse(admin), []
    send = EmailChannel.send

    def send_or_fail(self, notification):
        if failures:
            raise failures.pop()
        send(self, notification)

    monkeypatch.setattr(EmailChannel, "send", send_or_fail)

    def send_test_email():
        url = reverse("admin:notifications_delivery_test")
        assert client.post(url, {"home": "1"})["Location"] == HOME
        assert "The test is waiting to be sent." in read_first_steps(client)
        delivery.deliver()
        return read_first_steps(client)

    failures.append(ChannelUnavailable("Connection refused"))
    section = send_test_email()
    assert "could not be sent" in section
    assert "Connection refused" in section
    failures.append(PermanentFailure("550 no such <b>user</b>"))
    section = send_test_email()
    assert "The test failed:" in section
    assert "550 no such <b>user</b>" in section
    assert "550 no such &lt;b&gt;user" in client.get(HOME).content.decode()
    preference = Preference.objects.create(user=admin, kind=test_email.KIND, channel="email", wanted=False)
    section = send_test_email()
    assert "you have turned test emails off" in section
    assert mail.outbox == []
    preference.delete()
    section = send_test_email()
    assert f"The test to {admin.email} was sent" in section
    assert len(mail.outbox) == 1


def test_a_test_email_from_the_list_of_deliveries_leads_back_to_it(browse, manager):
    client, deliveries = browse(manager), reverse("admin:notifications_delivery_changelist")
    assert "Send me a test email" in client.get(deliveries).content.decode()
    response = client.post(reverse("admin:notifications_delivery_test"), follow=True)
    assert response.redirect_chain == [(deliveries, 302)]
    assert f"A test email to {manager.email} is on its way." in response.content.decode()
    assert "Test email" in response.content.decode().partition('id="result_list"')[2]


def test_hidden_first_steps_are_gone_for_that_user_only(browse, manager, admin):
    response = browse(manager).post(reverse("admin:accounts_user_put_first_steps_away"), follow=True)
    assert response.redirect_chain == [(HOME, 302)]
    assert read_first_steps(browse(manager)) == ""
    assert len(list_states(browse(admin))) == 4
    assert "The team today" in response.content.decode()


def test_the_email_settings_are_shown_without_secrets(browse, admin, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_HOST_PASSWORD = "mail.example.com", "hunter2"
    section = read_first_steps(browse(admin))
    assert "through mail.example.com" in section
    assert "America/New_York" in section
    assert "hunter2" not in section


def test_the_login_page_explains_how_to_create_an_admin_until_there_is_a_user(client, db, make_user):
    login = reverse("admin:login")
    assert "make admin" in client.get(login).content.decode()
    make_user("ada")
    assert "make admin" not in client.get(login).content.decode()
