"""Reading a file so that, whatever it contains, it can harm no more than one child process.

A small file is read at once. A larger one is read by a child process with limited memory and time (`limited_reader`)
that knows neither the database nor any secret. Its rows are kept in a temporary file.
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

from sales.exchange import file_reader
from sales.exchange.limits import Unreadable
from sales.exchange.xlsx import workbook

MAX_SMALL_BYTES = 1_000_000  # unpacked
TIMEOUT_SECONDS = 300  # on the clock; `limited_reader` limits the processor time
TOO_EXPENSIVE = (
    "Reading the file takes more memory or time than a list of leads needs. Save the sheet as “CSV UTF-8”, split it, "
    "and upload the parts."
)
_ROOT = Path(__file__).parents[2]


def is_small(content: bytes) -> bool:
    """Whether the file can be read in a moment, also when it is unpacked."""
    if len(content) > MAX_SMALL_BYTES or not content.startswith(workbook.ZIP_SIGNATURES):
        return len(content) <= MAX_SMALL_BYTES
    try:
        return workbook.get_unpacked_size(content) <= MAX_SMALL_BYTES
    except (BadZipFile, Unreadable):
        return True  # reading it ends here, too


@contextmanager
def open_sheet(content: bytes, sheet_name: str = "") -> Iterator[file_reader.Sheet]:
    """Read the file as `file_reader.read_file` does, to its end: taking rows from the sheet raises nothing.

    Raises `Unreadable`, or `RuntimeError` if the child process fails by an error of ours.
    """
    if is_small(content):
        sheet = file_reader.read_file(content, sheet_name)
        sheet.rows = iter(list(sheet.rows))
        yield sheet
        return
    with tempfile.TemporaryFile() as output:
        yield _read_in_child(content, sheet_name, output)


def _read_in_child(content: bytes, sheet_name: str, output: IO[bytes]) -> file_reader.Sheet:
    command = [sys.executable, "-m", "sales.exchange.limited_reader", sheet_name]
    try:
        process = subprocess.run(  # noqa: S603
            command,
            input=content,
            stdout=output,
            stderr=subprocess.PIPE,
            cwd=_ROOT,
            env={},
            timeout=TIMEOUT_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise Unreadable(TOO_EXPENSIVE) from None
    if process.returncode < 0:
        raise Unreadable(TOO_EXPENSIVE)
    if process.returncode:
        raise RuntimeError(process.stderr.decode(errors="replace")[-2_000:])
    output.seek(0)
    summary = json.loads(_last_line(output))
    if "reason" in summary:
        raise Unreadable(summary["reason"], summary["sheets"])
    output.seek(0)
    return file_reader.Sheet(**summary, rows=_iter_rows(output))


def _last_line(output: IO[bytes]) -> bytes:
    last = b""
    for line in output:
        last = line
    return last


def _iter_rows(output: IO[bytes]) -> Iterator[file_reader.Row]:
    for text in output:
        row = json.loads(text)
        if isinstance(row, list):
            yield row[0], row[1]


def write_sheet(sheet: file_reader.Sheet, output: IO[bytes]) -> None:
    """Write what the child process has read: a line of JSON for each row, then one for the rest of the sheet."""
    for row in sheet.rows:
        output.write(json.dumps(row).encode() + b"\n")
    summary = {"header": sheet.header, "remarks": sheet.remarks, "name": sheet.name, "sheets": sheet.sheets}
    output.write(json.dumps(summary).encode())


def write_refusal(error: Unreadable, output: IO[bytes]) -> None:
    """Write why the file can't be read; rows may have been written before."""
    output.write(json.dumps({"reason": error.reason, "sheets": error.sheets}).encode())
