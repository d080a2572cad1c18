"""How the tests of imports send files."""

from collections.abc import Callable

import pytest

from athena.accounts.models import User
from sales.models import LeadImport
from sales.services.imports import import_batches, imports

Upload = Callable[..., LeadImport]


@pytest.fixture
def upload(manager: User) -> Upload:
    """Upload a file and, unless `work=False`, do what a request does with a small one."""

    def upload(content: str | bytes, *, by: User = manager, work: bool = True) -> LeadImport:
        data = content.encode() if isinstance(content, str) else content
        lead_import = imports.upload(by=by, file_name="leads.csv", content=data)
        if work:
            import_batches.run_or_publish(lead_import.pk)
        lead_import.refresh_from_db()
        return lead_import

    return upload


@pytest.fixture
def import_file(upload: Upload, manager: User) -> Upload:
    """Upload a file and import it."""

    def import_file(content: str | bytes, duplicates: str = "skip") -> LeadImport:
        lead_import = upload(content)
        imports.start(by=manager, import_id=lead_import.pk, duplicates=duplicates)
        import_batches.run_or_publish(lead_import.pk)
        lead_import.refresh_from_db()
        return lead_import

    return import_file


@pytest.fixture
def undo(manager: User) -> Callable[[LeadImport], None]:
    """Undo an import."""

    def undo(lead_import: LeadImport) -> None:
        imports.undo(by=manager, import_id=lead_import.pk)
        import_batches.run_or_publish(lead_import.pk)
        lead_import.refresh_from_db()

    return undo


def row_states(lead_import: LeadImport) -> dict[int, str]:
    """The states of the import's rows by line."""
    return dict(lead_import.rows.values_list("line", "state"))
