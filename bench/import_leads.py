"""Importing a file of leads with preview and duplicates, beside COPY of the same rows.

    DATABASE_URL=postgres://user@host/any_database .venv/bin/python -m bench.import_leads [--rows N] [--rounds N]

Makes databases of its own on that server and drops them at the end. Athena's way is the whole of it: a file is read
and staged, each cell checked, each row matched with leads and with the lines before it; then leads are made
(normalised, stamped, with their history, scored), and duplicates, a tenth, are left out (`--duplicates update`: they
change what is there). COPY writes as many rows with the same values into the same table, with its indexes and
constraints, and nothing else. The two take turns; medians.
Athena's part runs in a process of its own, whose peak memory is printed, with that of a process that only sets up
Django.
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
    "E-mail",
    "Phone",
    "Pickup at",
    "Pickup location",
    "Passengers",
    "Value",
    "Source",
    "Notes",
)
COPIED = (
    "company_name, contact_name, email, phone, pickup_at, pickup_location, estimated_passengers, estimated_value, notes"
)
NORMALISED = ", email_normalised, phone_normalised, source_id"
THERE = """
INSERT INTO lead_sources (name) SELECT 'Source ' || n FROM generate_series(1, 20) AS n;
INSERT INTO leads (company_name, contact_name, email, phone, email_normalised, phone_normalised)
SELECT 'Old ' || n, 'Contact ' || n, 'c' || n * 20 || '@example.com', '', 'c' || n * 20 || '@example.com', ''
FROM generate_series(1, {there}) AS n;
"""


def row(number: int) -> tuple[object, ...]:
    """Of twenty rows one is there as a lead, and one is on the line before."""
    who = number - 1 if number % 20 == 11 else number
    return (
        f"Company {number}", f"Contact {number}", f"C{who}@example.com",
        f"(212) {200 + who // 10_000:03}-{who % 10_000:04}", f"2026-09-{number % 28 + 1:02} 08:30", "New York",
        number % 80, f"{number % 9_000}.50",
        f"Source {number % 20 + 1}", f"Row {number} wants a quote for a round trip",
    )  # fmt: skip


def make_file(rows: int) -> Path:
    """A CSV file of so many rows; the caller deletes it."""
    with tempfile.NamedTemporaryFile("w", suffix=".csv", delete=False, newline="") as file:
        writer = csv.writer(file)
        writer.writerow(HEADER)
        writer.writerows(row(number) for number in range(1, rows + 1))
    return Path(file.name)


def empty(rows: int) -> None:
    """The tables as they were before."""
    run_sql("TRUNCATE leads, lead_imports, notifications, lead_sources RESTART IDENTITY CASCADE")
    run_sql(THERE.format(there=rows // 20))
    run_sql("VACUUM ANALYZE")
    run_sql("CHECKPOINT")


def copy(rows: int) -> float:
    """Seconds that COPY takes for as many leads of the same values."""
    from django.db import connection

    text = io.StringIO()
    writer = csv.writer(text)
    for number in range(1, rows + 1):
        values = list(row(number))
        source = values.pop(8)
        writer.writerow([*values, str(values[2]).lower(), f"+1212{number:07}", str(source).split()[1]])
    text.seek(0)
    with connection.cursor() as cursor:
        start = time.perf_counter()
        cursor.copy_expert(f"COPY leads ({COPIED}{NORMALISED}) FROM STDIN WITH (FORMAT csv)", text)
        return time.perf_counter() - start


def athena(path: Path, duplicates: str) -> tuple[float, float, int]:
    """Seconds to the preview and from there to the end, and peak memory in kilobytes, of a process that imports it."""
    command = [sys.executable, "-m", "bench.import_leads", "--work", str(path), "--duplicates", duplicates]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    return float(said[0]), float(said[1]), int(said[2])


def peak() -> int:
    """This process's peak memory in kilobytes. (What Linux reports as `ru_maxrss` begins with the parent's.)"""
    status = Path("/proc/self/status")
    if status.is_file():
        return int(status.read_text().partition("VmHWM:")[2].split()[0])
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def work(path: Path, duplicates: str) -> None:
    """The process that imports: says how long it took and what memory."""
    django.setup()
    from athena.accounts.models import User
    from sales.models import LeadImport
    from sales.services.imports import import_batches, imports

    if not path.is_file():
        print(0, 0, peak())
        return
    by = User.objects.get()
    start = time.perf_counter()
    made = imports.upload(by=by, file_name=path.name, content=path.read_bytes())
    import_batches.run_all()
    previewed = time.perf_counter()
    imports.start(by=by, import_id=made.pk, duplicates=duplicates)
    import_batches.run_all()
    end = time.perf_counter()
    made.refresh_from_db()
    assert made.state == LeadImport.State.DONE, made.error
    assert not made.rows.filter(state__in=("staged", "ready", "wrong")).exists()
    print(previewed - start, end - previewed, peak())


def compare(rows: int, rounds: int, duplicates: str) -> None:
    from athena.accounts.models import User

    User.objects.create_superuser("bench@example.com", "no matter", full_name="Bench")
    path = make_file(rows)
    copied, previews, wholes, peaks = [], [], [], []
    try:
        for _ in range(rounds):
            empty(rows)
            copied.append(copy(rows))
            empty(rows)
            preview, rest, memory = athena(path, duplicates)
            previews.append(preview)
            wholes.append(preview + rest)
            peaks.append(memory)
            print(
                f"    COPY {copied[-1]:.2f} s, Athena {preview:.1f} + {rest:.1f} s, {memory / 1024:.0f} MB", flush=True
            )
    finally:
        path.unlink()
    floor, whole = statistics.median(copied), statistics.median(wholes)
    idle = athena(Path("nothing"), duplicates)[2]
    print(
        f"{rows:,} rows: COPY {floor:.2f} s; Athena {whole:.1f} s, of which to the preview"
        f" {statistics.median(previews):.1f} s; ratio {whole / floor:.1f};"
        f" peak memory {max(peaks) / 1024:.0f} MB (with nothing to do {idle / 1024:.0f} MB)",
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
        work(options.work, options.duplicates)
        sys.exit()
    in_a_database(lambda: compare(options.rows, options.rounds, options.duplicates))


if __name__ == "__main__":
    main()
