"""Guessing passwords, at the API's door and at the admin's."""

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


def guess(email="maria@example.com", password="wrong", address="203.0.113.7"):
    return APIClient(REMOTE_ADDR=address).post(LOGIN, {"email": email, "password": password})


def statuses(count, **how):
    return [guess(**how).status_code for _ in range(count)]


@pytest.mark.parametrize("email", ["maria@example.com", "nobody@example.com", "gone@example.com"])
def test_the_sixth_failure_for_an_account_is_429(maria, leaver, clock, email):
    assert statuses(5, email=email) == [401] * 5
    response = guess(email=email.upper())
    assert response.status_code == 429
    assert response["Retry-After"] == "900"
    assert response.json() == {"detail": "Too many failed logins. Try again in 15 minutes.", "code": "locked_out"}
    assert FailedLogin.objects.count() == 5


def test_then_the_right_password_is_refused_too_until_the_time_is_over(maria, clock):
    statuses(4)
    clock.shift(timedelta(minutes=10))
    assert guess().status_code == 401
    locked = guess(password=PASSWORD)
    assert locked.status_code == 429
    assert locked["Retry-After"] == "300"
    clock.shift(timedelta(minutes=5))
    assert guess(password=PASSWORD).status_code == 200
    assert statuses(5) == [401] * 4 + [429], "the fifth is still remembered"


def test_others_and_other_addresses_are_not_concerned(maria, colleague):
    statuses(6)
    assert guess(address="203.0.113.8", password=PASSWORD).status_code == 200
    assert guess(email="tom@example.com").status_code == 401


def test_only_failures_count_and_a_success_forgives_none(maria):
    assert statuses(12, password=PASSWORD) == [200] * 12
    assert [*statuses(3), *statuses(1, password=PASSWORD), *statuses(3)] == [401] * 3 + [200] + [401] * 2 + [429]


def test_the_twenty_first_failure_of_an_address_is_429(maria, clock):
    assert [guess(email=f"user{n}@example.com").status_code for n in range(21)] == [401] * 20 + [429]
    locked = guess(password=PASSWORD)
    assert locked.status_code == 429
    assert locked["Retry-After"] == "3600"
    clock.shift(timedelta(hours=1))
    assert guess(password=PASSWORD).status_code == 200


def test_a_made_up_forwarding_header_is_no_way_round(maria, settings):
    for hops, forwarded, locked in [(0, "198.51.100.{}", True), (1, "198.51.100.{}, 203.0.113.9", True),
                                    (1, "203.0.113.9, 198.51.100.{}", False)]:  # fmt: skip
        settings.TRUSTED_HOPS = hops
        FailedLogin.objects.all().delete()
        found = [
            APIClient()
            .post(
                LOGIN, {"email": "maria@example.com", "password": "x"}, headers={"X-Forwarded-For": forwarded.format(n)}
            )
            .status_code
            for n in range(6)
        ]
        assert found == [401] * 5 + [429 if locked else 401], (hops, forwarded)


def test_the_admin_counts_the_same_failures(maria, clock):
    statuses(3, address="127.0.0.1")

    def try_admin(password):
        return Client().post("/admin/login/", {"username": "maria@example.com", "password": password})

    assert [try_admin("wrong").status_code for _ in range(2)] == [200, 200]
    locked = try_admin(PASSWORD)
    assert locked.status_code == 429
    assert locked["Retry-After"] == "900"
    assert "Too many failed logins. Try again in 15 minutes." in locked.content.decode()
    clock.shift(timedelta(minutes=15))
    assert try_admin(PASSWORD).status_code == 302
    assert try_admin(PASSWORD)["Location"] == "/admin/"


def test_nothing_is_kept_of_what_was_typed_and_not_for_longer_than_it_counts(maria, clock):
    guess(email="my-secret-password", password="x")
    (row,) = FailedLogin.objects.values()
    assert "secret" not in str(row)
    assert lockout.delete_expired() == 0
    clock.shift(timedelta(hours=1))
    assert lockout.delete_expired() == 1
    assert FailedLogin.objects.count() == 0


def test_a_deactivated_users_logins_do_not_come_back_with_the_account(maria, admin, browse):
    tokens = guess(password=PASSWORD).json()
    browser = browse(maria)
    page = f"/admin/accounts/user/{maria.pk}/change/"
    form = {
        "email": maria.email, "full_name": maria.full_name, "time_zone": "UTC", "reminder_minutes": 30,
        "digest_hour": 7, "role": "rep", "team": maria.team_id,
    }  # fmt: skip

    def works():
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
    assert works() == [False] * 3


def test_a_password_that_an_admin_sets_ends_all_logins(maria, admin, browse):
    tokens = guess(password=PASSWORD).json()
    new = {"password1": "another horse 8", "password2": "another horse 8", "usable_password": "true"}
    assert browse(admin).post(f"/admin/accounts/user/{maria.pk}/password/", new).status_code == 302
    refreshed = APIClient().post("/api/v1/auth/refresh", {"refresh_token": tokens["refresh_token"]})
    assert refreshed.status_code == 401
    assert guess(password="another horse 8").status_code == 200


def change_by_api(maria, current, address="203.0.113.7"):
    client = APIClient(REMOTE_ADDR=address)
    client.force_authenticate(maria)
    return client.post("/api/v1/auth/change-password", {"current_password": current, "new_password": "a"})


def change_by_admin(maria, current, address="203.0.113.7"):
    browser = Client(REMOTE_ADDR=address)
    browser.force_login(maria)
    new = {"old_password": current, "new_password1": "a", "new_password2": "b"}
    return browser.post("/admin/password_change/", new)


@pytest.mark.parametrize("change", [change_by_api, change_by_admin])
def test_the_current_password_is_guessed_as_rarely_as_at_a_login(maria, clock, change):
    assert statuses(2) == [401, 401]
    assert [change(maria, "wrong").status_code for _ in range(3)] in ([400] * 3, [200] * 3)
    locked = change(maria, PASSWORD)
    assert locked.status_code == 429
    assert locked["Retry-After"] == "900"
    assert guess(password=PASSWORD).status_code == 429
    assert FailedLogin.objects.count() == 5
    clock.shift(timedelta(minutes=15))
    assert change(maria, PASSWORD).status_code in (400, 200)  # the new one is too simple


def test_the_right_one_of_many_at_once_is_refused_once_the_others_have_failed(maria, monkeypatch):
    real = User.check_password

    def others_fail_meanwhile(self, raw):
        found = real(self, raw)
        for _ in range(5):
            lockout.record_failure(maria.email, "203.0.113.7")
        return found

    monkeypatch.setattr(User, "check_password", others_fail_meanwhile)
    for attempt in (lambda: change_by_api(maria, PASSWORD), lambda: change_by_admin(maria, PASSWORD)):
        FailedLogin.objects.all().delete()
        assert attempt().status_code == 429


def test_each_failure_is_a_line_with_a_hash_and_the_address(maria, clock):
    with capture_logs() as lines:
        statuses(6)
        guess(email="my-secret-password")
        Client(REMOTE_ADDR="203.0.113.9").post("/admin/login/", {"username": "Maria@Example.com", "password": "wrong"})
        for change in (change_by_api, change_by_admin):
            change(maria, "wrong", address="203.0.113.10")
        guess(password=PASSWORD, address="203.0.113.11")
    found = [(line["event"], line["address"]) for line in lines if line["event"].startswith("login_")]
    assert found == [
        *[("login_failed", "203.0.113.7")] * 5, ("login_locked_out", "203.0.113.7"), ("login_failed", "203.0.113.7"),
        ("login_failed", "203.0.113.9"), ("login_failed", "203.0.113.10"), ("login_failed", "203.0.113.10"),
    ]  # fmt: skip
    accounts = [line["account"] for line in lines if line["event"].startswith("login_")]
    assert len(set(accounts)) == 2
    assert set(accounts) == set(FailedLogin.objects.values_list("account", flat=True))
    assert "secret" not in str(lines)
    assert "maria" not in str(lines).lower()
    assert {line["log_level"] for line in lines if line["event"].startswith("login_")} == {"warning"}


def test_a_login_ends_the_token_of_the_forms_before_it(maria):
    client = Client(enforce_csrf_checks=True)
    client.get("/admin/login/")
    before = client.cookies["csrftoken"].value
    form = {"username": maria.email, "password": PASSWORD, "csrfmiddlewaretoken": before}
    assert client.post("/admin/login/", form).status_code == 302
    assert client.cookies["csrftoken"].value != before


NEXT = {
    "": "/admin/", "/nothing": "/admin/", "/admin/nothing/": "/admin/", "//evil.example/": "/admin/",
    "https://evil.example/admin/": "/admin/", "javascript:alert(1)": "/admin/", "/admin/logout/": "/admin/",
    "/admin/login/": "/admin/", "/accounts/profile/": "/admin/",
    "/admin/sales/lead/?status=new": None, "/admin/sales/lead": None, "/api/v1/docs": None, "/admin/": None,
}  # fmt: skip


@pytest.mark.parametrize("wanted", NEXT)
def test_a_login_leads_to_a_page_that_there_is(maria, wanted):
    for query, body in ((f"?next={quote(wanted)}", {}), ("", {"next": wanted})):
        form = {"username": maria.email, "password": PASSWORD, **body}
        client = Client()
        response = client.post(f"/admin/login/{query}", form)
        assert response.status_code == 302
        assert response["Location"] == (NEXT[wanted] or wanted)
        assert client.get(response["Location"], follow=True).status_code == 200
