"""Reading a file so that, whatever is in it, no more than a process of its own can come to harm.

A small file is read at once. A larger one is read by a child process whose memory and time are limited (`limited`), and
which knows neither the database nor any secret. Its rows wait in a temporary file.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO
from zipfile import BadZipFile

from sales.exchange import files
from sales.exchange.limits import Unreadable
from sales.exchange.xlsx import workbook

SMALL = 1_000_000  # bytes, unpacked
SECONDS = 300  # on the wall clock; `limited` limits those of the processor
TOO_MUCH = (
    "Reading the file takes more memory or time than a list of leads needs. Save the sheet as “CSV UTF-8” and split it."
)
_ROOT = Path(__file__).parents[2]


def is_small(content: bytes) -> bool:
    """Whether this is read in a moment, also unpacked."""
    if len(content) > SMALL or not content.startswith(workbook.PACKED):
        return len(content) <= SMALL
    try:
        return workbook.weight(content) <= SMALL
    except (BadZipFile, Unreadable):
        return True  # no more is read of it


@contextmanager
def reading(content: bytes, sheet: str = "") -> Iterator[files.Sheet]:
    """The file, read as `files.read` does; its rows have been checked, so that taking them raises nothing.

    Raises `Unreadable`; `RuntimeError` where the child fails by an error of ours.
    """
    if is_small(content):
        found = files.read(content, sheet)
        found.rows = iter(list(found.rows))
        yield found
        return
    with tempfile.TemporaryFile() as spool:
        yield _read_by_child(content, sheet, spool)


def _read_by_child(content: bytes, sheet: str, spool: IO[bytes]) -> files.Sheet:
    command = [sys.executable, "-m", "sales.exchange.limited_reader", sheet]
    try:
        done = subprocess.run(  # noqa: S603
            command,
            input=content,
            stdout=spool,
            stderr=subprocess.PIPE,
            cwd=_ROOT,
            env={},
            timeout=SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise Unreadable(TOO_MUCH) from None
    if done.returncode < 0:
        raise Unreadable(TOO_MUCH)
    if done.returncode:
        raise RuntimeError(done.stderr.decode(errors="replace")[-2_000:])
    spool.seek(0)
    about = json.loads(_last_line(spool))
    if "reason" in about:
        raise Unreadable(about["reason"], about["sheets"])
    spool.seek(0)
    return files.Sheet(**about, rows=_rows(spool))


def _last_line(spool: IO[bytes]) -> bytes:
    last = b""
    for line in spool:
        last = line
    return last


def _rows(spool: IO[bytes]) -> Iterator[tuple[int, list[str]]]:
    for text in spool:
        row = json.loads(text)
        if isinstance(row, list):
            yield row[0], row[1]


def write(sheet: files.Sheet, to: IO[bytes]) -> None:
    """What the child writes: its rows, a JSON array a line, and then what else there is to know."""
    for row in sheet.rows:
        to.write(json.dumps(row).encode() + b"\n")
    about = {"header": sheet.header, "remarks": sheet.remarks, "name": sheet.name, "sheets": sheet.sheets}
    to.write(json.dumps(about).encode())


def write_refusal(error: Unreadable, to: IO[bytes]) -> None:
    """The same where the file can't be read; rows may have been written before."""
    to.write(json.dumps({"reason": error.reason, "sheets": error.sheets}).encode())
