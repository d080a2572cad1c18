"""Taking a transfer back: undoing it, and what was given for a time."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from athena.accounts.models import User
from notifications.models import Notification
from sales import errors
from sales.models import Activity, FollowUp, Lead, LeadTransfer, TransferBatch
from sales.schedule import company_today
from sales.services.follow_ups import follow_ups
from sales.services.follow_ups.completion import CompletionInput
from sales.services.ownership import transfer_undo, transfers


@pytest.fixture
def plan():
    def make(lead, who, **fields):
        return FollowUp.objects.create(
            lead=lead,
            follow_up_type="call",
            scheduled_date="2099-01-05",
            assigned_to=who,
            due_at=timezone.now(),
            **fields,
        )

    return make


@pytest.fixture
def give(admin):
    def make(*leads, to, **options):
        these = Lead.objects.filter(pk__in=[lead.pk for lead in leads])
        options.setdefault("by", admin)
        return transfers.transfer(leads=these, to_user_id=to.pk, **options).batch

    return make


def owner(lead):
    return Lead.objects.get(pk=lead.pk).assigned_to


def assignee(task):
    return FollowUp.objects.get(pk=task.pk).assigned_to


def test_leads_that_have_not_moved_since_go_back_with_their_follow_ups(
    admin, rep, colleague, stranger, make_lead, plan, give
):
    lead, moved_on = make_lead(assigned_to=rep), make_lead(assigned_to=rep)
    task, others, done_since = plan(lead, rep), plan(lead, stranger), plan(lead, rep)
    batch = give(lead, moved_on, to=colleague, reason="Holiday")
    follow_ups.complete(
        by=colleague, follow_up_id=done_since.pk, completion_input=CompletionInput(outcome="successful")
    )
    of_the_new_owner = plan(lead, colleague)
    give(moved_on, to=stranger)
    Notification.objects.all().delete()
    Activity.objects.all().delete()

    done = transfer_undo.undo(by=admin, batch_id=batch.pk)
    assert (done.lead_ids, done.skipped, done.follow_up_count) == ([lead.pk], [(moved_on.pk, "moved_since")], 2)
    assert (owner(lead), owner(moved_on)) == (rep, stranger)
    assert [assignee(each) for each in (task, others, done_since, of_the_new_owner)] == [rep, stranger, colleague, rep]
    again = FollowUp.objects.get(pk=task.pk)
    assert (again.reminder_no, again.reminder_sent, again.version) == (3, False, 3)
    back = LeadTransfer.objects.get(batch=done.batch)
    assert (back.from_user, back.to_user, back.transferred_by) == (colleague, rep, admin)
    assert (done.batch.undoes, done.batch.reason) == (batch, f"Undo of batch {batch.pk}")
    assert Activity.objects.get().description == "Lead transferred from Tom to Maria"
    assert {(row.recipient, row.kind) for row in Notification.objects.all()} == {
        (rep, "leads_received"), (colleague, "leads_transferred"),
    }  # fmt: skip
    lead.refresh_from_db()
    assert lead.next_follow_up_date == min(FollowUp.objects.open().filter(lead=lead).values_list("due_at", flat=True))


def test_an_unassigned_lead_goes_back_to_nobody_and_each_follow_up_to_its_assignee(
    admin, manager, rep, colleague, make_lead, plan, give
):
    lead = make_lead()
    tasks = [plan(lead, colleague), plan(lead, manager), plan(lead, rep)]
    batch = give(lead, to=rep)
    assert {assignee(task) for task in tasks} == {rep}
    done = transfer_undo.undo(by=admin, batch_id=batch.pk)
    assert (owner(lead), [assignee(task) for task in tasks]) == (None, [colleague, manager, rep])
    back = LeadTransfer.objects.get(batch=done.batch)
    assert (back.from_user, back.to_user) == (rep, None)
    assert Activity.objects.latest("id").description == "Lead transferred from Maria to nobody"
    again = transfer_undo.undo(by=admin, batch_id=done.batch.pk)  # undoing the undoing does it again
    assert (owner(lead), {assignee(task) for task in tasks}) == (rep, {rep})
    assert (again.batch.undoes, again.follow_up_count) == (done.batch, 2)


def test_a_follow_up_that_was_given_to_somebody_else_since_stays_there(
    admin, rep, colleague, manager, make_lead, plan, give
):
    lead = make_lead(assigned_to=rep)
    task = plan(lead, rep)
    batch = give(lead, to=colleague)
    follow_ups.update(by=manager, follow_up_id=task.pk, changes={"assigned_to": manager.pk})
    transfer_undo.undo(by=admin, batch_id=batch.pk)
    assert (owner(lead), assignee(task)) == (rep, manager)


def test_undoing_twice_or_by_a_stranger_is_refused(admin, manager, rep, colleague, stranger, make_lead, give):
    lead = make_lead(assigned_to=rep)
    batch = give(lead, to=colleague, by=rep)
    for who, error in (
        (colleague, errors.NotYourTransfer),
        (manager, errors.NotYourTransfer),
        (stranger, errors.NotFound),
    ):
        with pytest.raises(error):
            transfer_undo.undo(by=who, batch_id=batch.pk)
    with pytest.raises(errors.NotFound):
        transfer_undo.undo(by=admin, batch_id=9999)
    assert transfer_undo.undo(by=rep, batch_id=batch.pk).lead_ids == [lead.pk]
    for who in (rep, admin):
        with pytest.raises(errors.AlreadyUndone):
            transfer_undo.undo(by=who, batch_id=batch.pk)
    assert LeadTransfer.objects.count() == 2


def test_an_author_takes_back_leads_that_they_can_no_longer_see(manager, rep, stranger, make_lead, give):
    lead = make_lead(assigned_to=rep)
    batch = give(lead, to=stranger, by=manager)
    assert not Lead.objects.visible_to(manager).exists()
    assert transfer_undo.undo(by=manager, batch_id=batch.pk).lead_ids == [lead.pk]
    assert owner(lead) == rep


def test_leads_that_stay_have_a_code(admin, rep, colleague, manager, make_lead, give):
    gone, archived, closed, lost_track = (make_lead(assigned_to=who) for who in (manager, rep, rep, rep))
    batch = give(gone, archived, closed, lost_track, to=colleague)
    User.objects.filter(pk=manager.pk).update(is_active=False)
    Lead.objects.filter(pk=archived.pk).update(archived_at=timezone.now())
    Lead.objects.filter(pk=closed.pk).update(status="won")
    Lead.objects.filter(pk=lost_track.pk).update(assigned_to=admin)  # by plain SQL, past the services
    planned = transfer_undo.plan_undo(batch=batch)
    done = transfer_undo.undo(by=admin, batch_id=batch.pk)
    assert done.lead_ids == planned.lead_ids == [closed.pk]
    assert done.skipped == planned.skipped == [
        (gone.pk, "owner_inactive"), (archived.pk, "archived"), (lost_track.pk, "moved_since"),
    ]  # fmt: skip


def test_nothing_to_give_back_writes_nothing(admin, rep, colleague, make_lead, give):
    lead = make_lead(assigned_to=rep)
    batch = give(lead, to=colleague)
    give(lead, to=rep)
    done = transfer_undo.undo(by=admin, batch_id=batch.pk)
    assert (done.batch, done.skipped, TransferBatch.objects.count()) == (None, [(lead.pk, "moved_since")], 2)


def test_statements_do_not_grow_with_the_leads(admin, rep, colleague, make_lead, plan, give):
    counts = []
    for many in (1, 200):
        leads = [make_lead(assigned_to=rep) for _ in range(many)]
        for lead in leads:
            plan(lead, rep)
        batch = give(*leads, to=colleague)
        with CaptureQueriesContext(connection) as captured:
            done = transfer_undo.undo(by=admin, batch_id=batch.pk)
        assert len(done.moves) == done.follow_up_count == many
        counts.append(len(captured))
    assert counts[0] == counts[1] <= 25


def test_a_chain_is_undone_from_its_end_to_its_beginning(admin, rep, colleague, stranger, make_lead, plan, give):
    lead = make_lead(assigned_to=rep)
    task = plan(lead, rep)
    first = give(lead, to=colleague)
    second = give(lead, to=stranger)
    assert transfer_undo.plan_undo(batch=first).skipped == [(lead.pk, "moved_since")]
    undo_of_second = transfer_undo.undo(by=admin, batch_id=second.pk).batch
    assert transfer_undo.plan_undo(batch=first).lead_ids == [lead.pk]
    undo_of_first = transfer_undo.undo(by=admin, batch_id=first.pk).batch
    assert (owner(lead), assignee(task)) == (rep, rep)
    redo_of_first = transfer_undo.undo(by=admin, batch_id=undo_of_first.pk).batch
    assert (owner(lead), assignee(task)) == (colleague, colleague)
    transfer_undo.undo(by=admin, batch_id=undo_of_second.pk)
    assert (owner(lead), assignee(task)) == (stranger, stranger)
    assert transfer_undo.plan_undo(batch=redo_of_first).skipped == [(lead.pk, "moved_since")]


def test_a_lead_given_back_by_hand_has_moved_since(admin, rep, colleague, stranger, make_lead, give):
    lead = make_lead(assigned_to=rep)
    first = give(lead, to=colleague)
    give(lead, to=stranger)
    give(lead, to=colleague)
    assert transfer_undo.undo(by=admin, batch_id=first.pk).skipped == [(lead.pk, "moved_since")]


# For a time


def test_undoing_the_undo_gives_the_leads_away_for_the_same_time(admin, rep, colleague, make_lead, give):
    lead, last_day = make_lead(assigned_to=rep), company_today() + timedelta(days=3)
    batch = give(lead, to=colleague, until=last_day)
    undo = transfer_undo.undo(by=admin, batch_id=batch.pk).batch
    redo = transfer_undo.undo(by=admin, batch_id=undo.pk).batch
    undo_again = transfer_undo.undo(by=admin, batch_id=redo.pk).batch
    last = transfer_undo.undo(by=admin, batch_id=undo_again.pk).batch
    assert [each.until for each in (undo, redo, undo_again, last)] == [None, last_day, None, last_day]
    TransferBatch.objects.filter(pk=last.pk).update(until=company_today() - timedelta(days=1))
    assert (owner(lead), transfer_undo.return_due_batches(), owner(lead)) == (colleague, 1, rep)


def test_leads_that_were_returned_and_given_away_again_stay(admin, rep, colleague, make_lead, over):
    lead = make_lead(assigned_to=rep)
    batch = over(lead, to=colleague)
    transfer_undo.return_due_batches()
    redo = transfer_undo.undo(by=admin, batch_id=batch.undone_by.pk).batch
    assert (redo.until, transfer_undo.return_due_batches(), owner(lead)) == (None, 0, colleague)


def test_a_lead_that_moved_on_and_came_back_is_given_back(admin, rep, colleague, stranger, make_lead, give, over):
    lead, kept = make_lead(assigned_to=rep), make_lead(assigned_to=rep)
    over(lead, kept, to=colleague)
    onward = give(lead, to=stranger)
    transfer_undo.undo(by=admin, batch_id=onward.pk)
    assert (transfer_undo.return_due_batches(), owner(lead), owner(kept)) == (1, rep, rep)


@pytest.fixture
def over(give):
    """A batch whose last day was yesterday."""

    def make(*leads, to, **options):
        batch = give(*leads, to=to, until=company_today(), **options)
        TransferBatch.objects.filter(pk=batch.pk).update(until=company_today() - timedelta(days=1))
        return batch

    return make


def test_a_temporary_transfer_is_returned_once(rep, colleague, make_lead, plan, over):
    lead, closed = make_lead(assigned_to=rep), make_lead(assigned_to=rep)
    task = plan(lead, rep)
    batch = over(lead, closed, to=colleague, reason="Leave")
    Lead.objects.filter(pk=closed.pk).update(status="won")
    assert (transfer_undo.return_due_batches(), transfer_undo.return_due_batches()) == (1, 0)
    assert (owner(lead), owner(closed), assignee(task)) == (rep, colleague, rep)
    batch.refresh_from_db()
    back = TransferBatch.objects.get(undoes=batch)
    assert (back.by, back.until, batch.returned_at is not None) == (None, None, True)
    yesterday = company_today() - timedelta(days=1)
    assert back.reason == f"Returned: the transfer was until {yesterday:%a %-d %b %Y}"
    assert LeadTransfer.objects.get(batch=back).transferred_by is None
    assert Notification.objects.get(recipient=rep, kind="leads_received").context["by_name"] == "Athena"


def test_a_temporary_transfer_includes_its_last_day(rep, colleague, make_lead, give):
    lead = make_lead(assigned_to=rep)
    give(lead, to=colleague, until=company_today())
    assert (transfer_undo.return_due_batches(), owner(lead)) == (0, colleague)


def test_leads_that_have_moved_since_or_were_undone_are_not_returned(
    admin, rep, colleague, stranger, make_lead, give, over
):
    moved, undone = make_lead(assigned_to=rep), make_lead(assigned_to=rep)
    over(moved, to=colleague)
    give(moved, to=stranger)
    second = over(undone, to=colleague)
    transfer_undo.undo(by=admin, batch_id=second.pk)
    give(undone, to=stranger)
    count = LeadTransfer.objects.count()
    assert (transfer_undo.return_due_batches(), owner(moved), owner(undone)) == (1, stranger, stranger)
    assert LeadTransfer.objects.count() == count


def test_leads_of_an_inactive_owner_stay_and_the_managers_are_notified(
    admin, manager, rep, colleague, leaver, make_lead, over
):
    lead = make_lead(assigned_to=rep, company_name="Harbor Choir")
    batch = over(lead, to=colleague)
    User.objects.filter(pk=rep.pk).update(is_active=False)
    Notification.objects.all().delete()
    assert (transfer_undo.return_due_batches(), transfer_undo.return_due_batches(), owner(lead)) == (1, 0, colleague)
    notification = Notification.objects.get()
    assert (notification.recipient, notification.kind, notification.dedupe_key) == (
        manager, "leads_not_returned", f"not_returned:{batch.pk}:{manager.pk}",
    )  # fmt: skip
    assert (notification.context["count"], notification.context["leads"]) == (
        1,
        [{"id": lead.pk, "name": "Harbor Choir"}],
    )
