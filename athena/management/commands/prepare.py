"""`manage.py prepare`: prepares the database and files for this version. Safe to run again."""

from contextlib import suppress
from pathlib import Path
from stat import S_ISVTX
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError, connection

from athena.accounts.models import User
from athena.config import environment
from sales.services import periodic_tasks


class Command(BaseCommand):
    help = "Migrate, install the schedules and collect static files; load demo data if DEMO=1 and there are no users."

    def handle(self, *args: Any, **options: Any) -> None:
        _make_files_private()
        try:
            connection.ensure_connection()
        except OperationalError as error:
            raise CommandError(f"The database does not respond: {error}") from error
        call_command("migrate", interactive=False, verbosity=0)
        periodic_tasks.install()
        call_command("collectstatic", interactive=False, verbosity=0)
        if settings.DEMO and not User.objects.exists():
            call_command("load_demo", stdout=self.stdout)
        connection.close()


def _make_files_private() -> None:
    """Close files that older versions left readable for all. (New files are private from the start.)"""
    folder = settings.VAR_DIR.resolve()
    paths = (
        [] if folder.stat().st_mode & S_ISVTX else [*folder.rglob("*")]
    )  # a folder like /tmp also holds files of others
    if connection.vendor == "sqlite":
        name = str(connection.settings_dict["NAME"])
        paths += [Path(f"{name}{end}") for end in ("", "-wal", "-shm")]
    for path in paths:
        with suppress(FileNotFoundError):  # other processes may delete files here
            environment.make_private(path)
