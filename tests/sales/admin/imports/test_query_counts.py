"""A step of a small import takes a small and fixed number of statements in the request that does it."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from athena import task_names
from athena.runtime import task_publisher
from sales.models import LeadImport
from sales.services.imports import import_batches

# Statements of a request, with the session's and savepoints. In brackets what they were when each step published a task
# as well, read the import's state again before each batch, and asked two queries for each owner at the end.
UPLOAD = 32  # (53)
START = 35  # (53 with one owner, 59 with four)
UNDO = 23  # (44)


@pytest.fixture
def published(monkeypatch):
    names = []
    monkeypatch.setattr(task_publisher, "_publish", names.append)
    return names


@pytest.fixture
def post(browse, manager):
    client = browse(manager)

    def post(name, *args, **data):
        with CaptureQueriesContext(connection) as queries:
            response = client.post(reverse(f"admin:sales_leadimport_{name}", args=args), data)
        assert response.status_code == 302
        return len(queries)

    return post


def make_file(owners, rows):
    cells = [f"Company {n},{owners[n % len(owners)].email}\n" for n in range(rows)]
    return SimpleUploadedFile("leads.csv", ("Company,Owner\n" + "".join(cells)).encode())


@pytest.mark.parametrize(("owner_count", "rows"), [(1, 1), (1, 40), (4, 40)])
def test_statements_do_not_grow_with_rows_or_owners(post, manager, make_user, owner_count, rows):
    owners = [make_user(f"Owner {n}", team=manager.team) for n in range(owner_count)]

    uploaded = post("add", file=make_file(owners, rows))
    lead_import = LeadImport.objects.get()
    started = post("start", lead_import.pk, duplicates="skip")
    undone = post("undo", lead_import.pk, post="yes")

    lead_import.refresh_from_db()
    assert lead_import.state == LeadImport.State.UNDONE
    # PostgreSQL takes keys from a sequence and needs no statement to find new notifications.
    assert uploaded <= UPLOAD
    assert started <= START
    assert undone <= UNDO


def test_a_small_import_wakes_no_worker_and_a_large_one_does(
    post, rep, published, monkeypatch, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks(execute=True):
        post("add", file=make_file([rep], 3))
    small = LeadImport.objects.get()
    for step, data in (("start", {"duplicates": "skip"}), ("undo", {"post": "yes"})):
        with django_capture_on_commit_callbacks(execute=True):
            post(step, small.pk, **data)
    assert task_names.IMPORT_LEADS not in published

    monkeypatch.setattr(import_batches, "MAX_SMALL_ROWS", 2)
    with django_capture_on_commit_callbacks(execute=True):
        post("add", file=make_file([rep], 3))
    assert published.count(task_names.IMPORT_LEADS) == 1
    assert LeadImport.objects.latest("pk").state == LeadImport.State.CHECKING
