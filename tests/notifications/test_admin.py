"""The admin's pages: the user's notifications and preferences, and the deliveries."""

from datetime import timedelta
from html import unescape

import pytest
from django.urls import reverse
from django.utils import timezone

from notifications import outbox
from notifications.models import Delivery, Notification, Preference
from sales.services.follow_ups import follow_ups, reminders

LIST = "notifications_notification_changelist"
PREFERENCES = reverse("admin:notifications_preference_changelist")
DELIVERIES = reverse("admin:notifications_delivery_changelist")


@pytest.fixture
def notify():
    """Writes a notification and returns it."""

    def add(recipient, key="a", name="Band", **options):
        context = {"lead_id": 7, "lead_name": name, "by_name": "Grace"}
        outbox.add(kind="lead_assigned", recipient_id=recipient.pk, dedupe_key=key, context=context, **options)
        return Notification.objects.get(dedupe_key=key)

    return add


def read_page(client, name, **query):
    response = client.get(reverse(f"admin:{name}", query=query or None))
    assert response.status_code == 200
    return unescape(response.content.decode())


def read_badge(client):
    return read_page(client, "index").partition('class="badge">')[2].partition("<")[0]


def test_the_bell_counts_notifications_that_are_unread_and_turned_on(browse, rep, colleague, notify):
    client = browse(rep)
    assert read_badge(client) == ""
    notify(rep, "a")
    notify(rep, "b")
    notify(colleague, "c")
    notify(rep, "d", not_before=timezone.now() + timedelta(hours=1))
    assert read_badge(client) == "2"
    Notification.objects.filter(dedupe_key="a").update(read_at=timezone.now())
    assert read_badge(client) == "1"
    Preference.objects.create(user=rep, kind="lead_assigned", channel="in_app", wanted=False)
    assert read_badge(client) == ""


def test_the_bell_counts_to_ninety_nine(browse, rep):
    outbox.add_many(outbox.NewNotification("lead_assigned", rep.pk, str(number), {}) for number in range(100))
    assert read_badge(browse(rep)) == "99+"


def test_opening_a_notification_marks_it_as_read_and_opens_its_page(browse, rep, notify):
    row, client = notify(rep, name="<b>Band</b>"), browse(rep)
    assert "New lead for you: <b>Band</b>" in read_page(client, LIST, read="no")
    response = client.post(reverse("admin:notifications_notification_open", args=[row.pk]))
    assert response.status_code == 302
    assert response["Location"] == "/admin/sales/lead/7/change/"
    assert "New lead for you" not in read_page(client, LIST, read="no")
    assert "New lead for you" in read_page(client, LIST, read="yes")


def test_markup_that_somebody_typed_is_text_in_the_list(browse, rep, notify):
    notify(rep, name="<script>alert(1)</script>{{ 7|add:7 }}")
    html = browse(rep).get(reverse(f"admin:{LIST}")).content.decode()
    assert "<script>alert" not in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt;{{ 7|add:7 }}" in html


def test_all_of_the_users_notifications_are_marked_as_read(browse, rep, colleague, notify):
    notify(rep, "a")
    notify(rep, "b")
    notify(colleague, "c")
    browse(rep).post(reverse("admin:notifications_notification_read_all"))
    assert list(Notification.objects.filter(read_at=None).values_list("dedupe_key", flat=True)) == ["c"]


def test_preferences_are_saved_and_shown(browse, rep):
    client = browse(rep)
    form = {"reminder_minutes": "15", "digest_hour": "6", "run_failed-email": "on", "lead_assigned-in_app": "on"}
    assert client.post(PREFERENCES, form).status_code == 302
    rep.refresh_from_db()
    assert rep.reminder_minutes == 15
    assert rep.digest_hour == 6
    boxes = client.get(PREFERENCES).context["form"].initial
    assert boxes["run_failed-email"] is True
    assert boxes["run_failed-in_app"] is False
    assert boxes["lead_assigned-email"] is False
    assert boxes["lead_assigned-in_app"] is True
    assert boxes["follow_up_due-email"] is False
    assert boxes["follow_up_due-in_app"] is False


@pytest.mark.parametrize("wrong", [{"reminder_minutes": "-1"}, {"digest_hour": "24"}, {"reminder_minutes": ""}])
def test_invalid_preferences_are_refused(browse, rep, wrong):
    form = {"reminder_minutes": "15", "digest_hour": "6"} | wrong
    response = browse(rep).post(PREFERENCES, form)
    assert response.status_code == 200
    assert list(response.context["form"].errors) == list(wrong)
    assert not Preference.objects.exists()


def test_managers_see_the_deliveries_to_their_team_and_administrators_all(
    browse, manager, admin, rep, stranger, notify
):
    notify(rep, "a")
    notify(stranger, "b")
    for user, names in ((manager, ["Maria"]), (admin, ["Maria", "Otto"])):
        response = browse(user).get(DELIVERIES)
        assert sorted(str(row.notification.recipient) for row in response.context["cl"].result_list) == names
        _, stats = response.context["channel_stats"][0]
        assert stats.due == len(names)


def test_a_failed_delivery_is_sent_again_and_records_who_asked_for_it(browse, manager, rep, stranger, notify):
    notify(rep, "a")
    notify(stranger, "b")
    Delivery.objects.update(state="dead", ended_at=timezone.now(), attempts=26, last_error="No")
    own, other = Delivery.objects.order_by("pk")
    client = browse(manager)
    page = read_page(client, "notifications_delivery_changelist")
    assert "Failed" in page
    assert ">No<" in page
    assert client.post(reverse("admin:notifications_delivery_retry", args=[own.pk])).status_code == 302
    assert client.post(reverse("admin:notifications_delivery_retry", args=[other.pk])).status_code == 404
    own.refresh_from_db()
    assert own.state == "waiting"
    assert own.attempts == 0
    assert own.retried_by == manager
    assert own.ended_at is None
    other.refresh_from_db()
    assert other.state == "dead"
    assert other.retried_by is None


def test_a_follow_ups_page_shows_what_happened_to_its_reminders(browse, rep, make_lead):
    lead = make_lead(assigned_to=rep)
    day = timezone.localdate() + timedelta(days=30)
    plan = follow_ups.create(by=rep, lead_id=lead.pk, follow_up_type="call", scheduled_date=day)
    client, url = browse(rep), reverse("admin:sales_followup_change", args=[plan.pk])
    page = " ".join(client.get(url).content.decode().split())
    assert '<td>Maria</td> <td colspan="3"> At ' in page
    type(plan).objects.update(remind_at=timezone.now())
    reminders.send_due_reminders()
    Delivery.objects.update(state="dead", ended_at=timezone.now(), last_error="550 No such user")
    page = client.get(url).content.decode()
    assert "550 No such user" in page
    assert "Email" in page
