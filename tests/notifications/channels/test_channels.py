"""A channel sends only the kinds that name it, and only to users whom it can reach."""

from dataclasses import replace

import pytest
from django.db.models import Q
from django.urls import reverse

from athena.accounts.models import User
from notifications import channels, delivery, kinds, outbox
from notifications.models import Delivery, Notification, Preference


@pytest.fixture
def new_leads_by_pigeon(pigeon, monkeypatch):
    """The kind `lead_assigned` names the channel."""
    kind = kinds.get_kind("lead_assigned")
    monkeypatch.setitem(kinds._kinds, kind.name, replace(kind, channels=(*kind.channels, "pigeon")))


def notify(recipient: User, kind: str = "lead_assigned") -> None:
    context = {"lead_id": 7, "lead_name": "Band", "by_name": "Grace"}
    outbox.add(kind=kind, recipient_id=recipient.pk, dedupe_key=f"{kind} {recipient}", context=context)


def deliveries_by(channel: str) -> list[str]:
    rows = Delivery.objects.filter(channel=channel).order_by("pk")
    return list(rows.values_list("notification__dedupe_key", flat=True))


def test_a_new_channel_sends_nothing_by_itself(pigeon, rep, colleague):
    for kind in kinds.get_all():
        notify(rep, kind.name)
        notify(colleague, kind.name)
    assert len(deliveries_by("email")) == 2 * len(kinds.get_all())
    assert deliveries_by("pigeon") == []


def test_a_new_channel_is_no_preference_by_itself(pigeon, browse, rep):
    page = browse(rep).get(reverse("admin:notifications_preference_changelist"))
    assert "pigeon" not in page.context["channels"]
    assert "Carrier pigeon" not in page.content.decode()


def test_a_kind_that_names_it_is_sent_to_the_people_it_reaches(new_leads_by_pigeon, pigeon, rep, colleague):
    for recipient in (rep, colleague):
        notify(recipient, "lead_assigned")
        notify(recipient, "lead_unowned")
    assert deliveries_by("pigeon") == ["lead_assigned Maria"]
    assert delivery.deliver() == {"sent": 5}
    assert pigeon.sent == ["lead_assigned Maria"]


def test_a_channel_that_reaches_nobody_gets_no_deliveries(new_leads_by_pigeon, pigeon, monkeypatch, rep):
    monkeypatch.setattr(pigeon, "reachable_users", Q(pk__in=[]))
    notify(rep)
    assert deliveries_by("pigeon") == []
    assert deliveries_by("email") == ["lead_assigned Maria"]
    assert channels.find_unreachable(rep, ["pigeon"]) == {"pigeon"}


def test_many_at_once_of_several_kinds_each_take_their_channels(new_leads_by_pigeon, rep, colleague):
    outbox.add_many(
        outbox.NewNotification(kind, user.pk, f"{kind} {user}", {})
        for kind in ("lead_assigned", "lead_unowned")
        for user in (rep, colleague)
    )
    assert deliveries_by("pigeon") == ["lead_assigned Maria"]
    assert len(deliveries_by("email")) == 4


def test_a_user_may_turn_it_off_for_a_kind(new_leads_by_pigeon, pigeon, rep):
    Preference.objects.create(user=rep, kind="lead_assigned", channel="pigeon", wanted=False)
    notify(rep)
    assert delivery.deliver() == {"sent": 1, "off": 1}
    assert pigeon.sent == []


def test_a_kind_that_stops_naming_it_is_not_sent_any_longer_even_if_asked_for(pigeon, monkeypatch, rep):
    kind = kinds.get_kind("lead_assigned")
    with monkeypatch.context() as patch:
        patch.setitem(kinds._kinds, kind.name, replace(kind, channels=(*kind.channels, "pigeon")))
        notify(rep)
    Preference.objects.create(user=rep, kind="lead_assigned", channel="pigeon", wanted=True)
    assert delivery.deliver() == {"sent": 1, "off": 1}
    assert pigeon.sent == []


def test_a_kind_that_does_not_name_the_list_in_athena_is_not_in_it(monkeypatch, rep):
    notify(rep)
    assert Notification.objects.shown_to(rep).count() == 1
    kind = kinds.get_kind("lead_assigned")
    monkeypatch.setitem(kinds._kinds, kind.name, replace(kind, channels=(kinds.EMAIL,)))
    Preference.objects.create(user=rep, kind="lead_assigned", channel="in_app", wanted=True)
    assert Notification.objects.shown_to(rep).count() == 0


def test_the_preferences_page_has_a_box_where_a_kind_names_it(new_leads_by_pigeon, browse, rep):
    client, url = browse(rep), reverse("admin:notifications_preference_changelist")
    page = client.get(url)
    boxes = {kind.name: row for kind, row in page.context["form"].rows()}
    position = list(page.context["channels"]).index("pigeon")
    assert boxes["lead_assigned"][position].value() is True
    assert boxes["run_failed"][position] is None
    form = {"reminder_minutes": "15", "digest_hour": "6", "lead_assigned-email": "on", "lead_assigned-in_app": "on"}
    assert client.post(url, form).status_code == 302
    assert Preference.objects.get(user=rep, channel="pigeon").wanted is False


def test_the_preferences_page_says_whom_it_cannot_reach(new_leads_by_pigeon, browse, rep, colleague):
    url = reverse("admin:notifications_preference_changelist")
    assert "cannot reach you" not in browse(rep).get(url).content.decode()
    assert "cannot reach you" in browse(colleague).get(url).content.decode()
    assert channels.find_unreachable(colleague, ["email", "in_app", "pigeon"]) == {"pigeon"}


def test_the_api_refuses_a_channel_that_the_kind_does_not_name(api, rep, monkeypatch):
    kind = kinds.get_kind("run_failed")
    monkeypatch.setitem(kinds._kinds, kind.name, replace(kind, channels=(kinds.IN_APP,)))
    body = {"kinds": [{"kind": "run_failed", "channels": ["email"]}], "reminder_minutes": 5, "digest_hour": 7}
    answer = api(rep).put("/api/v1/notifications/preferences", body)
    assert answer.status_code == 400
    assert "Scoring run failed is not sent by Email." in str(answer.json()["kinds"])
    assert not Preference.objects.exists()


def test_a_channel_that_is_gone_is_called_by_its_name():
    assert channels.get_label("pigeon") == "pigeon"
