"""Compares an import of a file of leads, with preview and duplicates, with COPY of the same rows.

    DATABASE_URL=postgres://user@host/any_database .venv/bin/python -m bench.import_leads [--rows N] [--rounds N]

Creates databases of its own on that server and drops them at the end. Athena does the whole import: it reads and stages
the file, checks each cell, matches each row with leads and earlier rows, and then creates leads (normalized, with
the dates of their stages, their histories and their scores). A tenth of the rows are duplicates, which are skipped, or
update leads with `--duplicates update`. COPY writes as many rows with the same values into the same table, with its
indexes and constraints, and does nothing else. The two take turns; medians are printed.
Athena's part runs in a process of its own. Its peak memory is printed, and that of a process that only sets up Django.
"""

import argparse
import csv
import io
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import django

from bench.database import in_a_database, run_sql

HEADER = (
    "Company",
    "Contact",
    "Email",
    "Phone",
    "Pickup at",
    "Pickup location",
    "Passengers",
    "Value",
    "Source",
    "Notes",
)
COPIED_COLUMNS = (
    "company_name, contact_name, email, phone, pickup_at, pickup_location, estimated_passengers, estimated_value, notes"
)
NORMALIZED_COLUMNS = ", email_normalised, phone_normalised, source_id"
EXISTING_ROWS = """
INSERT INTO lead_sources (name) SELECT 'Source ' || n FROM generate_series(1, 20) AS n;
INSERT INTO leads (company_name, contact_name, email, phone, email_normalised, phone_normalised)
SELECT 'Old ' || n, 'Contact ' || n, 'c' || n * 20 || '@example.com', '', 'c' || n * 20 || '@example.com', ''
FROM generate_series(1, {lead_count}) AS n;
"""


def make_row(number: int) -> tuple[object, ...]:
    """Return a row of the file. Of twenty rows, one matches a lead and one matches the row before it."""
    client = number - 1 if number % 20 == 11 else number
    return (
        f"Company {number}",
        f"Contact {number}",
        f"C{client}@example.com",
        f"(212) {200 + client // 10_000:03}-{client % 10_000:04}",
        f"2026-09-{number % 28 + 1:02} 08:30",
        "New York",
        number % 80,
        f"{number % 9_000}.50",
        f"Source {number % 20 + 1}",
        f"Row {number} wants a quote for a round trip",
    )


def make_file(rows: int) -> Path:
    """Write a CSV file with this many rows. The caller deletes it."""
    with tempfile.NamedTemporaryFile("w", suffix=".csv", delete=False, newline="") as file:
        writer = csv.writer(file)
        writer.writerow(HEADER)
        writer.writerows(make_row(number) for number in range(1, rows + 1))
    return Path(file.name)


def reset_tables(rows: int) -> None:
    """Delete what an import of this many rows has written, and insert the leads that it matches."""
    run_sql("TRUNCATE leads, lead_imports, notifications, lead_sources RESTART IDENTITY CASCADE")
    run_sql(EXISTING_ROWS.format(lead_count=rows // 20))
    run_sql("VACUUM ANALYZE")
    run_sql("CHECKPOINT")


def time_copy(rows: int) -> float:
    """Return how many seconds COPY takes for this many leads with the same values."""
    from django.db import connection

    text = io.StringIO()
    writer = csv.writer(text)
    for number in range(1, rows + 1):
        values = list(make_row(number))
        source = values.pop(8)
        writer.writerow([*values, str(values[2]).lower(), f"+1212{number:07}", str(source).split()[1]])
    text.seek(0)
    with connection.cursor() as cursor:
        start = time.perf_counter()
        cursor.copy_expert(f"COPY leads ({COPIED_COLUMNS}{NORMALIZED_COLUMNS}) FROM STDIN WITH (FORMAT csv)", text)
        return time.perf_counter() - start


def time_import(path: Path, duplicates: str) -> tuple[float, float, int]:
    """Import the file in a process of its own. Returns the seconds to the preview, those from there to the end, and the
    peak memory in kilobytes."""
    command = [sys.executable, "-m", "bench.import_leads", "--work", str(path), "--duplicates", duplicates]
    preview, rest, memory = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    return float(preview), float(rest), int(memory)


def get_peak_memory() -> int:
    """Return this process's peak memory in kilobytes. (On Linux, `ru_maxrss` starts with that of the parent.)"""
    status = Path("/proc/self/status")
    if status.is_file():
        return int(status.read_text().partition("VmHWM:")[2].split()[0])
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def run_import(path: Path, duplicates: str) -> None:
    """Import the file in this process, and print the seconds and the peak memory."""
    django.setup()
    from athena.accounts.models import User
    from sales.models import LeadImport
    from sales.services.imports import import_batches, imports

    if not path.is_file():
        print(0, 0, get_peak_memory())
        return
    by = User.objects.get()
    start = time.perf_counter()
    lead_import = imports.upload(by=by, file_name=path.name, content=path.read_bytes())
    import_batches.run_all()
    previewed = time.perf_counter()
    imports.start(by=by, import_id=lead_import.pk, duplicates=duplicates)
    import_batches.run_all()
    end = time.perf_counter()
    lead_import.refresh_from_db()
    assert lead_import.state == LeadImport.State.DONE, lead_import.error
    assert not lead_import.rows.filter(state__in=("staged", "ready", "wrong")).exists()
    print(previewed - start, end - previewed, get_peak_memory())


def compare(rows: int, rounds: int, duplicates: str) -> None:
    """Time COPY and the import in turns, and print both."""
    from athena.accounts.models import User

    User.objects.create_superuser("bench@example.com", "no matter", full_name="Bench")
    path = make_file(rows)
    copied, previews, totals, memories = [], [], [], []
    try:
        for _ in range(rounds):
            reset_tables(rows)
            copied.append(time_copy(rows))
            reset_tables(rows)
            preview, rest, memory = time_import(path, duplicates)
            previews.append(preview)
            totals.append(preview + rest)
            memories.append(memory)
            print(
                f"    COPY {copied[-1]:.2f} s, Athena {preview:.1f} + {rest:.1f} s, {memory / 1024:.0f} MB", flush=True
            )
    finally:
        path.unlink()
    copy_seconds, import_seconds = statistics.median(copied), statistics.median(totals)
    idle_memory = time_import(Path("nothing"), duplicates)[2]
    print(
        f"{rows:,} rows: COPY {copy_seconds:.2f} s; Athena {import_seconds:.1f} s, of which to the preview"
        f" {statistics.median(previews):.1f} s; ratio {import_seconds / copy_seconds:.1f};"
        f" peak memory {max(memories) / 1024:.0f} MB (with nothing to do {idle_memory / 1024:.0f} MB)",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--duplicates", default="skip", choices=["skip", "update", "create"])
    parser.add_argument("--work", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.work:
        run_import(options.work, options.duplicates)
        sys.exit()
    in_a_database(lambda: compare(options.rows, options.rounds, options.duplicates))


if __name__ == "__main__":
    main()
