"""`manage.py up`: serve Athena on this machine until Ctrl-C."""

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
            raise CommandError(f"Port {port} is taken. Stop what uses it, or choose another: PORT={port + 1}")
        for number in supervisor.STOP_SIGNALS:
            signal.signal(number, lambda received, frame: sys.exit(0))  # nothing has been started yet
        self._say("Preparing the database ...")
        call_command("prepare", stdout=self.stdout)
        processes = supervisor.Supervisor(supervisor.commands(), supervisor.child_environment(), settings.BASE_DIR)
        try:
            processes.run(lambda: healthcheck.is_web_answering("/readyz", timeout=1), self._announce)
        except supervisor.ProcessEnded as ended:
            raise CommandError(str(ended)) from ended

    def _announce(self) -> None:
        self._say(f"\nAthena is ready: {settings.BASE_URL}/admin/ (Ctrl-C stops it)")
        if settings.DEMO:
            self._say("\nDemo accounts:")
            for account in ACCOUNTS:
                role = account.role if account.is_active else "inactive"
                self._say(f"  {account.email:<22}{account.password:<13}{role}")
        elif not User.objects.exists():
            self._say("\nNobody can log in yet. Make the first administrator, in another terminal: make admin")

    def _say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()
