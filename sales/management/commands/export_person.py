"""`manage.py export_person EMAIL`: write the personal data of a person as JSON."""

import getpass
import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.core.serializers.json import DjangoJSONEncoder

from sales import errors
from sales.services import privacy


class Command(BaseCommand):
    help = "Write everything that Athena keeps about the person with this email, as JSON."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("email")
        parser.add_argument("--to", type=Path, help="A new file that only you can read (default: standard output).")

    def handle(self, *args: Any, **options: Any) -> None:
        to: Path | None = options["to"]
        try:
            if to is not None:
                to.touch(mode=0o600, exist_ok=False)
            data = privacy.export_person(ran_by=getpass.getuser(), address=options["email"])
        except errors.Invalid as error:
            if to is not None:
                to.unlink()
            raise CommandError(" ".join(error.fields.values())) from error
        except OSError as error:
            raise CommandError(f"{to} cannot be created: {error.strerror}.") from error
        text = json.dumps(data, cls=DjangoJSONEncoder, indent=2, ensure_ascii=False)
        if to is None:
            self.stdout.write(text)
        else:
            to.write_text(text + "\n", encoding="utf-8")
