"""`python -m sales.exchange.limited_reader [SHEET]`: read a file from standard input with limited memory and time.

This is the child process of `subprocess_reader` and the second line of defense: the readers count against `limits`,
and this process ends whatever they did not foresee. macOS does not limit memory.
"""

import resource
import sys
from contextlib import suppress

MAX_MEMORY_BYTES = 1_500_000_000  # of address space
MAX_PROCESSOR_SECONDS = 120


def _limit_resources() -> None:
    for kind, limit in (
        (resource.RLIMIT_CPU, MAX_PROCESSOR_SECONDS),
        (resource.RLIMIT_AS, MAX_MEMORY_BYTES),
        (resource.RLIMIT_CORE, 0),
    ):
        with suppress(ValueError, OSError):  # the system has no such limit, or already a lower one
            resource.setrlimit(kind, (limit, limit))


def main() -> None:
    """Read the file and write its rows, or the reason why it can't be read, to standard output."""
    _limit_resources()
    from sales.exchange import file_reader, subprocess_reader
    from sales.exchange.limits import Unreadable

    sheet_name = sys.argv[1] if len(sys.argv) > 1 else ""
    try:
        subprocess_reader.write_sheet(file_reader.read_file(sys.stdin.buffer.read(), sheet_name), sys.stdout.buffer)
    except Unreadable as error:
        subprocess_reader.write_refusal(error, sys.stdout.buffer)
    except MemoryError:
        subprocess_reader.write_refusal(Unreadable(subprocess_reader.TOO_EXPENSIVE), sys.stdout.buffer)


if __name__ == "__main__":
    main()
