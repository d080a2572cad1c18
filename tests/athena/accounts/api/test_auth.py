"""`/auth`: logging in, the lifetime of tokens, and the account of the user."""

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


def user_json(user):
    return {
        "id": user.pk, "email": user.email, "full_name": user.full_name, "role": user.role, "team": user.team_id,
        "team_name": "Charter desk", "time_zone": user.time_zone,
    }  # fmt: skip


def log_in(client, email="maria@example.com", password=PASSWORD):
    return client.post(f"{AUTH}/login", {"email": email, "password": password})


def refresh(client, token):
    return client.post(f"{AUTH}/refresh", {"refresh_token": token})


def read_me(client, token):
    return client.get(f"{AUTH}/me", headers={"authorization": f"Bearer {token}"})


def test_login(client, maria):
    response = log_in(client)
    body = response.json()
    access, refresh_token = body.pop("access_token"), body.pop("refresh_token")
    assert response.status_code == 200
    assert response["Cache-Control"] == "no-store"
    assert body == {"token_type": "bearer", "expires_in": 600, "user": user_json(maria)}
    assert read_me(client, access).json() == user_json(maria)
    assert read_me(client, refresh_token).status_code == 401


@pytest.mark.parametrize("email", ["MARIA@Example.com", "  maria@example.com ", "ｍａｒｉａ@example.com"])
def test_any_spelling_of_the_email_address_logs_in(client, maria, email):
    assert log_in(client, email).status_code == 200


@pytest.mark.parametrize(
    ("email", "password"),
    [
        ("maria@example.com", "wrong"),
        ("nobody@example.com", PASSWORD),
        ("not an address", PASSWORD),
        ("gone@example.com", PASSWORD),
        ("maria@example.com", PASSWORD + " "),
        ("tom@example.com", PASSWORD),
    ],
)
def test_every_refused_login_gets_the_same_response_after_one_hash(
    client, maria, leaver, colleague, monkeypatch, email, password
):
    leaver.set_password(PASSWORD)
    leaver.save()
    hash_calls = []
    from django.contrib.auth.hashers import Argon2PasswordHasher

    def count_calls(method):
        def call(self, *args):
            hash_calls.append(method.__name__)
            return method(self, *args)

        return call

    for name in ("encode", "verify"):
        monkeypatch.setattr(Argon2PasswordHasher, name, count_calls(getattr(Argon2PasswordHasher, name)))
    response = log_in(client, email, password)
    assert response.status_code == 401
    assert response.json() == REFUSED
    assert len(hash_calls) == 1
    assert response["WWW-Authenticate"] == 'Bearer realm="api"'
    assert not LoginSession.objects.exists()


@pytest.mark.parametrize(
    ("body", "invalid_fields"),
    [
        ({}, {"email", "password"}),
        ({"email": "a@example.com"}, {"password"}),
        ({"email": 1, "password": 2}, {"email", "password"}),
        ({"email": "a", "password": "\x00"}, {"password"}),
        ({"email": "a", "password": "\ud800"}, {"password"}),
        ({"email": "a", "password": "b", "otp": 1}, {"otp"}),
    ],
)
def test_a_malformed_login_is_400(client, db, body, invalid_fields):
    import json

    response = client.post(f"{AUTH}/login", json.dumps(body), content_type="application/json")
    assert response.status_code == 400
    assert set(response.json()) == invalid_fields


def test_a_login_ignores_an_expired_token(client, maria):
    client.credentials(HTTP_AUTHORIZATION="Bearer stale")
    assert log_in(client).status_code == 200


def test_a_refresh_gives_new_tokens(client, maria):
    first = log_in(client).json()
    response = refresh(client, first["refresh_token"])
    second = response.json()
    assert response.status_code == 200
    assert second["user"] == user_json(maria)
    assert second["expires_in"] == 600
    assert second["refresh_token"] != first["refresh_token"]
    assert read_me(client, second["access_token"]).status_code == 200
    assert refresh(client, second["refresh_token"]).status_code == 200
    assert LoginSession.objects.count() == 1


def test_a_second_use_within_ten_seconds_is_only_refused(client, maria):
    with time_machine.travel("2026-11-23T10:00Z", tick=False) as clock:
        first = log_in(client).json()["refresh_token"]
        second = refresh(client, first).json()["refresh_token"]
        clock.shift(10)
        reused = refresh(client, first)
        assert reused.status_code == 401
        assert reused.json() == NOT_VALID
        assert refresh(client, second).status_code == 200


def test_a_later_second_use_ends_its_session_and_no_other(client, maria):
    with time_machine.travel("2026-11-23T10:00Z", tick=False) as clock:
        other = log_in(client).json()["refresh_token"]
        first = log_in(client).json()["refresh_token"]
        second = refresh(client, first).json()["refresh_token"]
        clock.shift(11)
        assert refresh(client, first).status_code == 401
        assert refresh(client, second).status_code == 401
        assert refresh(client, other).status_code == 200


def test_the_use_of_an_older_token_ends_the_session_at_once(client, maria):
    first = log_in(client).json()["refresh_token"]
    second = refresh(client, first).json()["refresh_token"]
    third = refresh(client, second).json()["refresh_token"]
    assert refresh(client, first).status_code == 401
    assert refresh(client, third).status_code == 401


def test_tokens_expire(client, maria):
    with time_machine.travel("2026-11-23T10:00Z", tick=False) as clock:
        tokens = log_in(client).json()
        clock.shift(599)
        assert read_me(client, tokens["access_token"]).status_code == 200
        clock.shift(1)
        assert read_me(client, tokens["access_token"]).status_code == 401
        clock.shift(timedelta(hours=12))
        assert refresh(client, tokens["refresh_token"]).status_code == 401


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "é", "Bearer x", "x" * 4097])
def test_an_invalid_refresh_token_is_refused(client, db, token):
    assert refresh(client, token).status_code in (400, 401)
    assert refresh(client, token).status_code == (400 if token in ("", "x" * 4097) else 401)


def test_an_access_token_does_not_refresh(client, maria):
    response = refresh(client, log_in(client).json()["access_token"])
    assert response.status_code == 401
    assert response.json() == NOT_VALID


def make_signed_token(kind, **claims):
    token = kind()
    for name, value in claims.items():
        token[name] = value
    return str(token)


def test_signed_tokens_with_invalid_claims_are_refused(client, maria):
    family_claims: list[Any] = [{}, {"family": 5}, {"family": "x"}, {"family": "00000000-0000-0000-0000-000000000000"}]
    for claims in family_claims:
        assert refresh(client, make_signed_token(RefreshToken, **claims)).status_code == 401
    user_claims: list[Any] = [
        {},
        {"user_id": maria.pk},
        {"user_id": maria.pk, "stamp": "x"},
        {"user_id": "x", "stamp": ""},
        {"user_id": 10**30, "stamp": ""},
    ]
    for claims in user_claims:
        assert read_me(client, make_signed_token(AccessToken, **claims)).status_code == 401


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer ", "Bearer x", "Basic bWFyaWE6eA==", "bearer é", "Bearer a b"]
)
def test_an_invalid_authorization_header_is_401(client, db, header):
    response = client.get(f"{AUTH}/me", headers={"authorization": header})
    assert response.status_code == 401
    assert set(response.json()) == {"detail", "code"}
    assert "WWW-Authenticate" in response


def test_role_team_and_activity_are_read_at_each_request(client, maria, other_desk):
    token = log_in(client).json()
    User.objects.filter(pk=maria.pk).update(role=Role.MANAGER, team=other_desk)
    body = read_me(client, token["access_token"]).json()
    assert body["role"] == "manager"
    assert body["team"] == other_desk.pk
    assert body["team_name"] == "Airport desk"
    User.objects.filter(pk=maria.pk).update(is_active=False)
    assert read_me(client, token["access_token"]).status_code == 401
    assert refresh(client, token["refresh_token"]).status_code == 401


def test_a_request_with_a_token_reads_the_user_once(client, maria, django_assert_num_queries):
    token = log_in(client).json()["access_token"]
    with django_assert_num_queries(2):  # the user with their team, and the row of the response
        read_me(client, token)


def test_logging_out_ends_one_session(client, maria):
    first_login, second_login = log_in(client).json(), log_in(client).json()
    headers = {"authorization": f"Bearer {first_login['access_token']}"}
    body = {"refresh_token": first_login["refresh_token"]}
    assert client.post(f"{AUTH}/logout", body).status_code == 401
    response = client.post(f"{AUTH}/logout", body, headers=headers)
    assert response.status_code == 204
    assert response.content == b""
    assert client.post(f"{AUTH}/logout", body, headers=headers).status_code == 401
    assert refresh(client, first_login["refresh_token"]).status_code == 401
    assert refresh(client, second_login["refresh_token"]).status_code == 200


@pytest.mark.parametrize("change", [{"revoked_at": Now()}, {"expires_at": Now()}])
def test_an_access_token_ends_with_its_session_and_no_other(client, maria, change):
    first_login, second_login = log_in(client).json(), log_in(client).json()
    family = str(AccessToken(first_login["access_token"])["family"])
    assert LoginSession.objects.filter(pk=family).update(**change) == 1
    assert [read_me(client, tokens["access_token"]).status_code for tokens in (first_login, second_login)] == [401, 200]


def test_an_access_token_without_a_session_is_refused(client, maria):
    token = AccessToken(log_in(client).json()["access_token"])
    for family in (None, "", "x", 7, str(uuid4())):
        token["family"] = family
        assert read_me(client, str(token)).status_code == 401
    del token.payload["family"]
    assert read_me(client, str(token)).status_code == 401


def test_a_session_is_renewed_until_its_lifetime_is_over(client, maria, settings):
    settings.API_LOGIN_LIFETIME = timedelta(days=2)
    with time_machine.travel("2026-11-23T10:00Z", tick=False) as clock:
        tokens = log_in(client).json()
        for _ in range(5):
            clock.shift(timedelta(hours=9))
            response = refresh(client, tokens["refresh_token"])
            assert response.status_code == 200
            tokens = response.json()
        clock.shift(timedelta(hours=2, minutes=59))
        assert read_me(client, tokens["access_token"]).status_code == 401  # the access token has expired
        tokens = refresh(client, tokens["refresh_token"]).json()
        assert read_me(client, tokens["access_token"]).status_code == 200
        clock.shift(timedelta(minutes=2))
        assert read_me(client, tokens["access_token"]).status_code == 401
        assert refresh(client, tokens["refresh_token"]).status_code == 401
        assert log_in(client).status_code == 200


def test_a_user_cannot_log_another_user_out(client, api, maria, colleague):
    token = log_in(client).json()["refresh_token"]
    assert api(colleague).post(f"{AUTH}/logout", {"refresh_token": token}).status_code == 204
    assert refresh(client, token).status_code == 200


def test_changing_name_and_zone(api, maria):
    response = api(maria).patch(
        f"{AUTH}/me", {"full_name": " Maria  B. ", "time_zone": "Europe/Vienna", "role": "admin"}
    )
    maria.refresh_from_db()
    assert response.status_code == 200
    assert response.json() == user_json(maria)
    assert maria.full_name == "Maria  B."
    assert maria.time_zone == "Europe/Vienna"
    assert maria.role == "rep"
    assert api(maria).patch(f"{AUTH}/me", {}).json() == user_json(maria)


@pytest.mark.parametrize(
    ("body", "invalid_fields"),
    [
        ({"time_zone": "Mars/Olympus"}, "time_zone"),
        ({"time_zone": "../etc/passwd"}, "time_zone"),
        ({"time_zone": ""}, "time_zone"),
        ({"full_name": " "}, "full_name"),
        ({"full_name": 5}, "full_name"),
        ({"full_name": "a\nb"}, "full_name"),
        ({"password": "x"}, "password"),
    ],
)
def test_an_invalid_field_of_the_profile_is_named(api, rep, body, invalid_fields):
    response = api(rep).patch(f"{AUTH}/me", body)
    assert response.status_code == 400
    assert list(response.json()) == [invalid_fields]


def test_a_new_password_ends_all_sessions(client, maria):
    first_login, second_login = log_in(client).json(), log_in(client).json()
    headers = {"authorization": f"Bearer {first_login['access_token']}"}
    body = {"current_password": PASSWORD, "new_password": "battery staple 9"}
    response = client.post(f"{AUTH}/change-password", body, headers=headers)
    assert response.status_code == 204
    assert response.content == b""
    for tokens in (first_login, second_login):
        assert read_me(client, tokens["access_token"]).status_code == 401
        assert refresh(client, tokens["refresh_token"]).status_code == 401
    assert log_in(client).status_code == 401
    assert log_in(client, password="battery staple 9").status_code == 200


@pytest.mark.parametrize(
    ("current", "new", "invalid_fields"),
    [
        ("wrong", "battery staple 9", "current_password"),
        (PASSWORD, "short", "new_password"),
        (PASSWORD, "12345678901", "new_password"),
        (PASSWORD, "maria@example.com", "new_password"),
    ],
)
def test_an_invalid_password_change_is_refused(client, api, maria, current, new, invalid_fields):
    body = {"current_password": current, "new_password": new}
    response = api(maria).post(f"{AUTH}/change-password", body)
    assert response.status_code == 400
    assert list(response.json()) == [invalid_fields]
    assert log_in(client).status_code == 200


def test_a_session_needs_its_csrf_token(maria):
    client = APIClient(enforce_csrf_checks=True)
    client.force_login(maria)
    assert client.get(f"{AUTH}/me").json() == user_json(maria)
    response = client.patch(f"{AUTH}/me", {"full_name": "M"})
    assert response.status_code == 403
    assert set(response.json()) == {"detail", "code"}
    assert response.json()["code"] == "not_allowed"
