"""Reports users with an unknown time zone: in `manage.py check --database default`, `/readyz` and the admin."""

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.core.checks import CheckMessage, Tags, register
from django.core.checks import Warning as CheckWarning
from django.db import connections
from django.db.models import Count

from athena import time_zones
from athena.accounts.models import User

MAX_SHOWN_ZONES = 10  # unknown zones that are named


def count_unknown_zones(using: str = "default") -> dict[str, int]:
    """The number of users for each unknown time zone."""
    counts = User.objects.using(using).order_by().values_list("time_zone").annotate(Count("pk"))
    return {name: count for name, count in sorted(counts) if name not in time_zones.list_names()}


def describe_unknown_zones(using: str = "default") -> list[str]:
    """The same as sentences."""
    return [
        f"{count} {'user has' if count == 1 else 'users have'} the unknown time zone “{name}”."
        for name, count in list(count_unknown_zones(using).items())[:MAX_SHOWN_ZONES]
    ]


@register(Tags.database)
def check_time_zones(
    app_configs: Sequence[AppConfig] | None, databases: Sequence[str] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """Warn about users with an unknown time zone, for whom the company's zone is used."""
    return [
        CheckWarning(
            problem,
            hint="Choose their time zone in the admin, under Users. Until then the company's zone is used for them.",
            id="accounts.W001",
        )
        for alias in databases or ()
        if User._meta.db_table in connections[alias].introspection.table_names()
        for problem in describe_unknown_zones(alias)
    ]
