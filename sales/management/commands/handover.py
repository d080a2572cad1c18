"""Somebody leaves: what waits for them goes to others, and their account is deactivated."""

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
        parser.add_argument("--dry-run", action="store_true", help="Say what would happen; change nothing.")

    def handle(self, *args: Any, **options: Any) -> None:
        chosen = {
            "by": None,
            "user_id": _user(options["leaver"]),
            "receivers": [_user(email) for email in options["receivers"]],
            "way": options["way"],
        }
        try:
            if options["dry_run"]:
                done = handovers.plan(**chosen)
            else:
                done = handovers.hand_over(**chosen, reason=options["reason"])
        except errors.SalesError as error:
            raise CommandError(str(error)) from error
        for share in done.plan.shares:
            self.stdout.write(f"{share.user}: {share.leads} leads")
        if done.plan.skipped:
            self.stdout.write(f"No room for {len(done.plan.skipped)} leads")
        follow_ups = done.plan.follow_ups + len(done.elsewhere)
        self.stdout.write(f"{follow_ups} follow-ups, {len(done.rules)} assignment rules")
        self.stdout.write("Nothing was changed" if options["dry_run"] else f"{done.leaver} is deactivated")


def _user(email: str) -> int:
    user = User.objects.filter(email=email).first()
    if user is None:
        raise CommandError(f"There is no user {email}.")
    return int(user.pk)
