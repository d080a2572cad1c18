"""The home page of a new system: each step from its link to its end."""

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


def steps(client):
    """The first steps as a page has them, or nothing."""
    return (
        unescape(client.get(HOME).content.decode())
        .partition('aria-labelledby="first-steps"')[2]
        .partition("</section>")[0]
    )


def states(client):
    return re.findall(r'class="step-state">([^<]+)<', steps(client))


def test_an_empty_system_shows_the_steps_and_no_empty_tables(browse, admin):
    page = browse(admin).get(HOME).content.decode()
    assert (WELCOME in page, "The team today" in page, "’s day" in page) == (True, False, False)
    assert states(browse(admin)) == ["To do"] * 4


def test_with_leads_the_team_is_below(browse, admin, make_lead):
    make_lead()
    page = browse(admin).get(HOME).content.decode()
    assert -1 < page.index(WELCOME) < page.index("The team today")


@pytest.mark.parametrize(("who", "step_count"), [("admin", 4), ("manager", 3), ("rep", 0)])
def test_everybody_gets_the_steps_that_they_may_take(browse, request, who, step_count):
    client = browse(request.getfixturevalue(who))
    assert len(states(client)) == step_count
    links = re.findall(r'href="(/[^"]+)"', steps(client))
    assert bool(links) is bool(step_count)
    assert {link: client.get(link).status_code for link in links} == dict.fromkeys(links, 200)


def test_each_step_is_taken_where_its_link_leads(browse, admin):
    client = browse(admin)
    person = {"email": "sam@example.com", "full_name": "Sam", "role": "rep", "time_zone": "UTC",
              "usable_password": "true", "password1": "sell-Buses-77", "password2": "sell-Buses-77"}  # fmt: skip
    form = {"name": "Web site", "is_active": "on"}
    source = {"name": "Web site", "channel": "web_form", "cost_model": "none", "is_active": "on"}
    taken = []
    for name, body in (
        ("accounts_user_add", person), ("sales_leadsource_add", source), ("sales_intakeform_add", form),
        ("sales_lead_add", {"company_name": "Harbor Choir", "status": "new"}),
    ):  # fmt: skip
        url = reverse(f"admin:{name}")
        assert f'href="{url}"' in steps(client)
        assert client.post(url, body).status_code == 302, name
        taken.append(states(client))
    assert User.objects.filter(email="sam@example.com").exists()
    assert (LeadSource.objects.count(), IntakeForm.objects.count()) == (1, 1)
    assert taken == [
        ["Done", "To do", "To do", "To do"],
        ["Done", "Done", "To do", "To do"],
        ["Done", "Done", "To do", "To do"],
        ["Done", "Done", "Done", "To do"],
    ]
    client.post(reverse("admin:notifications_delivery_test"), {"home": "1"})
    delivery.deliver()
    assert steps(client) == ""


def test_the_test_e_mail_says_what_became_of_it(browse, admin, monkeypatch):
    client, fails = browse(admin), []
    send = EmailChannel.send

    def response(self, notification):
        if fails:
            raise fails.pop()
        send(self, notification)

    monkeypatch.setattr(EmailChannel, "send", response)

    def test():
        url = reverse("admin:notifications_delivery_test")
        assert client.post(url, {"home": "1"})["Location"] == HOME
        waits = "The test is waiting to be sent." in steps(client)
        delivery.deliver()
        return waits, steps(client)

    fails.append(ChannelUnavailable("Connection refused"))
    waits, said = test()
    assert (waits, "could not be sent" in said, "Connection refused" in said) == (True, True, True)
    fails.append(PermanentFailure("550 no such <b>user</b>"))
    waits, said = test()
    assert (waits, "The test failed:" in said, "550 no such <b>user</b>" in said) == (True, True, True)
    assert "550 no such &lt;b&gt;user" in client.get(HOME).content.decode()
    preference = Preference.objects.create(user=admin, kind=test_email.KIND, channel="email", wanted=False)
    waits, said = test()
    assert (waits, "you have turned test emails off" in said, mail.outbox) == (True, True, [])
    preference.delete()
    waits, said = test()
    assert (waits, f"The test to {admin.email} was sent" in said, len(mail.outbox)) == (True, True, 1)


def test_from_the_deliveries_one_comes_back_to_them(browse, manager):
    client, deliveries = browse(manager), reverse("admin:notifications_delivery_changelist")
    assert "Send me a test email" in client.get(deliveries).content.decode()
    response = client.post(reverse("admin:notifications_delivery_test"), follow=True)
    assert response.redirect_chain == [(deliveries, 302)]
    assert f"A test email to {manager.email} is on its way." in response.content.decode()
    assert "Test email" in response.content.decode().partition('id="result_list"')[2]


def test_put_away_they_are_gone(browse, manager, admin):
    response = browse(manager).post(reverse("admin:accounts_user_put_first_steps_away"), follow=True)
    assert response.redirect_chain == [(HOME, 302)]
    assert (steps(browse(manager)), len(states(browse(admin)))) == ("", 4)
    assert "The team today" in response.content.decode()


def test_the_settings_are_shown_without_secrets(browse, admin, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_HOST_PASSWORD = "mail.example.com", "hunter2"
    said = steps(browse(admin))
    assert ("through mail.example.com" in said, "America/New_York" in said, "hunter2" in said) == (True, True, False)


def test_the_way_in_is_said_until_there_is_somebody(client, db, make_user):
    login = reverse("admin:login")
    assert "make admin" in client.get(login).content.decode()
    make_user("ada")
    assert "make admin" not in client.get(login).content.decode()
