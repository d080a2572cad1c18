"""An unknown time zone of a user: refused at every entry point, and harmless where plain SQL has written it."""

import copy
from datetime import UTC, date, datetime, time, timedelta

import pytest
import structlog
import time_machine
from django.contrib import admin as django_admin
from django.core.checks import Tags, run_checks
from django.core.exceptions import ValidationError
from django.db import transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from rest_framework.test import APIClient

from athena import time_zones
from athena.accounts.models import User, validate_time_zone
from athena.accounts.roles import Role
from athena.config import environment
from notifications import delivery
from notifications.models import Notification
from sales.models import FollowUp
from sales.reports.registry import REPORTS
from sales.services.follow_ups import digests, follow_ups, overdue, reminders
from sales.services.follow_ups.completion import CompletionInput
from tests.athena.api.routes import BASE, CALENDAR_ROUTE, READ_ROUTES
from tests.athena.api.test_query_counts import make_row_adder
from tests.fixtures import new_user

UNKNOWN_ZONES = [
    *("Etc/Gone", "localtime", "Factory", "posixrules", "right/Europe/Berlin", "posix/UTC", "posixrules", "America"),
    *("europe/berlin", "Europe/Berlin ", "../../etc/passwd", "/etc/localtime", "UTC+3", "EST5EDT,M3.2.0,M11.1.0", "Z"),
]
NOW = "2026-11-24T15:00Z"


@pytest.mark.parametrize("name", UNKNOWN_ZONES)
def test_every_entry_point_refuses_a_zone_that_the_tz_database_lacks(name, world, db, api, browse, monkeypatch):
    admin, rep = world["admin"], world["user"]
    if name == name.strip():
        assert api(rep).patch(f"{BASE}auth/me", {"time_zone": name}).status_code == 400
    address = reverse("admin:accounts_user_change", args=[rep.pk])
    page = browse(admin).get(address)
    values = {field.html_name: field.value() or "" for field in page.context["adminform"].form}
    response = browse(admin).post(address, {**values, "is_active": "on", "time_zone": name})
    assert "time_zone" in response.context["adminform"].form.errors
    with pytest.raises(ValidationError):
        validate_time_zone(name)
    monkeypatch.setenv("NAME", name)
    if name == name.strip():
        with pytest.raises(environment.InvalidSetting):
            environment.zone("NAME", "UTC")
    assert User.objects.get(pk=rep.pk).time_zone == "America/New_York"


def test_every_offered_zone_exists():
    assert len(time_zones.list_names()) > 400
    assert all(time_zones.find_zone(name).key == name for name in time_zones.list_names())


@pytest.fixture(scope="module")
def world(made_once):
    """Rows of every kind; some belong to the user who gets a bad zone, others to an admin and a colleague."""
    with time_machine.travel(NOW, tick=False):
        admin, user = new_user("admin", Role.ADMIN), new_user("poisoned", time_zone="America/New_York")
        add = make_row_adder(admin)
        ids = [add(), add()][0]
        colleague = ids["users"]
        lead = ids["leads"].__class__.objects.create(company_name="Choir", assigned_to=user)
        for day in (date(2026, 11, 23), date(2026, 11, 24), date(2026, 11, 25), date(2026, 12, 1)):
            follow_ups.create(
                by=user, lead_id=lead.pk, follow_up_type="call", scheduled_date=day, scheduled_time=time(10)
            )
            follow_ups.create(
                by=admin, lead_id=lead.pk, follow_up_type="call", scheduled_date=day, assigned_to=admin.pk
            )
        completed = FollowUp.objects.filter(assigned_to=user).latest("pk")
        follow_ups.complete(
            by=user,
            follow_up_id=completed.pk,
            completion_input=CompletionInput(outcome="successful", no_next_reason="x"),
        )
        reminders.fill_derived_columns()
    return {"admin": admin, "user": user, "colleague": colleague, "ids": ids}


def read_routes(user, world):
    client = APIClient()
    client.force_authenticate(user)
    responses = {}
    for route in READ_ROUTES:
        resource = route.split("/{")[0].rpartition("/")[2]
        keys = {"pk": world["ids"].get(resource, user).pk, "lead_id": world["ids"]["leads"].pk}
        response = client.get(BASE + route.format(**keys))
        responses[route] = response.status_code, response.json()
    feed = client.get(f"{BASE}{CALENDAR_ROUTE.replace('{pk}', '')}?token={responses['auth/me/calendar'][1]['token']}")
    return responses | {CALENDAR_ROUTE: (feed.status_code, feed.content)}


def read_page_statuses(user, world):
    client = Client()
    client.force_login(user)
    addresses = {reverse("admin:index"), *(reverse("admin:report", args=[slug]) for slug in REPORTS)}
    for model in django_admin.site._registry:
        name, row = f"admin:{model._meta.app_label}_{model._meta.model_name}", model._default_manager.first()
        addresses.add(reverse(f"{name}_changelist"))
        if row is not None:
            addresses |= {reverse(f"{name}_{page}", args=[row.pk]) for page in ("change", "history")}
    lead = world["ids"]["leads"].pk
    addresses |= {reverse("admin:sales_lead_timeline", args=[lead]), reverse("admin:sales_lead_change", args=[lead])}
    return {address: client.get(address).status_code for address in sorted(addresses)}


def tick():
    """Do the work of a tick. Returns the notifications, without their times."""
    with time_machine.travel("2026-11-25T14:30Z", tick=False):
        reminders.fill_derived_columns()
        reminders.send_due_reminders()
        overdue.send_overdue_notices()
        digests.send()
        delivery.deliver()
    with time_machine.travel("2026-11-30T14:30Z", tick=False):
        overdue.escalate_to_managers()
    return sorted(Notification.objects.values_list("kind", "recipient", "dedupe_key"))


@pytest.fixture(scope="module")
def results_before():
    """By test, the results from before a bad zone was written; they are the same for every bad zone."""
    return {}


@pytest.fixture(params=["Etc/Gone", "../../etc/passwd"])
def poisoned(request, world, db, results_before):
    """A function that runs an action before and after plain SQL has written an unknown zone. Returns both results."""
    test = request.function.__name__, request.node.callspec.params.get("viewer")

    def compare(action):
        with time_machine.travel(NOW, tick=False):
            if test not in results_before:
                with transaction.atomic():
                    results_before[test] = action()
                    transaction.set_rollback(True)
            User.objects.filter(pk=world["user"].pk).update(time_zone=request.param, settled_zone=request.param)
            world["user"].refresh_from_db()
            return copy.deepcopy(results_before[test]), action()

    yield compare
    world["user"].refresh_from_db()


@pytest.mark.parametrize("viewer", ["admin", "user", "colleague"])
def test_every_route_responds_as_before(poisoned, world, viewer):
    before, after = poisoned(lambda: read_routes(User.objects.get(pk=world[viewer].pk), world))
    for responses in (before, after):
        responses["auth/me"][1].pop("time_zone")
    assert before == after


@pytest.mark.parametrize("viewer", ["admin", "user"])
def test_every_page_opens_as_before(poisoned, world, viewer):
    before, after = poisoned(lambda: read_page_statuses(User.objects.get(pk=world[viewer].pk), world))
    assert before == after
    assert not [address for address, status in after.items() if status >= 500]


def test_a_tick_notifies_everybody_as_before(poisoned, world):
    before, after = poisoned(tick)
    assert before == after
    assert {"daily_digest", "follow_up_due", "follow_up_overdue", "escalation_overdue"} <= {kind for kind, *_ in after}
    assert world["user"].pk in {recipient for _, recipient, _ in after}


def test_an_unknown_zone_is_reported_to_admins(world, db, browse, client, monkeypatch):
    admin, rep = world["admin"], world["user"]
    monkeypatch.setattr(time_zones, "_reported", set())
    with structlog.testing.capture_logs() as logs:
        User.objects.filter(pk=rep.pk).update(time_zone="Etc/Gone")
        rep.refresh_from_db()
        assert str(rep.zone) == "America/New_York"
        assert str(rep.zone) == "America/New_York"  # the second time it is not logged again
    assert [(line["event"], line["time_zone"]) for line in logs] == [("unknown_time_zone", "Etc/Gone")]
    response = client.get("/readyz")
    assert response.status_code == 200
    assert response.json()["status"] == "degraded"
    assert "time_zones" in response.json()["problems"]
    assert response.json()["unknown_time_zones"] == ["Etc/Gone"]
    warnings = [
        check for check in run_checks(tags=[Tags.database], databases=["default"]) if check.id == "accounts.W001"
    ]
    assert [check.msg for check in warnings] == ["1 user has the unknown time zone “Etc/Gone”."]
    sentence = "unknown time zone “Etc/Gone”"
    pages = [browse(user).get(reverse("admin:index")).content.decode() for user in (admin, rep)]
    assert [sentence in page for page in pages] == [True, False]
    page = browse(admin).get(reverse("admin:accounts_user_change", args=[rep.pk])).content.decode()
    assert '<option value="" selected>' in page  # no zone at all, and not the alphabet's first


@pytest.mark.parametrize("name", ["America/New_York", "Europe/Berlin", "Asia/Kathmandu", "Australia/Lord_Howe", "UTC"])
def test_offsets_match_the_zone(name):
    zone, first = time_zones.find_zone(name), datetime(2024, 2, 3, 4, 5, tzinfo=UTC)
    offsets = time_zones.list_offsets(zone, first, first + timedelta(days=800))
    for hour in range(0, 800 * 24 + 1, 7):
        at = first + timedelta(hours=hour)
        assert (
            next(offset for until, offset in offsets if at < until).utcoffset(None) == at.astimezone(zone).utcoffset()
        )
    for until, _ in offsets[:-1]:
        assert until.astimezone(zone).utcoffset() != (until - timedelta(seconds=1)).astimezone(zone).utcoffset()
    assert timezone.is_aware(offsets[-1][0])
