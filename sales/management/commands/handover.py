"""`manage.py handover`: give everything that waits for a user to others, and deactivate the user."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from athena.accounts.models import User
from sales import errors
from sales.services.ownership import handovers
from sales.services.ownership.distribution import DistributionMethod


class Command(BaseCommand):
    help = "Hand a user's open leads, follow-ups and assignment rules over to others, and deactivate the user."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--from", dest="leaver", required=True, metavar="EMAIL")
        parser.add_argument("--to", dest="receivers", action="append", default=[], metavar="EMAIL")
        parser.add_argument(
            "--way", choices=[way.value for way in DistributionMethod], default=DistributionMethod.IN_TURN.value
        )
        parser.add_argument("--reason", default="")
        parser.add_argument("--dry-run", action="store_true", help="Show what would happen without changing anything.")

    def handle(self, *args: Any, **options: Any) -> None:
        arguments = {
            "by": None,
            "user_id": _find_user(options["leaver"]),
            "receivers": [_find_user(email) for email in options["receivers"]],
            "method": options["way"],
        }
        try:
            if options["dry_run"]:
                handover = handovers.plan(**arguments)
            else:
                handover = handovers.hand_over(**arguments, reason=options["reason"])
        except errors.SalesError as error:
            raise CommandError(str(error)) from error
        for total in handover.plan.receiver_totals:
            self.stdout.write(f"{total.user}: {_write_count(total.lead_count, 'lead')}")
        if handover.plan.skipped:
            self.stdout.write(f"No receiver has room for {_write_count(len(handover.plan.skipped), 'lead')}.")
        rules = _write_count(len(handover.rules), "assignment rule")
        self.stdout.write(f"{_write_count(handover.follow_up_count, 'follow-up')}, {rules}")
        self.stdout.write("Nothing was changed." if options["dry_run"] else f"{handover.leaver} is deactivated.")


def _write_count(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _find_user(email: str) -> int:
    user = User.objects.filter(email=email).first()
    if user is None:
        raise CommandError(f"There is no user with the email {email}.")
    return int(user.pk)
