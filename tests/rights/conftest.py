"""A company in which everybody stands in another relation to the same lead."""

from collections.abc import Callable
from datetime import date
from types import SimpleNamespace
from typing import Any

import pytest
from django.apps import apps
from django.db import connection, transaction
from django.test import Client
from django.utils import timezone

from athena.accounts.models import Team, User
from athena.accounts.roles import Role
from notifications.emails import unsubscribe_tokens
from notifications.models import Delivery, Notification
from sales.models import (
    Activity,
    Cadence,
    CadenceEnrolment,
    CadenceStep,
    FieldChange,
    FollowUp,
    ImportFile,
    ImportRow,
    Inquiry,
    IntakeForm,
    Lead,
    LeadExport,
    LeadImport,
    LeadScoreHistory,
    LeadSource,
    LeadTransfer,
    PrivacyRequest,
    ScoringRun,
    SourceSpend,
    TransferBatch,
)  # fmt: skip
from sales.services.leads import search_index
from tests.fixtures import new_user

# The columns of the tables: nobody who is logged in; the lead's owner; a colleague; somebody of another team; somebody
# of another team who has a follow-up on it; the managers of its team, of another team and of none; an administrator;
# and somebody whose account was deactivated after they had logged in.
PEOPLE = ("nobody", "owner", "mate", "far", "helper", "boss", "far_boss", "free_boss", "admin", "gone")
UNCHANGED = {"failed_logins", "throttle_counts", "idempotency_keys", "django_session", "task_totals"}


def columns(cells: str) -> dict[str, int]:
    """Of `"401 200 …"` the status for each of `PEOPLE`."""
    return dict(zip(PEOPLE, map(int, cells.split()), strict=True))


@pytest.fixture(autouse=True)
def _undone_at_the_end(made_once: None, db: None) -> None:
    """Each test has a transaction of its own within the module's."""


@pytest.fixture(scope="module")
def people(made_once: None) -> dict[str, User]:
    desk, other_desk = (Team.objects.create(name=f"{name} desk") for name in ("Charter", "Airport"))
    return {
        "owner": new_user("owner", team=desk),
        "mate": new_user("mate", team=desk),
        "far": new_user("far", team=other_desk),
        "helper": new_user("helper", team=other_desk),
        "boss": new_user("boss", Role.MANAGER, desk),
        "far_boss": new_user("farboss", Role.MANAGER, other_desk),
        "free_boss": new_user("freeboss", Role.MANAGER),
        "admin": new_user("admin", Role.ADMIN),
        "gone": new_user("gone", team=desk),
    }


@pytest.fixture(scope="module")
def logged_in(people: dict[str, User]) -> dict[str, Client]:
    """Everybody's first browser, which has logged them in."""
    found = {name: Client() for name in people}
    for name, user in people.items():
        found[name].force_login(user)
    return found


@pytest.fixture
def browsers(logged_in: dict[str, Client]) -> dict[str, Client]:
    """Everybody's browser, each with the cookies of whoever has logged in."""
    found = {name: Client() for name in PEOPLE}
    for name, first in logged_in.items():
        found[name].cookies.load({key: morsel.value for key, morsel in first.cookies.items()})
    return found


@pytest.fixture(scope="module")
def world(people: dict[str, User]) -> SimpleNamespace:
    """Rows of every kind. All about `lead`, but for those that only some may see: of `secret` only the other team."""
    owner, helper, far = people["owner"], people["helper"], people["far"]
    source = LeadSource.objects.create(name="Fair")
    lead = Lead.objects.create(company_name="Harbor Choir", assigned_to=owner, source=source, score=60)
    mates = Lead.objects.create(company_name="Mill Corps", assigned_to=people["mate"], score=60)
    secret = Lead.objects.create(company_name="Secret Choir", email="secret@club.example", assigned_to=far, score=60)
    unowned = Lead.objects.create(company_name="Orphan Tours", score=60)
    archived = Lead.objects.create(
        company_name="Old Guard", assigned_to=owner, score=60, archived_at="2026-01-01T00:00Z"
    )

    search_index.index_missing_leads(10)

    def plan(of: Lead, who: User) -> FollowUp:
        return FollowUp.objects.create(lead=of, assigned_to=who, follow_up_type="call", scheduled_date="2099-01-05")

    cadence = Cadence.objects.create(name="New inquiry")
    CadenceStep.objects.create(cadence=cadence, day=0, follow_up_type="call")

    def given(by: User) -> TransferBatch:
        batch = TransferBatch.objects.create(by=by, reason="Given")
        LeadTransfer.objects.create(lead=mates, batch=batch, to_user=people["mate"], transferred_by=by)
        return batch

    def story(of: Lead, who: User) -> SimpleNamespace:
        batch = TransferBatch.objects.create(by=people["admin"], reason=f"About {of}")
        return SimpleNamespace(
            system=Activity.objects.create(lead=of, activity_type="status_change", user=people["admin"]),
            activity=Activity.objects.create(lead=of, activity_type="note", notes=f"Note on {of}", user=who),
            change=FieldChange.objects.create(lead=of, field="notes", old=f"Old of {of}", new="x", by=who),
            score=LeadScoreHistory.objects.create(
                lead=of, old_score=0, new_score=60, points_changed=60, reason=f"Score of {of}"
            ),
            batch=batch,
            transfer=LeadTransfer.objects.create(
                lead=of, batch=batch, to_user=who, transferred_by=people["admin"], transfer_reason=f"Why {of}"
            ),
        )

    form = IntakeForm.objects.create(name="Web site", key="a-key")
    for of in (lead, secret):
        Inquiry.objects.create(form=form, lead=of, reference=f"R{of.pk}", fingerprint=f"f{of.pk}")
    file = LeadImport.objects.create(
        by=people["boss"], file_name="leads.csv", state="checked", columns=["company_name"], header=["Company"],
        total=1,
        sheet="January", sheets=["January", "February"],
        notations={"pickup_at": {"kind": "date", "written": "", "likely": "day", "example": "03/04/2027"}},
    )  # fmt: skip
    ImportFile.objects.create(lead_import=file, content=b"Company\nA\n", size=10)
    ImportRow.objects.create(
        lead_import=file, line=2, state="ready", cells=["Imported Choir"], values={"company_name": "Imported Choir"}
    )
    LeadImport.objects.create(by=people["far_boss"], file_name="secret choir.csv")
    LeadExport.objects.create(by=people["far_boss"], file_format="csv", filters={"q": ["secret choir"]})
    told, _ = (
        Notification.objects.create(
            kind="lead_assigned", recipient=who, dedupe_key=f"assigned:{of.pk}",
            context={"lead_id": of.pk, "lead_name": str(of), "by_name": "Admin"},
        )
        for of, who in ((lead, owner), (secret, far))
    )  # fmt: skip
    return SimpleNamespace(
        form=form,
        file=file,
        export=LeadExport.objects.create(by=people["boss"], file_format="csv", filters={"q": ["harbor"]}),
        privacy=PrivacyRequest.objects.create(action="export", person="0" * 64),
        told=told,
        delivery=Delivery.objects.create(notification=told, channel="email", state="dead", ended_at=timezone.now()),
        token=unsubscribe_tokens.make_token(owner.pk, "lead_assigned"),
        source=source,
        spend=SourceSpend.objects.create(source=source, month=date(2026, 1, 1), amount=10),
        run=ScoringRun.objects.create(rule_set_version=1, state="done"),
        lead=lead,
        leads={"lead": lead, "mates": mates, "secret": secret, "unowned": unowned, "archived": archived},
        cadence=cadence,
        enrolment=CadenceEnrolment.objects.create(lead=lead, cadence=cadence, day=0),
        plan=plan(lead, owner),
        helpers=plan(lead, helper),
        secret_plan=plan(secret, far),
        story=story(lead, owner),
        secret=story(secret, far),
        boss_batch=given(people["boss"]),
    )


@pytest.fixture
def won(world: SimpleNamespace, people: dict[str, User]) -> Lead:
    return won_trip(people)


def won_trip(people: dict[str, User]) -> Lead:
    """A won trip, and the same people stand in the same relations to it as to `lead`."""
    trip = Lead.objects.create(
        company_name="Harbor Choir", assigned_to=people["owner"], status="won", pickup_at="2026-01-01T00:00Z"
    )
    FollowUp.objects.create(lead=trip, assigned_to=people["helper"], follow_up_type="call", scheduled_date="2099-01-05")
    return trip


def every_row() -> dict[str, list[Any]]:
    """All that Athena keeps, but for what it counts."""
    models = [
        model
        for app in ("accounts", "sales", "notifications", "django_celery_beat")
        for model in apps.get_app_config(app).get_models()
    ]
    tables = sorted({model._meta.db_table for model in models} - UNCHANGED)
    with connection.cursor() as cursor:
        rows = {}
        for table in tables:
            cursor.execute(f"SELECT * FROM {table} ORDER BY 1")
            rows[table] = cursor.fetchall()
    return rows


def undone(before: dict[str, list[Any]], ask: Callable[[], Any]) -> tuple[Any, bool]:
    """What it gives, and whether it wrote anything since `before`; whatever it did is undone."""
    with transaction.atomic():
        given = ask()
        wrote = every_row() != before
        transaction.set_rollback(True)
    return given, wrote
