"""`manage.py erase_person EMAIL`: erase the personal data of a person."""

import getpass
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from sales import errors
from sales.services import privacy


class Command(BaseCommand):
    help = "Erase everything that Athena keeps about the person with this email. This cannot be undone."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("email")
        parser.add_argument("--yes", action="store_true", help="Do not ask for confirmation.")

    def handle(self, *args: Any, **options: Any) -> None:
        address = options["email"]
        if not options["yes"] and input(f"This cannot be undone. Type {address} to continue: ") != address:
            raise CommandError("Nothing was erased.")
        try:
            erased = privacy.erase_person(ran_by=getpass.getuser(), address=address)
        except errors.Invalid as error:
            raise CommandError(" ".join(error.fields.values())) from error
        except errors.SalesError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"Erased: {erased.leads} leads, and mentions of them in {erased.rows} other rows.")
