"""`python -m sales.exchange.limited_reader [SHEET]`: read the file at the standard input with little memory and time.

The second line of defense: `limits` counts while it reads, and this ends whatever was not thought of there. macOS
does not limit memory.
"""

import resource
import sys
from contextlib import suppress

MEMORY = 1_500_000_000  # bytes of address space
PROCESSOR_SECONDS = 120


def _limit() -> None:
    for kind, value in (
        (resource.RLIMIT_CPU, PROCESSOR_SECONDS),
        (resource.RLIMIT_AS, MEMORY),
        (resource.RLIMIT_CORE, 0),
    ):
        with suppress(ValueError, OSError):  # the system has no such limit, or a lower one already
            resource.setrlimit(kind, (value, value))


def main() -> None:
    _limit()
    from sales.exchange import files, subprocess_reader
    from sales.exchange.limits import Unreadable

    sheet = sys.argv[1] if len(sys.argv) > 1 else ""
    try:
        subprocess_reader.write(files.read(sys.stdin.buffer.read(), sheet), sys.stdout.buffer)
    except Unreadable as error:
        subprocess_reader.write_refusal(error, sys.stdout.buffer)
    except MemoryError:
        subprocess_reader.write_refusal(Unreadable(subprocess_reader.TOO_MUCH), sys.stdout.buffer)


if __name__ == "__main__":
    main()
