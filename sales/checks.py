"""Checks of the data, which `manage.py check --deploy --database default` runs."""

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.contrib.auth.hashers import check_password
from django.core.checks import CheckMessage, Error, Tags, register
from django.db import connections

from athena.accounts.models import User
from sales.demo.people import ACCOUNTS


@register(Tags.database, deploy=True)
def demo_passwords(
    app_configs: Sequence[AppConfig] | None, databases: Sequence[str] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """Report demo accounts whose password still works outside a demo: everybody knows these passwords."""
    if settings.DEMO:
        return []
    passwords = {account.email: account.password for account in ACCOUNTS}
    return [
        Error(
            f"{email} can sign in with the password of the demo account.",
            hint="Change the password or deactivate the account. Set DEMO=1 only for demonstrations.",
            id="sales.E001",
        )
        for alias in databases or ()
        if User._meta.db_table in connections[alias].introspection.table_names()
        for email, encoded in User.objects.using(alias)
        .filter(email__in=passwords, is_active=True)
        .order_by("pk")
        .values_list("email", "password")
        if check_password(passwords[email], encoded)
    ]
