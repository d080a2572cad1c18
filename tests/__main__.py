"""`python -m tests`: every test on SQLite, then on PostgreSQL with Redis. Arguments go to pytest both times."""

import os
import sys
from contextlib import ExitStack

from tests import servers


def main(arguments: list[str]) -> int:
    """The worse of the two rounds' exit statuses."""
    servers.exit_on_signals()
    pytest = [sys.executable, "-m", "pytest", "--numprocesses", "auto", "--dist", "loadgroup", "--no-loadscope-reorder"]
    # Compiled modules are kept: a round starts some hundred processes.
    unset = ("DATABASE_URL", "REDIS_URL", "PYTHONDONTWRITEBYTECODE")
    embedded = {name: value for name, value in os.environ.items() if name not in unset}
    with ExitStack() as stack:
        try:
            rounds = [embedded, embedded | stack.enter_context(servers.environment())]
        except servers.Missing as missing:
            if os.environ.get("ATHENA_REQUIRE_SERVICES"):
                sys.exit(f"There is no {missing}.")
            sys.stdout.write(f"Only on SQLite, since there is no {missing}.\n")
            rounds = [embedded]
        return max([servers.run([*pytest, *arguments], environment) for environment in rounds])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
