"""Fixtures for users, teams, leads, and clients that are signed in as a user."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import Client
from rest_framework.test import APIClient

from athena.accounts.models import Team, User
from athena.accounts.roles import Role
from sales.models import Lead


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> None:
    """Let Django ask SQLite here, once per process, whether it supports JSON, and not while a test counts queries."""
    with django_db_blocker.unblock():
        assert connection.features.supports_json_field


@pytest.fixture
def desk(db: None) -> Team:
    return Team.objects.create(name="Charter desk")


@pytest.fixture
def other_desk(db: None) -> Team:
    return Team.objects.create(name="Airport desk")


@pytest.fixture(scope="module")
def made_once(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """A transaction around all tests of a module, for rows that are created once. Request it before `db`.

    Each test runs in a transaction inside it, which undoes the test's own changes.
    """
    with django_db_blocker.unblock(), transaction.atomic():
        yield
        transaction.set_rollback(True)


def new_user(name: str, role: Role = Role.REP, team: Team | None = None, **fields: object) -> User:
    fields.setdefault("time_zone", "UTC")
    user = User(email=f"{name}@example.com", full_name=name.title(), role=role, team=team, **fields)
    user.set_unusable_password()
    user.save()
    return user


@pytest.fixture
def make_user(db: None) -> Callable[..., User]:
    return new_user


@pytest.fixture
def rep(make_user: Callable[..., User], desk: Team) -> User:
    return make_user("maria", team=desk)


@pytest.fixture
def colleague(make_user: Callable[..., User], desk: Team) -> User:
    return make_user("tom", team=desk)


@pytest.fixture
def stranger(make_user: Callable[..., User], other_desk: Team) -> User:
    """A salesperson of another team."""
    return make_user("otto", team=other_desk)


@pytest.fixture
def manager(make_user: Callable[..., User], desk: Team) -> User:
    return make_user("manager", Role.MANAGER, desk)


@pytest.fixture
def admin(make_user: Callable[..., User]) -> User:
    return make_user("admin", Role.ADMIN)


@pytest.fixture
def leaver(make_user: Callable[..., User], desk: Team) -> User:
    return make_user("gone", team=desk, is_active=False)


@pytest.fixture
def make_lead(db: None) -> Callable[..., Lead]:
    """Creates a lead without the services. A test should set the values that it is about."""

    def make(**fields: object) -> Lead:
        fields.setdefault("company_name", "Lincoln High School Band")
        return Lead.objects.create(**fields)

    return make


@pytest.fixture
def api() -> Callable[[User | None], APIClient]:
    """Creates a client of the HTTP API that is signed in as a user, or as nobody."""

    def client(user: User | None = None) -> APIClient:
        api_client = APIClient()
        if user is not None:
            api_client.force_authenticate(user)
        return api_client

    return client


@pytest.fixture
def browse() -> Callable[[User], Client]:
    """Creates a browser in which a user is signed in."""

    def client(user: User) -> Client:
        browser = Client()
        browser.force_login(user)
        return browser

    return client
