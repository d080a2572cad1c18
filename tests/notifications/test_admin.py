"""The admin's pages: the user's notifications and preferences, and the deliveries."""

from datetime import timedelta
from html import unescape

import pytest
from django.urls import reverse
from django.utils import timezone

from notifications import outbox
from notifications.models import Delivery, Notification, Preference
from sales.services.follow_ups import follow_ups, reminders


@pytest.fixture
def tell():
    def make(recipient, key="a", name="Band", **options):
        context = {"lead_id": 7, "lead_name": name, "by_name": "Grace"}
        outbox.add(kind="lead_assigned", recipient_id=recipient.pk, dedupe_key=key, context=context, **options)
        return Notification.objects.get(dedupe_key=key)

    return make


def page(client, name, **query):
    answer = client.get(reverse(f"admin:{name}", query=query or None))
    assert answer.status_code == 200
    return unescape(answer.content.decode())


def badge(client):
    text = page(client, "index")
    return text.partition('class="badge">')[2].partition("<")[0]


def test_the_bell_counts_what_is_unread_and_wanted_there(browse, rep, colleague, tell):
    client = browse(rep)
    assert badge(client) == ""
    tell(rep, "a"), tell(rep, "b"), tell(colleague, "c"), tell(rep, "d", not_before=timezone.now() + timedelta(hours=1))
    assert badge(client) == "2"
    Notification.objects.filter(dedupe_key="a").update(read_at=timezone.now())
    assert badge(client) == "1"
    Preference.objects.create(user=rep, kind="lead_assigned", channel="in_app", wanted=False)
    assert badge(client) == ""


def test_the_bell_counts_to_ninety_nine(browse, rep):
    message = {"kind": "lead_assigned", "recipient_id": rep.pk, "context": {}}
    outbox.add_many(outbox.NewNotification(dedupe_key=str(number), **message) for number in range(100))
    assert badge(browse(rep)) == "99+"


def test_opening_one_marks_it_read_and_leads_to_what_it_is_about(browse, rep, tell):
    row, client = tell(rep, name="<b>Band</b>"), browse(rep)
    assert "New lead for you: <b>Band</b>" in page(client, "notifications_notification_changelist", read="no")
    answer = client.post(reverse("admin:notifications_notification_open", args=[row.pk]))
    assert (answer.status_code, answer["Location"]) == (302, "/admin/sales/lead/7/change/")
    assert "New lead for you" not in page(client, "notifications_notification_changelist", read="no")
    assert "New lead for you" in page(client, "notifications_notification_changelist", read="yes")


def test_what_people_typed_stays_text_in_the_list(browse, rep, tell):
    tell(rep, name="<script>alert(1)</script>{{ 7|add:7 }}")
    text = browse(rep).get(reverse("admin:notifications_notification_changelist")).content.decode()
    assert ("<script>alert" in text, "&lt;script&gt;alert(1)&lt;/script&gt;{{ 7|add:7 }}" in text) == (False, True)


def test_all_are_marked_read(browse, rep, colleague, tell):
    tell(rep, "a"), tell(rep, "b"), tell(colleague, "c")
    browse(rep).post(reverse("admin:notifications_notification_read_all"))
    assert list(Notification.objects.filter(read_at=None).values_list("dedupe_key", flat=True)) == ["c"]


def test_preferences_are_saved_and_shown(browse, rep):
    client, url = browse(rep), reverse("admin:notifications_preference_changelist")
    form = {"reminder_minutes": "15", "digest_hour": "6", "run_failed-email": "on", "lead_assigned-in_app": "on"}
    assert client.post(url, form).status_code == 302
    rep.refresh_from_db()
    assert (rep.reminder_minutes, rep.digest_hour) == (15, 6)
    rows = {kind.name: [box.value() for box in boxes[:2]] for kind, boxes in client.get(url).context["form"].rows()}
    assert (rows["run_failed"], rows["lead_assigned"], rows["follow_up_due"]) == (
        [True, False], [False, True], [False, False],
    )  # fmt: skip


@pytest.mark.parametrize("wrong", [{"reminder_minutes": "-1"}, {"digest_hour": "24"}, {"reminder_minutes": ""}])
def test_preferences_that_make_no_sense_are_said(browse, rep, wrong):
    form = {"reminder_minutes": "15", "digest_hour": "6"} | wrong
    answer = browse(rep).post(reverse("admin:notifications_preference_changelist"), form)
    assert (answer.status_code, list(answer.context["form"].errors)) == (200, list(wrong))
    assert not Preference.objects.exists()


def test_delivery_shows_each_manager_their_people(browse, manager, admin, rep, stranger, tell):
    tell(rep, "a"), tell(stranger, "b")
    for who, names in ((manager, ["Maria"]), (admin, ["Maria", "Otto"])):
        answer = browse(who).get(reverse("admin:notifications_delivery_changelist"))
        assert sorted(str(row.notification.recipient) for row in answer.context["cl"].result_list) == names
        assert answer.context["channel_stats"][0][1].due == len(names)


def test_what_was_given_up_is_sent_again_and_says_who_asked(browse, manager, rep, stranger, tell):
    for user, key in ((rep, "a"), (stranger, "b")):
        tell(user, key)
    Delivery.objects.update(state="dead", ended_at=timezone.now(), attempts=26, last_error="No")
    mine, other = Delivery.objects.order_by("pk")
    client = browse(manager)
    text = page(client, "notifications_delivery_changelist")
    assert ("Failed" in text, ">No<" in text) == (True, True)
    statuses = [
        client.post(reverse("admin:notifications_delivery_retry", args=[each.pk])).status_code for each in (mine, other)
    ]
    mine.refresh_from_db(), other.refresh_from_db()
    assert statuses == [302, 404]
    assert (mine.state, mine.attempts, mine.retried_by, mine.ended_at) == ("waiting", 0, manager, None)
    assert (other.state, other.retried_by) == ("dead", None)


def test_a_follow_ups_page_says_what_became_of_its_reminders(browse, rep, make_lead):
    lead = make_lead(assigned_to=rep)
    day = timezone.localdate() + timedelta(days=30)
    plan = follow_ups.create(by=rep, lead_id=lead.pk, follow_up_type="call", scheduled_date=day)
    client, url = browse(rep), reverse("admin:sales_followup_change", args=[plan.pk])
    assert '<td>Maria</td><td colspan="3">At ' in client.get(url).content.decode()
    type(plan).objects.update(remind_at=timezone.now())
    reminders.send_due_reminders()
    Delivery.objects.update(state="dead", ended_at=timezone.now(), last_error="550 No such user")
    text = client.get(url).content.decode()
    assert all(part in text for part in ("550 No such user", "Email"))
