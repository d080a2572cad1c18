"""The first steps: what is still to be set up in a new system, for managers and administrators."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db.models import Exists, QuerySet, Subquery

from athena.accounts.models import User
from notifications.emails import test_email
from notifications.models import Delivery, Preference
from sales import policy
from sales.models import IntakeForm, Lead, LeadImport, LeadSource

HIDDEN_PREFERENCE = {"kind": "first_steps", "channel": "home", "wanted": False}  # of a user who has hidden the steps
PERMISSIONS = {
    "people": "accounts.add_user",
    "sources": "sales.add_leadsource",
    "leads": "sales.add_lead",
    "email": "notifications.view_delivery",
}
TEST_EMAIL_FIELDS = ("state", "last_error", "ended_at", "next_attempt_at")


@dataclass(frozen=True)
class EmailTestState:
    """The delivery of the test email that the user sent last (`notifications.emails.test_email`)."""

    state: str
    last_error: str
    ended_at: datetime | None
    next_attempt_at: datetime


@dataclass(frozen=True)
class FirstSteps:
    """The steps of a user: `done` says of each that they may do whether it is done. The rest is shown with open ones.

    `waiting_import` is the id of the user's import that is checked and waits to be run.
    """

    done: dict[str, bool]
    has_leads: bool
    waiting_import: int | None
    has_form: bool
    test: EmailTestState | None

    @property
    def done_count(self) -> int:
        return sum(self.done.values())


def get_first_steps(user: User) -> FirstSteps | None:
    """The first steps of a manager or administrator, or None if all are done or they have hidden them. One query.

    With demo data there are none. People and sources are those of the whole company; leads are those that the user may
    read.
    """
    if settings.DEMO or not policy.is_manager(user):
        return None
    row: Any = User.objects.filter(pk=user.pk).values(**_build_expressions(user)).get()
    test = _build_test_state(row)
    if test is not None:
        row["has_email"] = test.state == Delivery.State.SENT
    done = {step: bool(row[f"has_{step}"]) for step, permission in PERMISSIONS.items() if user.has_perm(permission)}
    if row["is_hidden"] or all(done.values()):
        return None
    return FirstSteps(
        done=done,
        has_leads=bool(row["has_leads"]),
        has_form=bool(row["has_form"]),
        waiting_import=row["waiting_import"],
        test=test,
    )


def _build_expressions(user: User) -> dict[str, Any]:
    imports = LeadImport.objects.visible_to(user).filter(by=user.pk, state=LeadImport.State.CHECKED)
    rows: dict[str, QuerySet[Any]] = {
        "has_people": User.objects.filter(is_active=True).exclude(pk=user.pk),
        "has_sources": LeadSource.objects.all(),
        "has_leads": Lead.objects.in_scope_of(user),
        "has_email": test_email.find_sent_emails(),
        "has_form": IntakeForm.objects.filter(is_active=True),
        "is_hidden": Preference.objects.filter(user=user.pk, **HIDDEN_PREFERENCE),
    }
    test_delivery = test_email.find_last_delivery(user)
    return {
        **{name: Exists(queryset.order_by()) for name, queryset in rows.items()},
        "waiting_import": Subquery(imports.order_by("-pk").values("pk")[:1]),
        **{f"test_{name}": Subquery(test_delivery.values(name)) for name in TEST_EMAIL_FIELDS},
    }


def _build_test_state(row: dict[str, Any]) -> EmailTestState | None:
    values = {name: row[f"test_{name}"] for name in TEST_EMAIL_FIELDS}
    return EmailTestState(**values) if values["state"] else None
