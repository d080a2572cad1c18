from datetime import timedelta
from uuid import uuid4

import pytest
from django.db.models import F
from django.utils import timezone

from athena.accounts import services, tokens
from athena.accounts.models import LoginSession, User


@pytest.fixture
def session(rep) -> LoginSession:
    """A session that is neither revoked nor expired."""
    return LoginSession.objects.create(user=rep, jti="first", expires_at=timezone.now() + timedelta(hours=1))


@pytest.fixture
def access_token(rep, session) -> str:
    return tokens.make_access_token(rep, session.pk)


def test_an_access_token_names_its_user(rep, access_token) -> None:
    assert tokens.find_user(access_token) == rep


@pytest.mark.parametrize("text", ["", "x", "a.b.c"])
def test_other_texts_are_not_access_tokens(db, text) -> None:
    assert tokens.find_user(text) is None


def test_a_refresh_token_is_not_an_access_token(rep, session) -> None:
    assert tokens.find_user(tokens.make_refresh_token(rep, session.pk, "first")) is None


def test_an_access_token_of_another_session_does_not_count(rep, colleague, session) -> None:
    assert tokens.find_user(tokens.make_access_token(rep, uuid4())) is None
    assert tokens.find_user(tokens.make_access_token(colleague, session.pk)) is None


@pytest.mark.parametrize(
    "change",
    [
        {"revoked_at": timezone.now()},
        {"expires_at": timezone.now() - timedelta(seconds=1)},
    ],
    ids=["revoked", "expired"],
)
def test_an_access_token_ends_with_its_session(session, access_token, change) -> None:
    LoginSession.objects.filter(pk=session.pk).update(**change)
    assert tokens.find_user(access_token) is None


@pytest.mark.parametrize(
    "change",
    [{"is_active": False}, {"login_epoch": F("login_epoch") + 1}, {"password": "another"}],
    ids=["deactivated", "epoch", "password"],
)
def test_an_access_token_ends_with_the_login_of_its_user(rep, access_token, change) -> None:
    User.objects.filter(pk=rep.pk).update(**change)
    assert tokens.find_user(access_token) is None


def test_a_refresh_token_is_read_back(rep, session) -> None:
    claims = tokens.read_refresh_token(tokens.make_refresh_token(rep, session.pk, "first"))
    assert claims is not None
    assert claims.family == session.pk
    assert claims.jti == "first"
    assert tokens.is_current_stamp(rep, claims.stamp)


def test_an_access_token_is_not_a_refresh_token(access_token) -> None:
    assert tokens.read_refresh_token(access_token) is None


def test_a_stamp_is_out_of_date_after_a_new_epoch(rep, session) -> None:
    claims = tokens.read_refresh_token(tokens.make_refresh_token(rep, session.pk, "first"))
    rep.login_epoch += 1
    assert claims is not None
    assert not tokens.is_current_stamp(rep, claims.stamp)


def test_a_calendar_token_opens_the_calendar_of_its_user(rep, colleague) -> None:
    assert tokens.find_calendar_user(tokens.make_calendar_token(rep)) == rep
    assert tokens.make_calendar_token(rep) != tokens.make_calendar_token(colleague)


def test_the_digest_of_another_user_opens_no_calendar(rep, colleague) -> None:
    digest = tokens.make_calendar_token(colleague).partition("-")[2]
    assert tokens.find_calendar_user(f"{rep.pk}-{digest}") is None


@pytest.mark.parametrize("text", ["", "x", "1", "-1-x", "²-x", f"{10**18}-x"])
def test_other_texts_open_no_calendar(db, text) -> None:
    assert tokens.find_calendar_user(text) is None


@pytest.mark.parametrize(
    "change",
    [{"is_active": False}, {"login_epoch": F("login_epoch") + 1}, {"calendar_epoch": F("calendar_epoch") + 1}],
    ids=["deactivated", "login epoch", "calendar epoch"],
)
def test_a_calendar_token_ends(rep, change) -> None:
    token = tokens.make_calendar_token(rep)
    User.objects.filter(pk=rep.pk).update(**change)
    assert tokens.find_calendar_user(token) is None


def test_a_calendar_token_outlives_a_new_password_and_a_new_secret_key(rep, settings) -> None:
    token = tokens.make_calendar_token(rep)
    User.objects.filter(pk=rep.pk).update(password="another")
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "a new key that signs everything from now on"
    assert tokens.find_calendar_user(token) == rep


def test_a_renewed_calendar_has_another_token(rep) -> None:
    token = tokens.make_calendar_token(rep)
    renewed = services.renew_calendar_token(by=rep)
    assert tokens.find_calendar_user(token) is None
    assert tokens.find_calendar_user(tokens.make_calendar_token(renewed)) == rep
