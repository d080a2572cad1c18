"""`manage.py up`: runs Athena on this machine until Ctrl-C."""

import signal
import sys
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from athena.accounts.models import User
from athena.runtime import healthcheck, supervisor
from sales.demo.people import ACCOUNTS


class Command(BaseCommand):
    help = "Prepare the database, then run web, worker and beat until Ctrl-C; if one of them ends, all are stopped."

    def handle(self, *args: Any, **options: Any) -> None:
        host, port = healthcheck.listen_address()
        if supervisor.is_taken(host, port):
            raise CommandError(
                f"Port {port} is in use. Stop the program that uses it, or choose another port: PORT={port + 1}"
            )
        for number in supervisor.STOP_SIGNALS:
            signal.signal(number, lambda received, frame: sys.exit(0))  # no process has been started yet
        self._print("Preparing the database ...")
        call_command("prepare", stdout=self.stdout)
        processes = supervisor.Supervisor(supervisor.commands(), supervisor.child_environment(), settings.BASE_DIR)
        try:
            processes.run(lambda: healthcheck.is_web_answering("/readyz", timeout=1), self._announce)
        except supervisor.ProcessEnded as ended:
            raise CommandError(str(ended)) from ended

    def _announce(self) -> None:
        self._print(f"\nAthena is ready: {settings.BASE_URL}/admin/ (Ctrl-C stops it)")
        if settings.DEMO:
            self._print("\nDemo accounts:")
            for account in ACCOUNTS:
                role = account.role if account.is_active else "inactive"
                self._print(f"  {account.email:<22}{account.password:<13}{role}")
        elif not User.objects.exists():
            self._print("\nThere are no users yet. Create the first administrator in another terminal: make admin")

    def _print(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()
