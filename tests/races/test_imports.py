"""Two workers at one import: each of its rows becomes one lead, and each owner is notified once.

The control shows that the race happens: without the lock of the import, both workers create the same leads.
"""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import pytest
from django.db import connection
from django.db.models import QuerySet

from athena.accounts.models import User
from notifications.models import Notification
from sales.models import Lead, LeadImport
from sales.services.imports import import_batches, imports
from sales.services.leads import lead_batches

pytestmark = [
    pytest.mark.postgres,  # SQLite lets one transaction write at a time, so the second worker can't come between
    pytest.mark.django_db(transaction=True),
]
PATIENCE = 3.0  # seconds that a worker waits for the other


@pytest.fixture
def started_import(manager: User, rep: User) -> LeadImport:
    content = "Company,Owner\n" + "".join(f"Club {number},{rep.email}\n" for number in range(5))
    lead_import = imports.upload(by=manager, file_name="leads.csv", content=content.encode())
    import_batches.run_all()
    return imports.start(by=manager, import_id=lead_import.pk, duplicates="skip")


@pytest.fixture
def run_two_workers(monkeypatch: pytest.MonkeyPatch) -> Callable[[], list[BaseException | None]]:
    """Run two workers, each of which waits before it creates leads until the other one is about to do the same."""
    both_are_creating = threading.Barrier(2)
    create = lead_batches.create

    def create_together(**arguments: Any) -> Any:
        with suppress(threading.BrokenBarrierError):  # if the other worker does not come
            both_are_creating.wait(PATIENCE)
        return create(**arguments)

    def work() -> None:
        try:
            import_batches.run_all()
        finally:
            connection.close()

    def run() -> list[BaseException | None]:
        monkeypatch.setattr(lead_batches, "create", create_together)
        with ThreadPoolExecutor(2) as pool:
            workers = [pool.submit(work) for _ in range(2)]
        return [worker.exception() for worker in workers]

    return run


def test_two_workers_create_each_lead_once(
    started_import: LeadImport, run_two_workers: Callable[[], list[BaseException | None]]
) -> None:
    assert run_two_workers() == [None, None]
    started_import.refresh_from_db()
    assert started_import.state == LeadImport.State.DONE
    assert started_import.processed == Lead.objects.count() == 5
    assert Notification.objects.get().context["count"] == 5


def test_control_without_the_lock_leads_are_created_twice(
    started_import: LeadImport,
    run_two_workers: Callable[[], list[BaseException | None]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(QuerySet, "select_for_update", lambda rows, **options: rows)
    run_two_workers()
    assert Lead.objects.count() == 10
