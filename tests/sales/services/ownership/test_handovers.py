"""Handing over: everything that waits for a user goes to others, and the user is deactivated; all of it, or nothing."""

from dataclasses import dataclass

import pytest
from django.utils import timezone

from athena.accounts.models import User
from notifications.models import Notification
from sales import errors
from sales.models import AssignmentRule, FollowUp, Lead, LeadTransfer, TransferBatch
from sales.services.ownership import handovers


@pytest.fixture
def plan_follow_up():
    def make(lead, assignee):
        return FollowUp.objects.create(
            lead=lead, follow_up_type="call", scheduled_date="2099-01-05", assigned_to=assignee, due_at=timezone.now()
        )

    return make


@dataclass
class Work:
    """Maria's work: her leads, one with a follow-up, and her follow-ups on leads of Tom, of nobody and of a leaver."""

    own_leads: list[Lead]
    closed_lead: Lead
    toms_lead: Lead
    own_follow_up: FollowUp
    follow_up_on_toms_lead: FollowUp
    follow_up_on_unassigned_lead: FollowUp
    follow_up_on_leavers_lead: FollowUp
    rule: AssignmentRule

    def refresh(self):
        for row in (*self.own_leads, *(row for row in vars(self).values() if not isinstance(row, list))):
            row.refresh_from_db()


@pytest.fixture
def work(rep, colleague, leaver, make_lead, plan_follow_up):
    own_leads = [make_lead(assigned_to=rep) for _ in range(3)]
    toms_lead = make_lead(assigned_to=colleague)
    return Work(
        own_leads=own_leads,
        closed_lead=make_lead(assigned_to=rep, status="won"),
        toms_lead=toms_lead,
        own_follow_up=plan_follow_up(own_leads[0], rep),
        follow_up_on_toms_lead=plan_follow_up(toms_lead, rep),
        follow_up_on_unassigned_lead=plan_follow_up(make_lead(assigned_to=None), rep),
        follow_up_on_leavers_lead=plan_follow_up(make_lead(assigned_to=leaver), rep),
        rule=AssignmentRule.objects.create(rule_name="Big groups", position=1, to_user=rep),
    )


def read_state():
    """All rows that a handover may change."""
    return {
        "users": list(User.objects.order_by("pk").values("pk", "is_active", "login_epoch")),
        "leads": list(Lead.objects.order_by("pk").values("pk", "assigned_to", "version")),
        "follow_ups": list(FollowUp.objects.order_by("pk").values("pk", "assigned_to", "version")),
        "rules": list(AssignmentRule.objects.order_by("pk").values("pk", "to_user")),
        "transfers": LeadTransfer.objects.count(),
        "batches": TransferBatch.objects.count(),
        "notifications": Notification.objects.count(),
    }


def test_a_plan_writes_nothing(admin, rep, stranger, work):
    before = read_state()

    handovers.plan(by=admin, user_id=rep.pk, receivers=[stranger.pk])

    assert read_state() == before


def test_everything_that_waits_goes_to_others(admin, rep, colleague, stranger, manager, work):
    arguments = {"by": admin, "user_id": rep.pk, "receivers": [stranger.pk, manager.pk]}
    planned = handovers.plan(**arguments)

    handover = handovers.hand_over(**arguments, expected=planned.fingerprint)

    work.refresh()
    assert [lead.assigned_to for lead in work.own_leads] == [stranger, manager, stranger]
    assert work.closed_lead.assigned_to == rep, "who made the sale keeps the lead"
    assert work.own_follow_up.assigned_to == stranger
    assert work.follow_up_on_toms_lead.assigned_to == colleague
    receivers = {work.follow_up_on_unassigned_lead.assigned_to, work.follow_up_on_leavers_lead.assigned_to}
    assert receivers == {stranger, manager}
    assert work.rule.to_user == stranger
    assert not handovers.count_waiting_work(rep)
    assert work.toms_lead.next_follow_up_date == work.follow_up_on_toms_lead.due_at
    assert len(handover.plan.moves) == 3
    assert handover.plan.follow_up_count == 1
    assert len(handover.other_follow_ups) == 3
    assert handover.follow_up_count == 4
    assert handover.rules == [work.rule]


def test_the_user_is_deactivated_and_signed_out(admin, rep, stranger, work):
    handovers.hand_over(by=admin, user_id=rep.pk, receivers=[stranger.pk])

    rep.refresh_from_db()
    assert not rep.is_active
    assert rep.login_epoch == 1


def test_what_does_not_wait_for_the_user_stays(admin, rep, colleague, stranger, make_lead, plan_follow_up, work):
    lead = make_lead(assigned_to=colleague)
    follow_up = plan_follow_up(work.own_leads[0], colleague)
    rule = AssignmentRule.objects.create(rule_name="Others", position=2, to_user=colleague)

    handovers.hand_over(by=admin, user_id=rep.pk, receivers=[stranger.pk])

    for row in (lead, follow_up, rule, colleague):
        row.refresh_from_db()
    assert lead.assigned_to == colleague
    assert lead.version == 1
    assert follow_up.assigned_to == colleague
    assert rule.to_user == colleague
    assert colleague.is_active


def test_the_transfers_say_who_left(admin, rep, stranger, work):
    handovers.hand_over(by=admin, user_id=rep.pk, receivers=[stranger.pk])

    transfers = LeadTransfer.objects.all()
    assert {transfer.batch.reason for transfer in transfers} == {"Maria leaves"}
    assert {transfer.transferred_by for transfer in transfers} == {admin}


def test_the_receivers_are_notified(admin, rep, colleague, stranger, manager, work):
    handovers.hand_over(by=admin, user_id=rep.pk, receivers=[stranger.pk, manager.pk])

    notifications = Notification.objects.exclude(recipient=rep)
    assert {(row.recipient, row.kind, row.context["count"]) for row in notifications} == {
        (stranger, "leads_received", 2),
        (manager, "leads_received", 1),
        (colleague, "follow_ups_received", 1),
        (stranger, "follow_ups_received", 1),
        (manager, "follow_ups_received", 1),
    }


def test_without_room_for_all_leads_nothing_happens(admin, rep, colleague, work):
    User.objects.filter(pk=colleague.pk).update(max_open_leads=2)  # he has one open lead, so room for one
    before = read_state()

    with pytest.raises(errors.LeadsRemain, match="no room for 2 of the leads"):
        handovers.hand_over(by=admin, user_id=rep.pk, receivers=[colleague.pk])

    planned = handovers.plan(by=admin, user_id=rep.pk, receivers=[colleague.pk])
    assert len(planned.plan.skipped) == 2
    assert read_state() == before


def test_another_handover_than_expected_does_not_happen(admin, rep, work):
    before = read_state()

    with pytest.raises(errors.StaleVersion):
        handovers.hand_over(by=admin, user_id=rep.pk, receivers=[admin.pk], expected="something else")

    assert read_state() == before


@pytest.mark.parametrize("verb", [handovers.plan, handovers.hand_over])
@pytest.mark.parametrize(
    ("by", "user", "receivers", "error"),
    [
        ("manager", "rep", ["manager"], errors.NotAllowed),
        ("admin", "rep", [], errors.Invalid),
        ("admin", "rep", ["rep", "manager"], errors.Invalid),
        ("admin", "rep", ["leaver"], errors.Invalid),
        ("admin", "rep", ["nobody"], errors.NotFound),
        ("admin", "nobody", ["manager"], errors.NotFound),
        ("admin", "admin", ["manager"], errors.Invalid),
    ],
    ids=["by a manager", "no receiver", "to the leaver", "to inactive", "to unknown", "of unknown", "of oneself"],
)
def test_what_is_refused(admin, manager, rep, leaver, work, verb, by, user, receivers, error):
    users = {"admin": admin, "manager": manager, "rep": rep, "leaver": leaver}
    ids = {name: row.pk for name, row in users.items()} | {"nobody": 9999}
    before = read_state()

    with pytest.raises(error) as raised:
        verb(by=users[by], user_id=ids[user], receivers=[ids[name] for name in receivers])

    assert type(raised.value) is error
    assert read_state() == before


def test_without_waiting_work_no_receiver_is_needed(admin, colleague):
    handovers.hand_over(by=admin, user_id=colleague.pk, receivers=[])

    colleague.refresh_from_db()
    assert not colleague.is_active
    assert TransferBatch.objects.count() == 0
