"""`/auth`: tokens, how long they hold, and one's own account."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
import time_machine
from rest_framework.test import APIClient
from rest_framework_simplejwt.tokens import AccessToken, RefreshToken

from athena.accounts.models import LoginSession, User
from athena.accounts.roles import Role
from athena.db import Now

AUTH = "/api/v1/auth"
PASSWORD = "correct horse 7"
REFUSED = {"detail": "The email address or the password is wrong.", "code": "login_failed"}
NOT_VALID = {"detail": "This refresh token is invalid or has expired.", "code": "token_not_valid"}


@pytest.fixture
def maria(rep):
    rep.set_password(PASSWORD)
    rep.save()
    return rep


@pytest.fixture
def client():
    return APIClient()


def me_of(user):
    return {
        "id": user.pk, "email": user.email, "full_name": user.full_name, "role": user.role, "team": user.team_id,
        "team_name": "Charter desk", "time_zone": user.time_zone,
    }  # fmt: skip


def log_in(client, email="maria@example.com", password=PASSWORD):
    return client.post(f"{AUTH}/login", {"email": email, "password": password})


def refresh(client, token):
    return client.post(f"{AUTH}/refresh", {"refresh_token": token})


def bearer(client, token):
    return client.get(f"{AUTH}/me", headers={"authorization": f"Bearer {token}"})


def test_login(client, maria):
    response = log_in(client)
    got = response.json()
    access, refresh_token = got.pop("access_token"), got.pop("refresh_token")
    assert response.status_code == 200
    assert response["Cache-Control"] == "no-store"
    assert got == {"token_type": "bearer", "expires_in": 600, "user": me_of(maria)}
    assert bearer(client, access).json() == me_of(maria)
    assert bearer(client, refresh_token).status_code == 401


@pytest.mark.parametrize("email", ["MARIA@Example.com", "  maria@example.com ", "ｍａｒｉａ@example.com"])
def test_the_address_is_known_however_it_is_written(client, maria, email):
    assert log_in(client, email).status_code == 200


@pytest.mark.parametrize(
    ("email", "password"),
    [("maria@example.com", "wrong"), ("nobody@example.com", PASSWORD), ("not an address", PASSWORD),
     ("gone@example.com", PASSWORD), ("maria@example.com", PASSWORD + " "), ("tom@example.com", PASSWORD)],
)  # fmt: skip
def test_unknown_wrong_and_inactive_are_one_answer_after_one_hash(
    client, maria, leaver, colleague, monkeypatch, email, password
):
    leaver.set_password(PASSWORD)
    leaver.save()
    hashes = []
    from django.contrib.auth.hashers import Argon2PasswordHasher

    def counted(method):
        def call(self, *args):
            hashes.append(method.__name__)
            return method(self, *args)

        return call

    for name in ("encode", "verify"):
        monkeypatch.setattr(Argon2PasswordHasher, name, counted(getattr(Argon2PasswordHasher, name)))
    response = log_in(client, email, password)
    assert response.status_code == 401
    assert response.json() == REFUSED
    assert len(hashes) == 1
    assert response["WWW-Authenticate"] == 'Bearer realm="api"'
    assert not LoginSession.objects.exists()


@pytest.mark.parametrize(
    ("body", "wrong"),
    [({}, {"email", "password"}), ({"email": "a@example.com"}, {"password"}), ({"email": 1, "password": 2},
     {"email", "password"}), ({"email": "a", "password": "\x00"}, {"password"}),
     ({"email": "a", "password": "\ud800"}, {"password"}), ({"email": "a", "password": "b", "otp": 1}, {"otp"})],
)  # fmt: skip
def test_a_malformed_login_is_400(client, db, body, wrong):
    import json

    response = client.post(f"{AUTH}/login", json.dumps(body), content_type="application/json")
    assert response.status_code == 400
    assert set(response.json()) == wrong


def test_login_does_not_mind_a_stale_token(client, maria):
    client.credentials(HTTP_AUTHORIZATION="Bearer stale")
    assert log_in(client).status_code == 200


def test_refresh_rotates(client, maria):
    first = log_in(client).json()
    response = refresh(client, first["refresh_token"])
    second = response.json()
    assert response.status_code == 200
    assert second["user"] == me_of(maria)
    assert second["expires_in"] == 600
    assert second["refresh_token"] != first["refresh_token"]
    assert bearer(client, second["access_token"]).status_code == 200
    assert refresh(client, second["refresh_token"]).status_code == 200
    assert LoginSession.objects.count() == 1


def test_a_second_use_at_once_only_fails(client, maria):
    with time_machine.travel("2026-11-23T10:00Z", tick=False) as clock:
        first = log_in(client).json()["refresh_token"]
        second = refresh(client, first).json()["refresh_token"]
        clock.shift(10)
        again = refresh(client, first)
        assert again.status_code == 401
        assert again.json() == NOT_VALID
        assert refresh(client, second).status_code == 200


def test_a_second_use_later_ends_the_family_and_no_other(client, maria):
    with time_machine.travel("2026-11-23T10:00Z", tick=False) as clock:
        other = log_in(client).json()["refresh_token"]
        first = log_in(client).json()["refresh_token"]
        second = refresh(client, first).json()["refresh_token"]
        clock.shift(11)
        assert refresh(client, first).status_code == 401
        assert refresh(client, second).status_code == 401
        assert refresh(client, other).status_code == 200


def test_a_token_from_before_the_last_one_ends_the_family_at_once(client, maria):
    first = log_in(client).json()["refresh_token"]
    second = refresh(client, first).json()["refresh_token"]
    third = refresh(client, second).json()["refresh_token"]
    assert refresh(client, first).status_code == 401
    assert refresh(client, third).status_code == 401


def test_tokens_expire(client, maria):
    with time_machine.travel("2026-11-23T10:00Z", tick=False) as clock:
        tokens = log_in(client).json()
        clock.shift(599)
        assert bearer(client, tokens["access_token"]).status_code == 200
        clock.shift(1)
        assert bearer(client, tokens["access_token"]).status_code == 401
        clock.shift(timedelta(hours=12))
        assert refresh(client, tokens["refresh_token"]).status_code == 401


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "é", "Bearer x", "x" * 4097])
def test_nonsense_is_no_refresh_token(client, db, token):
    assert refresh(client, token).status_code in (400, 401)
    assert refresh(client, token).status_code == (400 if token in ("", "x" * 4097) else 401)


def test_an_access_token_does_not_refresh(client, maria):
    response = refresh(client, log_in(client).json()["access_token"])
    assert response.status_code == 401
    assert response.json() == NOT_VALID


def forged(kind, **claims):
    token = kind()
    for name, value in claims.items():
        token[name] = value
    return str(token)


def test_signed_but_strange_tokens_are_refused(client, maria):
    families: list[Any] = [{}, {"family": 5}, {"family": "x"}, {"family": "00000000-0000-0000-0000-000000000000"}]
    for claims in families:
        assert refresh(client, forged(RefreshToken, **claims)).status_code == 401
    people: list[Any] = [{}, {"user_id": maria.pk}, {"user_id": maria.pk, "stamp": "x"}, {"user_id": "x", "stamp": ""},
                   {"user_id": 10**30, "stamp": ""}]  # fmt: skip
    for claims in people:
        assert bearer(client, forged(AccessToken, **claims)).status_code == 401


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer ", "Bearer x", "Basic bWFyaWE6eA==", "bearer é", "Bearer a b"]
)
def test_nothing_that_is_not_a_token_logs_in(client, db, header):
    response = client.get(f"{AUTH}/me", headers={"authorization": header})
    assert response.status_code == 401
    assert set(response.json()) == {"detail", "code"}
    assert "WWW-Authenticate" in response


def test_role_team_and_activity_are_read_at_each_request(client, maria, other_desk):
    token = log_in(client).json()
    User.objects.filter(pk=maria.pk).update(role=Role.MANAGER, team=other_desk)
    got = bearer(client, token["access_token"]).json()
    assert got["role"] == "manager"
    assert got["team"] == other_desk.pk
    assert got["team_name"] == "Airport desk"
    User.objects.filter(pk=maria.pk).update(is_active=False)
    assert bearer(client, token["access_token"]).status_code == 401
    assert refresh(client, token["refresh_token"]).status_code == 401


def test_a_request_with_a_token_reads_the_user_once(client, maria, django_assert_num_queries):
    token = log_in(client).json()["access_token"]
    with django_assert_num_queries(2):  # the user with their team, and the answer's row
        bearer(client, token)


def test_logout_ends_one_login(client, maria):
    here, there = log_in(client).json(), log_in(client).json()
    headers = {"authorization": f"Bearer {here['access_token']}"}
    body = {"refresh_token": here["refresh_token"]}
    assert client.post(f"{AUTH}/logout", body).status_code == 401
    response = client.post(f"{AUTH}/logout", body, headers=headers)
    assert response.status_code == 204
    assert response.content == b""
    assert client.post(f"{AUTH}/logout", body, headers=headers).status_code == 401
    assert refresh(client, here["refresh_token"]).status_code == 401
    assert refresh(client, there["refresh_token"]).status_code == 200


@pytest.mark.parametrize("end", [{"revoked_at": Now()}, {"expires_at": Now()}])
def test_an_access_token_ends_with_its_family_and_with_no_other(client, maria, end):
    here, there = log_in(client).json(), log_in(client).json()
    family = str(AccessToken(here["access_token"])["family"])
    assert LoginSession.objects.filter(pk=family).update(**end) == 1
    assert [bearer(client, each["access_token"]).status_code for each in (here, there)] == [401, 200]


def test_an_access_token_without_a_family_is_none(client, maria):
    token = AccessToken(log_in(client).json()["access_token"])
    for family in (None, "", "x", 7, str(uuid4())):
        token["family"] = family
        assert bearer(client, str(token)).status_code == 401
    del token.payload["family"]
    assert bearer(client, str(token)).status_code == 401


def test_a_login_is_renewed_for_so_many_days_and_no_longer(client, maria, settings):
    settings.API_LOGIN_LIFETIME = timedelta(days=2)
    with time_machine.travel("2026-11-23T10:00Z", tick=False) as clock:
        pair = log_in(client).json()
        for _ in range(5):
            clock.shift(timedelta(hours=9))
            response = refresh(client, pair["refresh_token"])
            assert response.status_code == 200
            pair = response.json()
        clock.shift(timedelta(hours=2, minutes=59))
        assert bearer(client, pair["access_token"]).status_code == 401  # ten minutes are over
        pair = refresh(client, pair["refresh_token"]).json()
        assert bearer(client, pair["access_token"]).status_code == 200
        clock.shift(timedelta(minutes=2))
        assert bearer(client, pair["access_token"]).status_code == 401
        assert refresh(client, pair["refresh_token"]).status_code == 401
        assert log_in(client).status_code == 200


def test_nobody_logs_somebody_else_out(client, api, maria, colleague):
    token = log_in(client).json()["refresh_token"]
    assert api(colleague).post(f"{AUTH}/logout", {"refresh_token": token}).status_code == 204
    assert refresh(client, token).status_code == 200


def test_changing_name_and_zone(api, maria):
    response = api(maria).patch(
        f"{AUTH}/me", {"full_name": " Maria  B. ", "time_zone": "Europe/Vienna", "role": "admin"}
    )
    maria.refresh_from_db()
    assert response.status_code == 200
    assert response.json() == me_of(maria)
    assert maria.full_name == "Maria  B."
    assert maria.time_zone == "Europe/Vienna"
    assert maria.role == "rep"
    assert api(maria).patch(f"{AUTH}/me", {}).json() == me_of(maria)


@pytest.mark.parametrize(
    ("body", "wrong"),
    [({"time_zone": "Mars/Olympus"}, "time_zone"), ({"time_zone": "../etc/passwd"}, "time_zone"),
     ({"time_zone": ""}, "time_zone"), ({"full_name": " "}, "full_name"), ({"full_name": 5}, "full_name"),
     ({"full_name": "a\nb"}, "full_name"), ({"password": "x"}, "password")],
)  # fmt: skip
def test_what_is_wrong_about_oneself_is_named(api, rep, body, wrong):
    response = api(rep).patch(f"{AUTH}/me", body)
    assert response.status_code == 400
    assert list(response.json()) == [wrong]


def test_a_new_password_ends_everything_from_before(client, maria):
    here, there = log_in(client).json(), log_in(client).json()
    headers = {"authorization": f"Bearer {here['access_token']}"}
    body = {"current_password": PASSWORD, "new_password": "battery staple 9"}
    response = client.post(f"{AUTH}/change-password", body, headers=headers)
    assert response.status_code == 204
    assert response.content == b""
    for tokens in (here, there):
        assert bearer(client, tokens["access_token"]).status_code == 401
        assert refresh(client, tokens["refresh_token"]).status_code == 401
    assert log_in(client).status_code == 401
    assert log_in(client, password="battery staple 9").status_code == 200


@pytest.mark.parametrize(
    ("current", "new", "wrong"),
    [("wrong", "battery staple 9", "current_password"), (PASSWORD, "short", "new_password"),
     (PASSWORD, "12345678901", "new_password"), (PASSWORD, "maria@example.com", "new_password")],
)  # fmt: skip
def test_a_password_is_changed_by_who_knows_it_and_to_a_good_one(client, api, maria, current, new, wrong):
    body = {"current_password": current, "new_password": new}
    response = api(maria).post(f"{AUTH}/change-password", body)
    assert response.status_code == 400
    assert list(response.json()) == [wrong]
    assert log_in(client).status_code == 200


def test_a_session_needs_its_csrf_token(maria):
    client = APIClient(enforce_csrf_checks=True)
    client.force_login(maria)
    assert client.get(f"{AUTH}/me").json() == me_of(maria)
    response = client.patch(f"{AUTH}/me", {"full_name": "M"})
    assert response.status_code == 403
    assert set(response.json()) == {"detail", "code"}
    assert response.json()["code"] == "not_allowed"
