"""`/notifications` and `/unsubscribe`."""

from datetime import time, timedelta

import pytest
from django.utils import timezone

from notifications import kinds, outbox
from notifications.emails import unsubscribe_tokens
from notifications.models import Notification, Preference
from sales.services.follow_ups import follow_ups, reminders

BASE = "/api/v1/notifications"
KINDS = [kind.name for kind in kinds.get_all()]


@pytest.fixture
def tell(rep):
    def make(key="a", recipient=rep, kind="lead_assigned", **options):
        context = {"lead_id": 7, "lead_name": "Band", "by_name": "Grace"}
        outbox.add(kind=kind, recipient_id=recipient.pk, dedupe_key=key, context=context, **options)
        return Notification.objects.get(dedupe_key=key).pk

    return make


@pytest.fixture
def client(api, rep):
    return api(rep)


def test_the_newest_first_with_what_they_say(client, tell, colleague):
    now = timezone.now()
    first, second = tell("a", not_before=now - timedelta(hours=1)), tell("b")
    tell("c", colleague), tell("d", not_before=now + timedelta(hours=1))
    body = client.get(BASE).json()
    assert (body["unread_count"], [row["id"] for row in body["results"]]) == (2, [second, first])
    assert body["results"][1] == {
        "id": first, "kind": "lead_assigned", "title": "New lead for you: Band", "page": "/admin/sales/lead/7/change/",
        "context": {"lead_id": 7, "lead_name": "Band", "by_name": "Grace"}, "read_at": None,
        "at": (now - timedelta(hours=1)).isoformat(),
    }  # fmt: skip


def test_pages_go_on(client, tell):
    ids = [tell(key) for key in "abc"]
    page = client.get(f"{BASE}?limit=2").json()
    rest = client.get(page["next"]).json()
    assert [row["id"] for row in page["results"] + rest["results"]] == ids[::-1]


def test_reading(client, tell):
    one, other = tell("a"), tell("b", kind="lead_unowned")
    answer = client.post(f"{BASE}/{one}/read")
    assert (answer.status_code, answer.json()["read_at"] is None) == (200, False)
    assert client.post(f"{BASE}/{one}/read").json() == answer.json()
    for query, found in (("unread=true", [other]), ("unread=false", [one]), ("kind=lead_unowned", [other])):
        assert [row["id"] for row in client.get(f"{BASE}?{query}").json()["results"]] == found
    assert client.post(f"{BASE}/read-all").json() == {"read": 1}
    assert client.get(BASE).json()["unread_count"] == 0


def test_nobody_reads_anothers(api, colleague, tell):
    one = tell()
    assert [api(colleague).get(f"{BASE}/{one}").status_code, api(colleague).post(f"{BASE}/{one}/read").status_code] == [
        404, 404,
    ]  # fmt: skip
    assert Notification.objects.get().read_at is None


def test_kinds_that_are_switched_off_are_not_there(client, rep, tell):
    one = tell()
    Preference.objects.create(user=rep, kind="lead_assigned", channel="in_app", wanted=False)
    assert (client.get(BASE).json()["results"], client.get(BASE).json()["unread_count"]) == ([], 0)
    assert client.get(f"{BASE}/{one}").status_code == 404


def test_preferences_begin_as_each_kind_has_them(client):
    body = client.get(f"{BASE}/preferences").json()
    chosen = {kind["kind"]: kind["channels"] for kind in body["kinds"]}
    assert list(chosen) == KINDS
    assert chosen["test_email"] == ["email"]
    assert all(set(chosen[name]) >= {"email", "in_app"} for name in KINDS if name != "test_email")
    assert {"name": "email", "label": "Email"} in body["channels"]
    assert {"name": "in_app", "label": "In Athena"} in body["channels"]
    assert (body["reminder_minutes"], body["digest_hour"]) == (30, 7)


def test_preferences_are_kept_and_what_was_read_can_be_sent_back(client, rep):
    body = client.get(f"{BASE}/preferences").json()
    body["kinds"][1]["channels"], body["kinds"][2]["channels"] = ["email"], []
    body |= {"reminder_minutes": 0, "digest_hour": 23}
    assert client.put(f"{BASE}/preferences", body).json() == body
    rep.refresh_from_db()
    assert client.get(f"{BASE}/preferences").json() == body
    assert Preference.objects.filter(user=rep).count() == 3
    without = {"kinds": [], "reminder_minutes": 30, "digest_hour": 7}
    assert client.put(f"{BASE}/preferences", without).json()["kinds"][1]["channels"] == ["email", "in_app"]
    assert not Preference.objects.exists()


@pytest.mark.parametrize(
    ("change", "names"),
    [
        ({"kinds": [{"kind": "nothing", "channels": []}]}, {"kinds"}),
        ({"kinds": [{"kind": "run_failed", "channels": ["pigeon"]}]}, {"kinds"}),
        ({"kinds": [{"kind": "run_failed", "channels": "email"}]}, {"kinds"}),
        ({"kinds": [{"kind": "run_failed"}]}, {"kinds"}),
        ({"kinds": "run_failed"}, {"kinds"}),
        ({"reminder_minutes": 10_081, "digest_hour": 24}, {"reminder_minutes", "digest_hour"}),
        ({"reminder_minutes": True, "digest_hour": "7"}, {"reminder_minutes", "digest_hour"}),
    ],
)
def test_preferences_that_make_no_sense_change_nothing(client, change, names):
    answer = client.put(f"{BASE}/preferences", {"kinds": [], "reminder_minutes": 5, "digest_hour": 7} | change)
    assert (answer.status_code, set(answer.json())) == (400, names)
    assert client.get(f"{BASE}/preferences").json()["reminder_minutes"] == 30


def test_another_lead_time_moves_the_reminders_that_are_to_come(client, rep, make_lead):
    day = timezone.localdate() + timedelta(days=9)
    plan = follow_ups.create(
        by=rep,
        lead_id=make_lead(assigned_to=rep).pk,
        follow_up_type="call",
        scheduled_date=day,
        scheduled_time=time(10),
    )
    reminders.fill_derived_columns()
    client.put(f"{BASE}/preferences", {"kinds": [], "reminder_minutes": 90, "digest_hour": 7})
    reminders.fill_derived_columns()
    plan.refresh_from_db()
    assert plan.due_at - plan.remind_at == timedelta(minutes=90)


def test_unsubscribing_by_token(api, rep):
    url = f"/api/v1/unsubscribe/{unsubscribe_tokens.make_token(rep.pk, 'lead_assigned')}"
    for _ in range(2):
        assert api().post(url).json() == {"kind": "lead_assigned", "label": "New lead"}
    assert api(rep).get(f"{BASE}/preferences").json()["kinds"][KINDS.index("lead_assigned")]["channels"] == ["in_app"]
    assert api().post(f"{url}x").status_code == 404
