"""Nobody is notified about their own actions, whatever the kind of notification; others are."""

from dataclasses import dataclass
from datetime import date

import pytest

from athena.accounts.models import User
from athena.accounts.roles import Role
from notifications import kinds, outbox
from notifications.models import Notification
from sales.models import FollowUp, Lead
from sales.services.follow_ups import follow_ups
from sales.services.leads import leads
from sales.services.ownership import transfers

DAY = date(2099, 1, 5)


@dataclass(frozen=True)
class Team:
    """A manager, who acts, a salesperson and another manager."""

    manager: User
    rep: User
    other: User

    def create_lead(self, **values: object) -> None:
        leads.create(by=self.manager, values={"company_name": "Band", **values})

    def plan(self, assignee: User, by: User | None = None) -> FollowUp:
        lead = make_lead_of(self.rep)
        return follow_ups.create(
            by=by or self.manager,
            lead_id=lead.pk,
            follow_up_type="call",
            scheduled_date=DAY,
            assigned_to=assignee.pk,
        )

    def take_over_a_follow_up(self) -> None:
        plan = self.plan(self.rep, by=self.rep)
        follow_ups.update(by=self.manager, follow_up_id=plan.pk, changes={"assigned_to": self.manager.pk})

    def transfer(self, owner: User, receiver: User) -> None:
        lead = make_lead_of(owner)
        transfers.transfer(by=self.manager, leads=Lead.objects.filter(pk=lead.pk), to_user_id=receiver.pk)


@pytest.fixture
def team(manager, rep, make_user):
    return Team(manager, rep, make_user("other", Role.MANAGER, manager.team))


def make_lead_of(owner: User) -> Lead:
    return Lead.objects.create(company_name="Band", assigned_to=owner)


# What the manager does, and who is notified of it by which kind.
ACTIONS = [
    pytest.param(lambda team: team.create_lead(), {("lead_unowned", "Other")}, id="creates an unassigned lead"),
    pytest.param(lambda team: team.create_lead(assigned_to=team.manager.pk), set(), id="creates a lead of their own"),
    pytest.param(
        lambda team: team.create_lead(assigned_to=team.rep.pk),
        {("lead_assigned", "Maria")},
        id="creates another's lead",
    ),
    pytest.param(lambda team: team.plan(team.manager), set(), id="plans a follow-up for themselves"),
    pytest.param(
        lambda team: team.plan(team.rep), {("follow_up_reassigned", "Maria")}, id="plans a follow-up for somebody"
    ),
    pytest.param(lambda team: team.take_over_a_follow_up(), set(), id="takes over a follow-up"),
    pytest.param(
        lambda team: team.transfer(team.rep, team.manager), {("leads_transferred", "Maria")}, id="takes over a lead"
    ),
    pytest.param(
        lambda team: team.transfer(team.manager, team.rep), {("leads_received", "Maria")}, id="gives a lead away"
    ),
    pytest.param(
        lambda team: team.transfer(team.other, team.rep),
        {("leads_received", "Maria"), ("leads_transferred", "Other")},
        id="moves a lead between others",
    ),
]


@pytest.mark.parametrize(("act", "expected"), ACTIONS)
def test_others_are_notified_and_the_actor_is_not(team, act, expected):
    act(team)
    rows = Notification.objects.select_related("recipient")
    assert {(row.kind, str(row.recipient)) for row in rows} == expected


@pytest.mark.parametrize("kind", [kind.name for kind in kinds.get_all()])
def test_the_outbox_writes_nothing_for_the_actor(team, kind):
    outbox.add_many(
        outbox.NewNotification(kind, user.pk, f"{kind}:{user.pk}", {}, by_id=team.manager.pk)
        for user in (team.manager, team.rep)
    )
    assert Notification.objects.get().recipient == team.rep
