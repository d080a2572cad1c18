"""The routes `/notifications` and `/unsubscribe`."""

from datetime import time, timedelta

import pytest
from django.utils import timezone

from notifications import kinds, outbox
from notifications.emails import unsubscribe_tokens
from notifications.models import Notification, Preference
from sales.services.follow_ups import follow_ups, reminders

BASE = "/api/v1/notifications"
PREFERENCES = f"{BASE}/preferences"
KINDS = [kind.name for kind in kinds.get_all()]
CONTEXT = {"lead_id": 7, "lead_name": "Band", "by_name": "Grace"}


@pytest.fixture
def notify(rep):
    """Writes a notification and returns its id."""

    def add(key="a", recipient=rep, kind="lead_assigned", **options):
        outbox.add(kind=kind, recipient_id=recipient.pk, dedupe_key=key, context=CONTEXT, **options)
        return Notification.objects.get(dedupe_key=key).pk

    return add


@pytest.fixture
def client(api, rep):
    return api(rep)


def list_ids(client, query=""):
    return [row["id"] for row in client.get(f"{BASE}?{query}").json()["results"]]


def test_the_list_holds_the_callers_due_notifications_newest_first(client, notify, colleague):
    now = timezone.now()
    first = notify("a", not_before=now - timedelta(hours=1))
    second = notify("b")
    notify("c", colleague)
    notify("d", not_before=now + timedelta(hours=1))
    body = client.get(BASE).json()
    assert body["unread_count"] == 2
    assert [row["id"] for row in body["results"]] == [second, first]
    assert body["results"][1] == {
        "id": first,
        "kind": "lead_assigned",
        "title": "New lead for you: Band",
        "page": "/admin/sales/lead/7/change/",
        "context": CONTEXT,
        "read_at": None,
        "at": (now - timedelta(hours=1)).isoformat(),
    }


def test_the_list_continues_on_the_next_page(client, notify):
    ids = [notify(key) for key in "abc"]
    page = client.get(f"{BASE}?limit=2").json()
    rest = client.get(page["next"]).json()
    assert [row["id"] for row in page["results"] + rest["results"]] == ids[::-1]


def test_reading_a_notification_twice_changes_nothing_the_second_time(client, notify):
    notification = notify()
    response = client.post(f"{BASE}/{notification}/read")
    assert response.status_code == 200
    assert response.json()["read_at"] is not None
    assert client.post(f"{BASE}/{notification}/read").json() == response.json()


def test_the_list_is_filtered(client, notify):
    read, unread = notify("a"), notify("b", kind="lead_unowned")
    client.post(f"{BASE}/{read}/read")
    assert list_ids(client, "unread=true") == [unread]
    assert list_ids(client, "unread=false") == [read]
    assert list_ids(client, "kind=lead_unowned") == [unread]


def test_all_are_marked_as_read(client, notify):
    client.post(f"{BASE}/{notify('a')}/read")
    notify("b")
    assert client.post(f"{BASE}/read-all").json() == {"read": 1}
    assert client.get(BASE).json()["unread_count"] == 0


def test_nobody_reads_another_users_notification(api, colleague, notify):
    notification = notify()
    assert api(colleague).get(f"{BASE}/{notification}").status_code == 404
    assert api(colleague).post(f"{BASE}/{notification}/read").status_code == 404
    assert Notification.objects.get().read_at is None


def test_a_kind_that_is_turned_off_is_not_in_the_list(client, rep, notify):
    notification = notify()
    Preference.objects.create(user=rep, kind="lead_assigned", channel="in_app", wanted=False)
    body = client.get(BASE).json()
    assert body["results"] == []
    assert body["unread_count"] == 0
    assert client.get(f"{BASE}/{notification}").status_code == 404


def test_preferences_begin_with_each_kinds_defaults(client):
    body = client.get(PREFERENCES).json()
    chosen = {kind["kind"]: kind["channels"] for kind in body["kinds"]}
    assert list(chosen) == KINDS
    assert chosen["test_email"] == ["email"]
    assert all(set(chosen[name]) >= {"email", "in_app"} for name in KINDS if name != "test_email")
    assert {"name": "email", "label": "Email"} in body["channels"]
    assert {"name": "in_app", "label": "In Athena"} in body["channels"]
    assert body["reminder_minutes"] == 30
    assert body["digest_hour"] == 7


def test_preferences_are_stored_and_can_be_sent_back_as_they_were_read(client, rep):
    body = client.get(PREFERENCES).json()
    body["kinds"][1]["channels"], body["kinds"][2]["channels"] = ["email"], []
    body |= {"reminder_minutes": 0, "digest_hour": 23}
    assert client.put(PREFERENCES, body).json() == body
    rep.refresh_from_db()
    assert client.get(PREFERENCES).json() == body


def test_only_choices_that_differ_from_the_defaults_are_stored(client, rep):
    body = client.get(PREFERENCES).json()
    body["kinds"][1]["channels"], body["kinds"][2]["channels"] = ["email"], []
    client.put(PREFERENCES, body)
    assert Preference.objects.filter(user=rep).count() == 3
    without_kinds = {"kinds": [], "reminder_minutes": 30, "digest_hour": 7}
    assert client.put(PREFERENCES, without_kinds).json()["kinds"][1]["channels"] == ["email", "in_app"]
    assert not Preference.objects.exists()


@pytest.mark.parametrize(
    ("change", "fields"),
    [
        ({"kinds": [{"kind": "nothing", "channels": []}]}, {"kinds"}),
        ({"kinds": [{"kind": "run_failed", "channels": ["pigeon"]}]}, {"kinds"}),
        ({"kinds": [{"kind": "run_failed", "channels": "email"}]}, {"kinds"}),
        ({"kinds": [{"kind": "run_failed"}]}, {"kinds"}),
        ({"kinds": "run_failed"}, {"kinds"}),
        ({"reminder_minutes": 10_081, "digest_hour": 24}, {"reminder_minutes", "digest_hour"}),
        ({"reminder_minutes": True, "digest_hour": "7"}, {"reminder_minutes", "digest_hour"}),
    ],
    ids=["unknown kind", "unknown channel", "no list", "no channels", "no kinds", "too large", "wrong types"],
)
def test_invalid_preferences_change_nothing(client, change, fields):
    response = client.put(PREFERENCES, {"kinds": [], "reminder_minutes": 5, "digest_hour": 7} | change)
    assert response.status_code == 400
    assert set(response.json()) == fields
    assert client.get(PREFERENCES).json()["reminder_minutes"] == 30


def test_a_new_lead_time_moves_planned_reminders(client, rep, make_lead):
    plan = follow_ups.create(
        by=rep,
        lead_id=make_lead(assigned_to=rep).pk,
        follow_up_type="call",
        scheduled_date=timezone.localdate() + timedelta(days=9),
        scheduled_time=time(10),
    )
    reminders.fill_derived_columns()
    client.put(PREFERENCES, {"kinds": [], "reminder_minutes": 90, "digest_hour": 7})
    reminders.fill_derived_columns()
    plan.refresh_from_db()
    assert plan.due_at - plan.remind_at == timedelta(minutes=90)


def test_a_token_unsubscribes_without_a_login(api, rep):
    url = f"/api/v1/unsubscribe/{unsubscribe_tokens.make_token(rep.pk, 'lead_assigned')}"
    for _ in range(2):
        assert api().post(url).json() == {"kind": "lead_assigned", "label": "New lead"}
    kinds_by_name = {kind["kind"]: kind for kind in api(rep).get(PREFERENCES).json()["kinds"]}
    assert kinds_by_name["lead_assigned"]["channels"] == ["in_app"]
    assert api().post(f"{url}x").status_code == 404
