"""A company whose users each have a different relation to the same lead."""

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

# The columns of the tables: nobody (without a login); the owner of the lead; a colleague of the owner; a stranger (of
# another team); a helper (of another team, with a follow-up for the lead); the managers of the owner's team, of another
# team and of no team; an administrator; a leaver (who was deactivated after logging in).
PEOPLE = (
    "nobody",
    "owner",
    "colleague",
    "stranger",
    "helper",
    "manager",
    "other_manager",
    "company_manager",
    "admin",
    "leaver",
)
UNCHANGED = {"failed_logins", "throttle_counts", "idempotency_keys", "django_session", "task_totals"}


def statuses_by_person(cells: str) -> dict[str, int]:
    """The status for each of `PEOPLE`, from a row of a table like `"401 200 …"`."""
    return dict(zip(PEOPLE, map(int, cells.split()), strict=True))


@pytest.fixture(autouse=True)
def _undone_at_the_end(made_once: None, db: None) -> None:
    """Run each test in its own transaction within the transaction of the module."""


@pytest.fixture(scope="module")
def people(made_once: None) -> dict[str, User]:
    desk, other_desk = (Team.objects.create(name=f"{name} desk") for name in ("Charter", "Airport"))
    return {
        "owner": new_user("owner", team=desk),
        "colleague": new_user("colleague", team=desk),
        "stranger": new_user("stranger", team=other_desk),
        "helper": new_user("helper", team=other_desk),
        "manager": new_user("manager", Role.MANAGER, desk),
        "other_manager": new_user("othermanager", Role.MANAGER, other_desk),
        "company_manager": new_user("companymanager", Role.MANAGER),
        "admin": new_user("admin", Role.ADMIN),
        "leaver": new_user("leaver", team=desk),
    }


@pytest.fixture(scope="module")
def logged_in(people: dict[str, User]) -> dict[str, Client]:
    """By person, the browser in which they logged in."""
    browsers = {name: Client() for name in people}
    for name, user in people.items():
        browsers[name].force_login(user)
    return browsers


@pytest.fixture
def browsers(logged_in: dict[str, Client]) -> dict[str, Client]:
    """By person, a new browser with the cookies of their login."""
    browsers = {name: Client() for name in PEOPLE}
    for name, browser in logged_in.items():
        browsers[name].cookies.load({key: morsel.value for key, morsel in browser.cookies.items()})
    return browsers


@pytest.fixture(scope="module")
def world(people: dict[str, User]) -> SimpleNamespace:
    """Rows of every kind about `lead`, and some about leads that few may see: `secret` belongs to the other team."""
    owner, helper, stranger = people["owner"], people["helper"], people["stranger"]
    source = LeadSource.objects.create(name="Fair")
    lead = Lead.objects.create(company_name="Harbor Choir", assigned_to=owner, source=source, score=60)
    colleagues = Lead.objects.create(company_name="Mill Corps", assigned_to=people["colleague"], score=60)
    secret = Lead.objects.create(
        company_name="Secret Choir", email="secret@club.example", assigned_to=stranger, score=60
    )
    unassigned = Lead.objects.create(company_name="Orphan Tours", score=60)
    archived = Lead.objects.create(
        company_name="Old Guard", assigned_to=owner, score=60, archived_at="2026-01-01T00:00Z"
    )

    search_index.index_missing_leads(10)

    def create_follow_up(lead: Lead, assignee: User) -> FollowUp:
        return FollowUp.objects.create(
            lead=lead, assigned_to=assignee, follow_up_type="call", scheduled_date="2099-01-05"
        )

    cadence = Cadence.objects.create(name="New inquiry")
    CadenceStep.objects.create(cadence=cadence, day=0, follow_up_type="call")

    def create_batch(by: User) -> TransferBatch:
        batch = TransferBatch.objects.create(by=by, reason="Given")
        LeadTransfer.objects.create(lead=colleagues, batch=batch, to_user=people["colleague"], transferred_by=by)
        return batch

    def create_timeline(of: Lead, user: User) -> SimpleNamespace:
        batch = TransferBatch.objects.create(by=people["admin"], reason=f"About {of}")
        return SimpleNamespace(
            system=Activity.objects.create(lead=of, activity_type="status_change", user=people["admin"]),
            activity=Activity.objects.create(lead=of, activity_type="note", notes=f"Note on {of}", user=user),
            change=FieldChange.objects.create(lead=of, field="notes", old=f"Old of {of}", new="x", by=user),
            score=LeadScoreHistory.objects.create(
                lead=of, old_score=0, new_score=60, points_changed=60, reason=f"Score of {of}"
            ),
            batch=batch,
            transfer=LeadTransfer.objects.create(
                lead=of, batch=batch, to_user=user, transferred_by=people["admin"], transfer_reason=f"Why {of}"
            ),
        )

    form = IntakeForm.objects.create(name="Web site", key="a-key")
    for of in (lead, secret):
        Inquiry.objects.create(form=form, lead=of, reference=f"R{of.pk}", fingerprint=f"f{of.pk}")
    lead_import = LeadImport.objects.create(
        by=people["manager"], file_name="leads.csv", state="checked", columns=["company_name"], header=["Company"],
        total=1,
        sheet="January", sheets=["January", "February"],
        notations={"pickup_at": {"kind": "date", "written": "", "likely": "day", "example": "03/04/2027"}},
    )  # fmt: skip
    ImportFile.objects.create(lead_import=lead_import, content=b"Company\nA\n", size=10)
    ImportRow.objects.create(
        lead_import=lead_import,
        line=2,
        state="ready",
        cells=["Imported Choir"],
        values={"company_name": "Imported Choir"},
    )
    LeadImport.objects.create(by=people["other_manager"], file_name="secret choir.csv")
    LeadExport.objects.create(by=people["other_manager"], file_format="csv", filters={"q": ["secret choir"]})
    notification, _ = (
        Notification.objects.create(
            kind="lead_assigned", recipient=recipient, dedupe_key=f"assigned:{of.pk}",
            context={"lead_id": of.pk, "lead_name": str(of), "by_name": "Admin"},
        )
        for of, recipient in ((lead, owner), (secret, stranger))
    )  # fmt: skip
    return SimpleNamespace(
        form=form,
        lead_import=lead_import,
        export=LeadExport.objects.create(by=people["manager"], file_format="csv", filters={"q": ["harbor"]}),
        privacy=PrivacyRequest.objects.create(action="export", person="0" * 64),
        notification=notification,
        delivery=Delivery.objects.create(
            notification=notification, channel="email", state="dead", ended_at=timezone.now()
        ),
        token=unsubscribe_tokens.make_token(owner.pk, "lead_assigned"),
        source=source,
        spend=SourceSpend.objects.create(source=source, month=date(2026, 1, 1), amount=10),
        run=ScoringRun.objects.create(rule_set_version=1, state="done"),
        lead=lead,
        leads={
            "lead": lead,
            "colleagues": colleagues,
            "secret": secret,
            "unassigned": unassigned,
            "archived": archived,
        },
        cadence=cadence,
        enrolment=CadenceEnrolment.objects.create(lead=lead, cadence=cadence, day=0),
        follow_up=create_follow_up(lead, owner),
        helpers_follow_up=create_follow_up(lead, helper),
        secret_follow_up=create_follow_up(secret, stranger),
        timeline=create_timeline(lead, owner),
        secret_timeline=create_timeline(secret, stranger),
        manager_batch=create_batch(people["manager"]),
    )


@pytest.fixture
def won(world: SimpleNamespace, people: dict[str, User]) -> Lead:
    return create_won_trip(people)


def create_won_trip(people: dict[str, User]) -> Lead:
    """Create a won lead to which the users have the same relations as to `lead`."""
    trip = Lead.objects.create(
        company_name="Harbor Choir", assigned_to=people["owner"], status="won", pickup_at="2026-01-01T00:00Z"
    )
    FollowUp.objects.create(lead=trip, assigned_to=people["helper"], follow_up_type="call", scheduled_date="2099-01-05")
    return trip


def read_all_rows() -> dict[str, list[Any]]:
    """By table, all rows that Athena stores, except counters."""
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


def run_and_undo(before: dict[str, list[Any]], action: Callable[[], Any]) -> tuple[Any, bool]:
    """Run the action and undo it. Returns its result and whether the rows differ from `before`."""
    with transaction.atomic():
        result = action()
        has_written = read_all_rows() != before
        transaction.set_rollback(True)
    return result, has_written
