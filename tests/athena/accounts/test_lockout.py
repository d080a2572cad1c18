"""The lockout after failed logins, in the API and in the admin."""

from datetime import timedelta
from urllib.parse import quote

import pytest
import time_machine
from django.test import Client
from rest_framework.test import APIClient
from structlog.testing import capture_logs

from athena.accounts import lockout
from athena.accounts.models import FailedLogin, User

LOGIN = "/api/v1/auth/login"
PASSWORD = "correct horse 7"


@pytest.fixture
def maria(rep):
    rep.set_password(PASSWORD)
    rep.save()
    return rep


@pytest.fixture
def clock():
    with time_machine.travel("2026-11-23T10:00Z", tick=False) as clock:
        yield clock


def log_in(email="maria@example.com", password="wrong", address="203.0.113.7"):
    return APIClient(REMOTE_ADDR=address).post(LOGIN, {"email": email, "password": password})


def list_login_statuses(count, **options):
    return [log_in(**options).status_code for _ in range(count)]


@pytest.mark.parametrize("email", ["maria@example.com", "nobody@example.com", "gone@example.com"])
def test_the_sixth_failure_for_an_account_is_429(maria, leaver, clock, email):
    assert list_login_statuses(5, email=email) == [401] * 5
    response = log_in(email=email.upper())
    assert response.status_code == 429
    assert response["Retry-After"] == "900"
    assert response.json() == {"detail": "Too many failed logins. Try again in 15 minutes.", "code": "locked_out"}
    assert FailedLogin.objects.count() == 5


def test_during_a_lockout_the_right_password_is_refused_too(maria, clock):
    list_login_statuses(4)
    clock.shift(timedelta(minutes=10))
    assert log_in().status_code == 401
    refused = log_in(password=PASSWORD)
    assert refused.status_code == 429
    assert refused["Retry-After"] == "300"
    clock.shift(timedelta(minutes=5))
    assert log_in(password=PASSWORD).status_code == 200
    assert list_login_statuses(5) == [401] * 4 + [429], "the fifth is still remembered"


def test_other_accounts_and_addresses_are_not_locked_out(maria, colleague):
    list_login_statuses(6)
    assert log_in(address="203.0.113.8", password=PASSWORD).status_code == 200
    assert log_in(email="tom@example.com").status_code == 401


def test_only_failures_count_and_a_success_does_not_reset_them(maria):
    assert list_login_statuses(12, password=PASSWORD) == [200] * 12
    assert list_login_statuses(3) == [401] * 3
    assert list_login_statuses(1, password=PASSWORD) == [200]
    assert list_login_statuses(3) == [401, 401, 429]


def test_the_twenty_first_failure_of_an_address_is_429(maria, clock):
    assert [log_in(email=f"user{n}@example.com").status_code for n in range(21)] == [401] * 20 + [429]
    refused = log_in(password=PASSWORD)
    assert refused.status_code == 429
    assert refused["Retry-After"] == "3600"
    clock.shift(timedelta(hours=1))
    assert log_in(password=PASSWORD).status_code == 200


def test_a_forged_forwarding_header_does_not_avoid_the_lockout(maria, settings):
    for hops, forwarded, is_locked_out in [
        (0, "198.51.100.{}", True),
        (1, "198.51.100.{}, 203.0.113.9", True),
        (1, "203.0.113.9, 198.51.100.{}", False),
    ]:
        settings.TRUSTED_HOPS = hops
        FailedLogin.objects.all().delete()
        statuses = [
            APIClient()
            .post(
                LOGIN, {"email": "maria@example.com", "password": "x"}, headers={"X-Forwarded-For": forwarded.format(n)}
            )
            .status_code
            for n in range(6)
        ]
        assert statuses == [401] * 5 + [429 if is_locked_out else 401], (hops, forwarded)


def test_the_admin_counts_the_same_failures(maria, clock):
    list_login_statuses(3, address="127.0.0.1")

    def try_admin(password):
        return Client().post("/admin/login/", {"username": "maria@example.com", "password": password})

    assert [try_admin("wrong").status_code for _ in range(2)] == [200, 200]
    refused = try_admin(PASSWORD)
    assert refused.status_code == 429
    assert refused["Retry-After"] == "900"
    assert "Too many failed logins. Try again in 15 minutes." in refused.content.decode()
    clock.shift(timedelta(minutes=15))
    assert try_admin(PASSWORD).status_code == 302
    assert try_admin(PASSWORD)["Location"] == "/admin/"


def test_a_failure_keeps_nothing_that_was_typed_and_is_deleted_when_it_no_longer_counts(maria, clock):
    log_in(email="my-secret-password", password="x")
    (row,) = FailedLogin.objects.values()
    assert "secret" not in str(row)
    assert lockout.delete_expired() == 0
    clock.shift(timedelta(hours=1))
    assert lockout.delete_expired() == 1
    assert FailedLogin.objects.count() == 0


def test_a_deactivated_users_logins_do_not_come_back_with_the_account(maria, admin, browse):
    tokens = log_in(password=PASSWORD).json()
    browser = browse(maria)
    page = f"/admin/accounts/user/{maria.pk}/change/"
    form = {
        "email": maria.email, "full_name": maria.full_name, "time_zone": "UTC", "reminder_minutes": 30,
        "digest_hour": 7, "role": "rep", "team": maria.team_id,
    }  # fmt: skip

    def list_working_logins():
        bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
        refreshed = APIClient().post("/api/v1/auth/refresh", {"refresh_token": tokens["refresh_token"]})
        return [
            APIClient().get("/api/v1/auth/me", headers=bearer).status_code == 200,
            browser.get("/admin/").status_code == 200,
            refreshed.status_code == 200,
        ]

    assert browse(admin).post(page, form).status_code == 302
    assert browse(admin).post(page, form | {"is_active": "on"}).status_code == 302
    maria.refresh_from_db()
    assert maria.is_active
    assert list_working_logins() == [False] * 3


def test_a_password_that_an_admin_sets_ends_all_logins(maria, admin, browse):
    tokens = log_in(password=PASSWORD).json()
    form = {"password1": "another horse 8", "password2": "another horse 8", "usable_password": "true"}
    assert browse(admin).post(f"/admin/accounts/user/{maria.pk}/password/", form).status_code == 302
    refreshed = APIClient().post("/api/v1/auth/refresh", {"refresh_token": tokens["refresh_token"]})
    assert refreshed.status_code == 401
    assert log_in(password="another horse 8").status_code == 200


def change_by_api(maria, current, address="203.0.113.7"):
    client = APIClient(REMOTE_ADDR=address)
    client.force_authenticate(maria)
    return client.post("/api/v1/auth/change-password", {"current_password": current, "new_password": "a"})


def change_by_admin(maria, current, address="203.0.113.7"):
    browser = Client(REMOTE_ADDR=address)
    browser.force_login(maria)
    form = {"old_password": current, "new_password1": "a", "new_password2": "b"}
    return browser.post("/admin/password_change/", form)


@pytest.mark.parametrize("change", [change_by_api, change_by_admin])
def test_a_wrong_current_password_counts_as_a_failed_login(maria, clock, change):
    assert list_login_statuses(2) == [401, 401]
    assert [change(maria, "wrong").status_code for _ in range(3)] in ([400] * 3, [200] * 3)
    refused = change(maria, PASSWORD)
    assert refused.status_code == 429
    assert refused["Retry-After"] == "900"
    assert log_in(password=PASSWORD).status_code == 429
    assert FailedLogin.objects.count() == 5
    clock.shift(timedelta(minutes=15))
    assert change(maria, PASSWORD).status_code in (400, 200)  # the new one is too simple


def test_the_right_password_is_refused_if_others_failed_while_it_was_checked(maria, monkeypatch):
    check_password = User.check_password

    def check_while_others_fail(self, raw):
        is_correct = check_password(self, raw)
        for _ in range(5):
            lockout.record_failure(maria.email, "203.0.113.7")
        return is_correct

    monkeypatch.setattr(User, "check_password", check_while_others_fail)
    for attempt in (lambda: change_by_api(maria, PASSWORD), lambda: change_by_admin(maria, PASSWORD)):
        FailedLogin.objects.all().delete()
        assert attempt().status_code == 429


def test_each_failure_is_logged_with_a_hash_and_the_address(maria, clock):
    with capture_logs() as lines:
        list_login_statuses(6)
        log_in(email="my-secret-password")
        Client(REMOTE_ADDR="203.0.113.9").post("/admin/login/", {"username": "Maria@Example.com", "password": "wrong"})
        for change in (change_by_api, change_by_admin):
            change(maria, "wrong", address="203.0.113.10")
        log_in(password=PASSWORD, address="203.0.113.11")
    statuses = [(line["event"], line["address"]) for line in lines if line["event"].startswith("login_")]
    assert statuses == [
        *[("login_failed", "203.0.113.7")] * 5, ("login_locked_out", "203.0.113.7"), ("login_failed", "203.0.113.7"),
        ("login_failed", "203.0.113.9"), ("login_failed", "203.0.113.10"), ("login_failed", "203.0.113.10"),
    ]  # fmt: skip
    accounts = [line["account"] for line in lines if line["event"].startswith("login_")]
    assert len(set(accounts)) == 2
    assert set(accounts) == set(FailedLogin.objects.values_list("account", flat=True))
    assert "secret" not in str(lines)
    assert "maria" not in str(lines).lower()
    assert {line["log_level"] for line in lines if line["event"].startswith("login_")} == {"warning"}


def test_a_login_replaces_the_csrf_token(maria):
    client = Client(enforce_csrf_checks=True)
    client.get("/admin/login/")
    token = client.cookies["csrftoken"].value
    form = {"username": maria.email, "password": PASSWORD, "csrfmiddlewaretoken": token}
    assert client.post("/admin/login/", form).status_code == 302
    assert client.cookies["csrftoken"].value != token


REDIRECTS = {
    "": "/admin/", "/nothing": "/admin/", "/admin/nothing/": "/admin/", "//evil.example/": "/admin/",
    "https://evil.example/admin/": "/admin/", "javascript:alert(1)": "/admin/", "/admin/logout/": "/admin/",
    "/admin/login/": "/admin/", "/accounts/profile/": "/admin/",
    "/admin/sales/lead/?status=new": None, "/admin/sales/lead": None, "/api/v1/docs": None, "/admin/": None,
}  # fmt: skip


@pytest.mark.parametrize("next_url", REDIRECTS)
def test_a_login_leads_to_an_existing_page(maria, next_url):
    for query, fields in ((f"?next={quote(next_url)}", {}), ("", {"next": next_url})):
        form = {"username": maria.email, "password": PASSWORD, **fields}
        client = Client()
        response = client.post(f"/admin/login/{query}", form)
        assert response.status_code == 302
        assert response["Location"] == (REDIRECTS[next_url] or next_url)
        assert client.get(response["Location"], follow=True).status_code == 200
