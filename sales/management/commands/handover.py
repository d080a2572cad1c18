"""Hands over the work of a user who leaves, and deactivates the user."""

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
            "--way",
            choices=[method.value for method in DistributionMethod],
            default=DistributionMethod.IN_TURN.value,
            help="How several receivers share the leads.",
        )
        parser.add_argument("--reason", default="")
        parser.add_argument("--dry-run", action="store_true", help="Show what would happen, and change nothing.")

    def handle(self, *args: Any, **options: Any) -> None:
        arguments = {
            "by": None,
            "user_id": _find_user_id(options["leaver"]),
            "receivers": [_find_user_id(email) for email in options["receivers"]],
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
            self.stdout.write(f"{total.user}: {total.lead_count} leads")
        if handover.plan.skipped:
            self.stdout.write(f"No room for {len(handover.plan.skipped)} leads")
        self.stdout.write(f"{handover.follow_up_count} follow-ups, {len(handover.rules)} assignment rules")
        self.stdout.write("Nothing was changed" if options["dry_run"] else f"{handover.leaver} is deactivated")


def _find_user_id(email: str) -> int:
    user = User.objects.filter(email=email).first()
    if user is None:
        raise CommandError(f"There is no user {email}.")
    return int(user.pk)
