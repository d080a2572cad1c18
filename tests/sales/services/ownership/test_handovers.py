"""Somebody leaves: what waits for them goes to others, whole, and the account ends."""

import pytest
from django.utils import timezone

from athena.accounts.models import User
from notifications.models import Notification
from sales import errors
from sales.models import AssignmentRule, FollowUp, LeadTransfer, TransferBatch
from sales.services.ownership import handovers


@pytest.fixture
def plan():
    def make(lead, who):
        return FollowUp.objects.create(
            lead=lead, follow_up_type="call", scheduled_date="2099-01-05", assigned_to=who, due_at=timezone.now()
        )

    return make


@pytest.fixture
def held(rep, colleague, stranger, leaver, make_lead, plan):
    """What waits for Maria: three leads, a follow-up on one, others on Tom's, on nobody's and on a leaver's, a rule."""

    class Held:
        mine = [make_lead(assigned_to=rep) for _ in range(3)]
        closed = make_lead(assigned_to=rep, status="won")
        toms, nobodys, gones = (make_lead(assigned_to=who) for who in (colleague, None, leaver))
        own, on_toms, on_nobodys, on_gones = (plan(lead, rep) for lead in (mine[0], toms, nobodys, gones))
        rule = AssignmentRule.objects.create(rule_name="Big groups", position=1, to_user=rep)

    return Held


def state():
    return (
        list(User.objects.order_by("pk").values_list("pk", "is_active", "login_epoch")),
        LeadTransfer.objects.count(), TransferBatch.objects.count(), Notification.objects.count(),
        list(FollowUp.objects.order_by("pk").values_list("assigned_to", "version")),
        list(AssignmentRule.objects.values_list("to_user", flat=True)),
    )  # fmt: skip


def test_everything_that_waits_goes_to_others(admin, rep, colleague, stranger, manager, held):
    chosen = {"by": admin, "user_id": rep.pk, "receivers": [stranger.pk, manager.pk]}
    before = state()
    planned = handovers.plan(**chosen)
    assert state() == before
    done = handovers.hand_over(**chosen, expected=planned.fingerprint)
    for row in (*held.mine, held.closed, held.own, held.on_toms, held.on_nobodys, held.on_gones, held.rule, rep):
        row.refresh_from_db()
    assert [lead.assigned_to for lead in held.mine] == [stranger, manager, stranger]
    assert held.closed.assigned_to == rep  # the sale was theirs
    assert (held.own.assigned_to, held.on_toms.assigned_to) == (stranger, colleague)
    assert {held.on_nobodys.assigned_to, held.on_gones.assigned_to} == {stranger, manager}
    assert (held.rule.to_user, rep.is_active, rep.login_epoch) == (stranger, False, 1)
    assert not handovers.count_waiting_work(rep)
    assert {(row.batch.reason, row.transferred_by) for row in LeadTransfer.objects.all()} == {("Maria leaves", admin)}
    assert (len(done.plan.moves), done.plan.follow_up_count, len(done.other_follow_ups), done.rules) == (
        3,
        1,
        3,
        [held.rule],
    )
    told = {(row.recipient, row.kind, row.context["count"]) for row in Notification.objects.exclude(recipient=rep)}
    assert told == {
        (stranger, "leads_received", 2), (manager, "leads_received", 1), (colleague, "follow_ups_received", 1),
        (stranger, "follow_ups_received", 1), (manager, "follow_ups_received", 1),
    }  # fmt: skip
    held.toms.refresh_from_db()
    assert held.toms.next_follow_up_date == held.on_toms.due_at


def test_all_or_nothing(admin, rep, colleague, held):
    User.objects.filter(pk=colleague.pk).update(max_open_leads=2)
    before = state()
    with pytest.raises(errors.LeadsRemain):  # Tom has one open lead, and room for one
        handovers.hand_over(by=admin, user_id=rep.pk, receivers=[colleague.pk])
    assert len(handovers.plan(by=admin, user_id=rep.pk, receivers=[colleague.pk]).plan.skipped) == 2
    with pytest.raises(errors.StaleVersion):
        handovers.hand_over(by=admin, user_id=rep.pk, receivers=[admin.pk], expected="something else")
    assert state() == before


def test_what_is_refused(admin, manager, rep, leaver, held):
    before = state()
    for by, who, receivers, error in (
        (manager, rep, [manager.pk], errors.NotAllowed), (admin, rep, [], errors.Invalid),
        (admin, rep, [rep.pk, manager.pk], errors.Invalid), (admin, rep, [leaver.pk], errors.Invalid),
        (admin, rep, [9999], errors.NotFound), (admin, admin, [manager.pk], errors.Invalid),
    ):  # fmt: skip
        for verb in (handovers.plan, handovers.hand_over):
            with pytest.raises(error):
                verb(by=by, user_id=who.pk, receivers=receivers)
    assert state() == before


def test_nobody_is_needed_where_nothing_waits(admin, colleague):
    handovers.hand_over(by=admin, user_id=colleague.pk, receivers=[])
    colleague.refresh_from_db()
    assert (colleague.is_active, TransferBatch.objects.count()) == (False, 0)
