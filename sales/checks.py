"""What `manage.py check --deploy --database default` has to say about the data."""

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
    """The passwords of the demo accounts are known to everybody: outside a demo none of them may work."""
    if settings.DEMO:
        return []
    passwords = {account.email: account.password for account in ACCOUNTS}
    return [
        Error(
            f"{email} can log in with the password of the demo.",
            hint="Change the password or deactivate the account; DEMO=1 is for demonstrations.",
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
