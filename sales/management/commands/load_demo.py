"""`manage.py load_demo`: fill an empty database with demo data for a year."""

import time
from argparse import ArgumentParser
from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from sales import errors, schedule
from sales.demo import generator
from sales.demo.people import ACCOUNTS

BAR_WIDTH = 40


class Command(BaseCommand):
    help = "Fill an empty database with demo accounts, whose passwords everybody knows, and a year of leads."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--today", type=date.fromisoformat, help="The last day of the demo (YYYY-MM-DD; default: today)."
        )
        parser.add_argument(
            "--leads", type=int, default=200, help=f"How many leads (default: 200; up to {generator.MAX_LEADS:,})."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        leads = options["leads"]
        if not generator.MIN_LEADS <= leads <= generator.MAX_LEADS:
            raise CommandError(
                f"The demo has at least {generator.MIN_LEADS} leads, and at most {generator.MAX_LEADS:,}."
            )
        started_at = time.monotonic()

        def show_progress(count: int) -> None:
            bar = "#" * (BAR_WIDTH * count // leads)
            rate = count / max(time.monotonic() - started_at, 0.001)
            line = f"\r[{bar:<{BAR_WIDTH}}] {count:,} of {leads:,} leads, {rate:,.0f} a second "
            self.stderr.write(line, style_func=str, ending="\n" if count == leads else "")
            self.stderr.flush()

        progress = {"progress": show_progress} if self.stderr.isatty() else {}
        try:
            generator.load(today=options["today"] or schedule.company_today(), leads=leads, **progress)
        except errors.SalesError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"Demo data: {leads} leads, {len(ACCOUNTS)} accounts.")
