"""The deployment check for demo passwords."""

import pytest
from django.contrib.auth.hashers import make_password
from django.core.checks import run_checks
from django.core.management import call_command
from django.core.management.base import SystemCheckError

from athena.accounts.models import User
from sales.checks import demo_passwords


@pytest.fixture
def accounts(db, make_user, settings):
    """Two demo accounts, of which one has changed its password, and another user."""
    settings.DEMO = False
    for name, password in [("maria", "maria123"), ("tom", "changed it"), ("somebody", "somebody123")]:
        user = make_user(name)
        user.password = make_password(password)
        user.save()


def test_a_demo_password_that_works_fails_the_deploy_check(accounts):
    errors = run_checks(databases=["default"], include_deployment_checks=True, tags=["database"])
    assert [(error.id, error.msg) for error in errors] == [
        ("sales.E001", "maria@example.com can sign in with the password of the demo account.")
    ]
    with pytest.raises(SystemCheckError, match="maria@"):
        call_command("check", "--deploy", "--database", "default", "--tag", "database")


def test_a_demo_passes(accounts, settings):
    settings.DEMO = True
    assert demo_passwords(None, ["default"]) == []


def test_an_inactive_account_passes(accounts, settings):
    User.objects.filter(email="maria@example.com").update(is_active=False)
    assert demo_passwords(None, ["default"]) == []


@pytest.mark.django_db
def test_an_empty_database_passes(settings):
    settings.DEMO = False
    assert demo_passwords(None, ["default"]) == []
    assert demo_passwords(None, None) == []


def test_the_check_runs_before_there_are_tables(accounts, monkeypatch):
    from django.db import connection

    monkeypatch.setattr(connection.introspection, "table_names", list)
    assert demo_passwords(None, ["default"]) == []
