"""`manage.py erase_person EMAIL`: forget a person."""

import getpass
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from sales import errors
from sales.services import privacy


class Command(BaseCommand):
    help = "Take the person with this e-mail address out of everything. This can't be undone."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("email")
        parser.add_argument("--yes", action="store_true", help="Don't ask.")

    def handle(self, *args: Any, **options: Any) -> None:
        address = options["email"]
        if not options["yes"] and input(f"This can't be undone. Type {address} to go on: ") != address:
            raise CommandError("Nothing was erased.")
        try:
            erased = privacy.erase_person(ran_by=getpass.getuser(), address=address)
        except errors.Invalid as error:
            raise CommandError(" ".join(error.fields.values())) from error
        except errors.SalesError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"Erased: {erased.leads} leads, and what {erased.rows} other rows said of them.")
