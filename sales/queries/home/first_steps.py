"""What is still to be set up in a new system: a manager's first steps, each with its state."""

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

HIDDEN_PREFERENCE = {
    "kind": "first_steps",
    "channel": "home",
    "wanted": False,
}  # the preference of somebody who has done so
PERMISSIONS = {"people": "accounts.add_user", "sources": "sales.add_leadsource", "leads": "sales.add_lead",
       "email": "notifications.view_delivery"}  # fmt: skip
TEST_EMAIL_FIELDS = ("state", "last_error", "ended_at", "next_attempt_at")


@dataclass(frozen=True)
class EmailTestState:
    """What has become of the e-mail that somebody last sent themself (`notifications.emails.test_email`)."""

    state: str
    last_error: str
    ended_at: datetime | None
    next_attempt_at: datetime


@dataclass(frozen=True)
class FirstSteps:
    """`done` says of each step that its user may take whether it has been. The rest tells how far an open one is."""

    done: dict[str, bool]
    has_leads: bool
    waiting_import: int | None  # one of theirs that is looked through and waits for their word
    has_form: bool
    test: EmailTestState | None

    @property
    def done_count(self) -> int:
        return sum(self.done.values())


def first_steps(user: User) -> FirstSteps | None:
    """The steps of a manager or administrator, in one query; None where all are done, or they have put them away.

    With demo data there is nothing to set up. Whether there are people and sources is asked of the whole company, and
    whether there are leads of those that the user may read.
    """
    if settings.DEMO or not policy.is_manager(user):
        return None
    found: Any = User.objects.filter(pk=user.pk).values(**_asked(user)).get()
    test = _test(found)
    if test is not None:
        found["has_email"] = test.state == Delivery.State.SENT
    done = {step: bool(found[f"has_{step}"]) for step, permission in PERMISSIONS.items() if user.has_perm(permission)}
    if found["put_away"] or all(done.values()):
        return None
    return FirstSteps(
        done=done,
        has_leads=bool(found["has_leads"]),
        has_form=bool(found["has_form"]),
        waiting_import=found["waiting_import"],
        test=test,
    )


def _asked(user: User) -> dict[str, Any]:
    checked = LeadImport.objects.visible_to(user).filter(by=user.pk, state=LeadImport.State.CHECKED)
    exist: dict[str, QuerySet[Any]] = {
        "has_people": User.objects.filter(is_active=True).exclude(pk=user.pk),
        "has_sources": LeadSource.objects.all(),
        "has_leads": Lead.objects.in_scope_of(user),
        "has_email": test_email.find_sent_emails(),
        "has_form": IntakeForm.objects.filter(is_active=True),
        "put_away": Preference.objects.filter(user=user.pk, **HIDDEN_PREFERENCE),
    }
    return {
        **{name: Exists(rows.order_by()) for name, rows in exist.items()},
        "waiting_import": Subquery(checked.order_by("-pk").values("pk")[:1]),
        **{f"test_{name}": Subquery(test_email.find_last_delivery(user).values(name)) for name in TEST_EMAIL_FIELDS},
    }


def _test(found: dict[str, Any]) -> EmailTestState | None:
    fate = {name: found[f"test_{name}"] for name in TEST_EMAIL_FIELDS}
    return EmailTestState(**fate) if fate["state"] else None
