"""`manage.py load_demo`: fill an empty database with a year of demonstration."""

from argparse import ArgumentParser
from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from sales import errors, schedule
from sales.demo import build
from sales.demo.people import ACCOUNTS


class Command(BaseCommand):
    help = "Fill an empty database with demo accounts (whose passwords everybody knows) and a year of leads."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--today", type=date.fromisoformat, help="The day on which the demo stands (YYYY-MM-DD; default: today)."
        )
        parser.add_argument("--leads", type=int, default=200, help="How many leads (default: 200).")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["leads"] < build.FEWEST:
            raise CommandError(f"The demo has at least {build.FEWEST} leads.")
        try:
            build.load(today=options["today"] or schedule.company_today(), leads=options["leads"])
        except errors.SalesError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"Demo data: {options['leads']} leads, {len(ACCOUNTS)} accounts.")
