"""Moving leads to another owner, whole."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from athena.accounts.models import local_today
from notifications.models import Notification
from sales import errors
from sales.models import Activity, FollowUp, Lead, LeadTransfer, TransferBatch
from sales.services import transfers


@pytest.fixture
def plan(rep):
    def make(lead, who, days=1, **fields):
        day = local_today(rep) + timedelta(days=days)
        return FollowUp.objects.create(
            lead=lead, follow_up_type="call", scheduled_date=day, assigned_to=who, due_at=timezone.now(), **fields
        )

    return make


def every(*leads):
    return Lead.objects.filter(pk__in=[lead.pk for lead in leads])


def test_one_lead_moves_with_everything_that_belongs_to_it(rep, colleague, make_lead, plan):
    lead = make_lead(assigned_to=rep)
    mine, theirs = plan(lead, rep, reminder_sent=True), plan(lead, colleague)
    done_before = plan(lead, rep, -3, completed=True, completed_at=timezone.now(), outcome="successful")
    done = transfers.transfer(by=rep, leads=every(lead), to_user_id=colleague.pk, reason="Holiday", notes="Call soon")

    for row in (lead, mine, theirs, done_before):
        row.refresh_from_db()
    assert (lead.assigned_to, lead.version) == (colleague, 2)
    assert (mine.assigned_to, mine.reminder_sent, mine.reminder_no, mine.version) == (colleague, False, 2, 2)
    assert (mine.due_at.hour, mine.remind_at.hour) == (9, 8)
    assert (theirs.reminder_no, done_before.assigned_to) == (1, rep)
    assert lead.next_follow_up_date == min(mine.due_at, theirs.due_at)
    assert (done.lead_ids, done.follow_ups, done.skipped) == ([lead.pk], 1, [])
    transfer = LeadTransfer.objects.get()
    assert (transfer.from_user, transfer.to_user, transfer.transferred_by) == (rep, colleague, rep)
    assert (transfer.transfer_reason, transfer.notes, transfer.batch) == ("Holiday", "Call soon", done.batch)
    activity = Activity.objects.get()
    assert (activity.activity_type, activity.description) == ("transfer", "Lead transferred from Maria to Tom")
    assert (activity.notes, activity.user, activity.data) == ("Holiday", rep, {})
    told = Notification.objects.get()  # the one who gave it away knows
    assert (told.recipient, told.kind, told.context["count"]) == (colleague, "leads_received", 1)


def test_an_unowned_lead_moves_with_all_its_open_follow_ups(manager, rep, colleague, make_lead, plan):
    lead = make_lead()
    plan(lead, colleague), plan(lead, manager)
    transfers.transfer(by=manager, leads=every(lead), to_user_id=rep.pk)
    assert set(FollowUp.objects.values_list("assigned_to", flat=True)) == {rep.pk}
    assert LeadTransfer.objects.get().from_user is None
    assert Activity.objects.get().description == "Lead transferred from nobody to Maria"


def test_both_sides_are_told_once_a_batch(admin, rep, colleague, manager, leaver, make_lead):
    leads = [make_lead(assigned_to=who) for who in (rep, rep, colleague, leaver, None)]
    done = transfers.transfer(by=admin, leads=every(*leads), to_user_id=manager.pk, reason="New desk")
    told = {
        (row.recipient, row.kind, row.context["count"], len(row.context["leads"])) for row in Notification.objects.all()
    }
    assert told == {
        (manager, "leads_received", 5, 5), (rep, "leads_transferred", 2, 2), (colleague, "leads_transferred", 1, 1),
    }  # fmt: skip
    assert Notification.objects.get(recipient=rep).dedupe_key == f"transferred:{done.batch.pk}:{rep.pk}"


def test_who_may_give_what_to_whom(rep, colleague, stranger, manager, admin, leaver, make_lead):
    own, teams, foreign = (make_lead(assigned_to=who) for who in (rep, colleague, stranger))

    def give(by, lead, to):
        return transfers.plan(by=by, leads=every(lead), to_user_id=to.pk)

    assert give(rep, own, colleague).lead_ids == [own.pk]
    assert give(manager, teams, stranger).lead_ids == [teams.pk]
    assert give(admin, foreign, rep).lead_ids == [foreign.pk]
    assert give(rep, teams, rep).skipped == [(teams.pk, "not_your_lead")]
    assert give(manager, foreign, rep) == transfers.Plan(rep, [], [], 0)
    assert give(rep, own, rep).skipped == [(own.pk, "already_owner")]
    with pytest.raises(errors.ReceiverNotAllowed):
        give(rep, own, stranger)
    with pytest.raises(errors.Invalid) as refused:
        give(admin, own, leaver)
    assert list(refused.value.fields) == ["to_user_id"]
    with pytest.raises(errors.NotFound):
        transfers.plan(by=admin, leads=every(own), to_user_id=9999)


def test_an_archived_lead_stays(admin, rep, make_lead):
    lead = make_lead(archived_at=timezone.now())
    assert transfers.transfer(by=admin, leads=every(lead), to_user_id=rep.pk).moving == []


def test_nothing_to_move_writes_nothing(admin, rep, make_lead):
    done = transfers.transfer(by=admin, leads=every(make_lead(assigned_to=rep)), to_user_id=rep.pk)
    assert (done.batch, TransferBatch.objects.count(), Notification.objects.count()) == (None, 0, 0)


def test_the_plan_is_what_happens(admin, rep, colleague, make_lead, plan):
    leads = [make_lead(assigned_to=who) for who in (rep, colleague, None)]
    plan(leads[0], rep), plan(leads[2], colleague)
    planned = transfers.plan(by=admin, leads=every(*leads), to_user_id=colleague.pk)
    assert (LeadTransfer.objects.count(), planned.follow_ups) == (0, 1)
    done = transfers.transfer(by=admin, leads=every(*leads), to_user_id=colleague.pk)
    assert (done.moving, done.skipped, done.follow_ups) == (planned.moving, planned.skipped, planned.follow_ups)


def test_statements_do_not_grow_with_the_leads(admin, rep, colleague, make_lead, plan):
    counts = []
    for many in (1, 300):
        leads = [make_lead(assigned_to=rep) for _ in range(many)]
        for lead in leads:
            plan(lead, rep)
        with CaptureQueriesContext(connection) as captured:
            done = transfers.transfer(by=admin, leads=every(*leads), to_user_id=colleague.pk)
        assert len(done.moving) == done.follow_ups == many
        counts.append(len(captured))
    assert counts[0] == counts[1] <= 25


def test_the_chain_holds_over_many_moves(admin, rep, colleague, manager, make_lead, plan):
    lead = make_lead(assigned_to=rep)
    plan(lead, rep)
    for to in (colleague, manager, rep, colleague):
        transfers.transfer(by=admin, leads=every(lead), to_user_id=to.pk)
    chain = list(LeadTransfer.objects.order_by("id").values_list("from_user", "to_user"))
    lead.refresh_from_db()
    assert [start for start, _ in chain[1:]] == [end for _, end in chain[:-1]]
    assert (chain[-1][1], lead.assigned_to, FollowUp.objects.get().assigned_to) == (colleague.pk, colleague, colleague)
