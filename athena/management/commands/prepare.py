"""`manage.py prepare`: everything a new version needs before it serves. Safe to run again."""

from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError, connection

from athena.accounts.models import User
from sales.services import schedules


class Command(BaseCommand):
    help = "Migrate, install the schedules, collect static files; load demo data where DEMO=1 and there are no users."

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            connection.ensure_connection()
        except OperationalError as error:
            raise CommandError(f"The database does not answer: {error}") from error
        call_command("migrate", interactive=False, verbosity=0)
        schedules.install()
        call_command("collectstatic", interactive=False, verbosity=0)
        if settings.DEMO and not User.objects.exists():
            call_command("load_demo", stdout=self.stdout)
        connection.close()
