#!/usr/bin/env python
"""Athena's command line: `manage.py up` runs everything, `manage.py help` lists all commands."""

import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "athena.settings")
    from django.core.management import execute_from_command_line

    import athena.celery  # noqa: F401  (so that commands publish to Athena's broker)

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
