"""Nobody is told of what they did themselves, whatever the kind of message; others are."""

from datetime import date

import pytest

from athena.accounts.roles import Role
from notifications import kinds, outbox
from notifications.models import Notification
from sales.models import Lead
from sales.services.follow_ups import follow_ups
from sales.services.leads import leads
from sales.services.ownership import transfers

DAY = date(2099, 1, 5)


@pytest.fixture
def people(manager, rep, make_user):
    return {"by": manager, "rep": rep, "other": make_user("other", Role.MANAGER, manager.team)}


def lead_of(user):
    return Lead.objects.create(company_name="Band", assigned_to=user)


def plan(by, lead, user):
    return follow_ups.create(by=by, lead_id=lead.pk, follow_up_type="call", scheduled_date=DAY, assigned_to=user.pk)


def give(by, lead, user):
    transfers.transfer(by=by, leads=Lead.objects.filter(pk=lead.pk), to_user_id=user.pk)


# What somebody does, and what others are told of it.
ACTS = {
    "takes in a lead that nobody owns": (
        lambda by, rep, other: leads.create(by=by, values={"company_name": "Band"}), {("lead_unowned", "other")},
    ),
    "takes in a lead of their own": (
        lambda by, rep, other: leads.create(by=by, values={"company_name": "Band", "assigned_to": by.pk}), set(),
    ),
    "takes in somebody's lead": (
        lambda by, rep, other: leads.create(by=by, values={"company_name": "Band", "assigned_to": rep.pk}),
        {("lead_assigned", "rep")},
    ),
    "plans for themself": (lambda by, rep, other: plan(by, lead_of(rep), by), set()),
    "plans for somebody": (lambda by, rep, other: plan(by, lead_of(rep), rep), {("follow_up_reassigned", "rep")}),
    "takes a follow-up over": (
        lambda by, rep, other: follow_ups.update(
            by=by, follow_up_id=plan(rep, lead_of(rep), rep).pk, changes={"assigned_to": by.pk}
        ),
        set(),
    ),
    "takes a lead": (lambda by, rep, other: give(by, lead_of(rep), by), {("leads_transferred", "rep")}),
    "gives a lead away": (lambda by, rep, other: give(by, lead_of(by), rep), {("leads_received", "rep")}),
    "moves a lead": (
        lambda by, rep, other: give(by, lead_of(other), rep),
        {("leads_received", "rep"), ("leads_transferred", "other")},
    ),
}  # fmt: skip


@pytest.mark.parametrize("act", ACTS)
def test_others_are_told_and_oneself_is_not(people, act):
    do, expected = ACTS[act]
    do(**people)
    names = {user.pk: name for name, user in people.items()}
    told = Notification.objects.values_list("kind", "recipient")
    assert {(kind, names[recipient]) for kind, recipient in told} == expected


def test_the_outbox_drops_ones_own_act_of_any_kind(people):
    by, rep = people["by"], people["rep"]
    for kind in kinds.get_all():
        outbox.add_many(
            outbox.NewNotification(kind.name, user.pk, f"{kind.name}:{user.pk}", {}, by_id=by.pk) for user in (by, rep)
        )
    assert set(Notification.objects.values_list("recipient", flat=True)) == {rep.pk}
    assert Notification.objects.count() == len(kinds.get_all())
