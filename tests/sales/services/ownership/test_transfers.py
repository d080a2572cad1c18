"""Moving leads to another owner, whole."""

from datetime import date, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from athena.accounts.models import User, local_today
from notifications.models import Notification
from sales import errors
from sales.models import (
    Activity,
    FollowUp,
    Lead,
    LeadScoringRule,
    LeadTransfer,
    ScoringRun,
    TransferBatch,
    Turn,
)  # fmt: skip
from sales.schedule import company_today
from sales.scoring.fields import FIELDS
from sales.scoring.value_sources import LeadSelection
from sales.services.ownership import transfer_writes, transfers


@pytest.fixture
def plan(rep):
    def make(lead, who, days=1, **fields):
        day = local_today(rep) + timedelta(days=days)
        return FollowUp.objects.create(
            lead=lead, follow_up_type="call", scheduled_date=day, assigned_to=who, due_at=timezone.now(), **fields
        )

    return make


def select_leads(*leads):
    return Lead.objects.filter(pk__in=[lead.pk for lead in leads])


def test_one_lead_moves_with_everything_that_belongs_to_it(rep, colleague, make_lead, plan):
    lead = make_lead(assigned_to=rep)
    mine, theirs = plan(lead, rep, reminder_sent=True), plan(lead, colleague)
    done_before = plan(lead, rep, -3, completed=True, completed_at=timezone.now(), outcome="successful")
    done = transfers.transfer(
        by=rep, leads=select_leads(lead), to_user_id=colleague.pk, reason="Holiday", notes="Call soon"
    )

    for row in (lead, mine, theirs, done_before):
        row.refresh_from_db()
    assert (lead.assigned_to, lead.version) == (colleague, 2)
    assert (mine.assigned_to, mine.reminder_sent, mine.reminder_no, mine.version) == (colleague, False, 2, 2)
    assert (mine.due_at.hour, mine.remind_at.hour) == (9, 8)
    assert (theirs.reminder_no, done_before.assigned_to) == (1, rep)
    assert lead.next_follow_up_date == min(mine.due_at, theirs.due_at)
    assert (done.lead_ids, done.follow_up_count, done.skipped) == ([lead.pk], 1, [])
    transfer = LeadTransfer.objects.get()
    assert (transfer.from_user, transfer.to_user, transfer.transferred_by) == (rep, colleague, rep)
    assert (transfer.transfer_reason, transfer.notes, transfer.batch) == ("Holiday", "Call soon", done.batch)
    activity = Activity.objects.get()
    assert (activity.activity_type, activity.description) == ("transfer", "Lead transferred from Maria to Tom")
    assert (activity.notes, activity.user, activity.data) == ("Holiday", rep, {})
    notification = Notification.objects.get()  # the one who gave it away knows
    assert (notification.recipient, notification.kind, notification.context["count"]) == (
        colleague,
        "leads_received",
        1,
    )


def test_an_unowned_lead_moves_with_all_its_open_follow_ups(manager, rep, colleague, make_lead, plan):
    lead = make_lead()
    plan(lead, colleague), plan(lead, manager)
    transfers.transfer(by=manager, leads=select_leads(lead), to_user_id=rep.pk)
    assert set(FollowUp.objects.values_list("assigned_to", flat=True)) == {rep.pk}
    assert LeadTransfer.objects.get().from_user is None
    assert Activity.objects.get().description == "Lead transferred from nobody to Maria"


def test_both_sides_are_notified_once_a_batch(admin, rep, colleague, manager, leaver, make_lead):
    leads = [make_lead(assigned_to=who) for who in (rep, rep, colleague, leaver, None)]
    done = transfers.transfer(by=admin, leads=select_leads(*leads), to_user_id=manager.pk, reason="New desk")
    notifications = {
        (row.recipient, row.kind, row.context["count"], len(row.context["leads"])) for row in Notification.objects.all()
    }
    assert notifications == {
        (manager, "leads_received", 5, 5), (rep, "leads_transferred", 2, 2), (colleague, "leads_transferred", 1, 1),
    }  # fmt: skip
    assert Notification.objects.get(recipient=rep).dedupe_key == f"transferred:{done.batch.pk}:{rep.pk}"


def test_who_may_give_which_lead_to_whom(rep, colleague, stranger, manager, admin, leaver, make_lead):
    own, teams, foreign = (make_lead(assigned_to=who) for who in (rep, colleague, stranger))

    def give(by, lead, to):
        return transfers.plan(by=by, leads=select_leads(lead), to_user_id=to.pk)

    assert give(rep, own, colleague).lead_ids == [own.pk]
    assert give(manager, teams, stranger).lead_ids == [teams.pk]
    assert give(admin, foreign, rep).lead_ids == [foreign.pk]
    assert give(rep, teams, rep).skipped == [(teams.pk, "not_your_lead")]
    assert give(manager, foreign, rep) == transfers.TransferPlan([], [])
    assert give(rep, own, rep).skipped == [(own.pk, "already_owner")]
    with pytest.raises(errors.ReceiverNotAllowed):
        give(rep, own, stranger)
    with pytest.raises(errors.Invalid) as refused:
        give(admin, own, leaver)
    assert list(refused.value.fields) == ["to_user_id"]
    with pytest.raises(errors.NotFound):
        transfers.plan(by=admin, leads=select_leads(own), to_user_id=9999)


def test_an_archived_lead_stays(admin, rep, make_lead):
    lead = make_lead(archived_at=timezone.now())
    assert transfers.transfer(by=admin, leads=select_leads(lead), to_user_id=rep.pk).moves == []


def test_nothing_to_move_writes_nothing(admin, rep, make_lead):
    done = transfers.transfer(by=admin, leads=select_leads(make_lead(assigned_to=rep)), to_user_id=rep.pk)
    assert (done.batch, TransferBatch.objects.count(), Notification.objects.count()) == (None, 0, 0)


def test_the_plan_is_what_happens(admin, rep, colleague, make_lead, plan):
    leads = [make_lead(assigned_to=who) for who in (rep, colleague, None)]
    plan(leads[0], rep), plan(leads[2], colleague)
    planned = transfers.plan(by=admin, leads=select_leads(*leads), to_user_id=colleague.pk)
    assert (LeadTransfer.objects.count(), planned.follow_up_count) == (0, 1)
    done = transfers.transfer(by=admin, leads=select_leads(*leads), to_user_id=colleague.pk)
    assert done.fingerprint == planned.fingerprint
    assert (done.moves, done.skipped, done.reassignments) == (planned.moves, planned.skipped, planned.reassignments)


@pytest.mark.parametrize("way", [None, "in_turn", "fewest_open"])
def test_statements_do_not_grow_with_the_leads(admin, rep, colleague, stranger, make_lead, plan, way):
    stranger.max_open_leads = 1000
    stranger.save()
    to = {"to_user_id": colleague.pk} if way is None else {"receivers": [colleague.pk, stranger.pk], "method": way}
    counts = []
    for many in (2, 300):
        leads = [make_lead(assigned_to=rep) for _ in range(many)]
        for lead in leads:
            plan(lead, rep)
        with CaptureQueriesContext(connection) as captured:
            done = transfers.transfer(by=admin, leads=select_leads(*leads), **to)
        assert len(done.moves) == done.follow_up_count == many
        counts.append(len(captured))
    assert counts[0] == counts[1] <= 25


def test_many_transfers_lead_from_one_owner_to_the_next(admin, rep, colleague, manager, make_lead, plan):
    lead = make_lead(assigned_to=rep)
    plan(lead, rep)
    for to in (colleague, manager, rep, colleague):
        transfers.transfer(by=admin, leads=select_leads(lead), to_user_id=to.pk)
    chain = list(LeadTransfer.objects.order_by("id").values_list("from_user", "to_user"))
    lead.refresh_from_db()
    assert [start for start, _ in chain[1:]] == [end for _, end in chain[:-1]]
    assert (chain[-1][1], lead.assigned_to, FollowUp.objects.get().assigned_to) == (colleague.pk, colleague, colleague)


def shared(done):
    return {total.user: total.lead_count for total in done.receiver_totals}


def test_in_turn_goes_on_from_batch_to_batch(admin, rep, colleague, stranger, make_lead):
    people = [stranger.pk, rep.pk, colleague.pk]
    first = transfers.transfer(by=admin, leads=select_leads(*(make_lead() for _ in range(4))), receivers=people)
    assert shared(first) == {rep: 2, colleague: 1, stranger: 1}
    assert [move.receiver for move in first.moves] == [rep, colleague, stranger, rep]
    one_by_one = [
        transfers.transfer(by=admin, leads=select_leads(make_lead()), receivers=people[::-1]).moves[0].receiver
        for _ in range(4)
    ]
    assert one_by_one == [colleague, stranger, rep, colleague]  # whoever comes first is not the first each time
    with_others = transfers.transfer(by=admin, leads=select_leads(make_lead()), receivers=[rep.pk, colleague.pk])
    assert with_others.moves[0].receiver == rep  # another group has a turn of its own


def test_a_plan_does_not_move_the_turn_on(admin, rep, colleague, make_lead):
    people = [rep.pk, colleague.pk]
    for _ in range(2):
        assert transfers.plan(by=admin, leads=select_leads(make_lead()), receivers=people).moves[0].receiver == rep
    assert Turn.objects.count() == 0


def test_fewest_open_counts_the_leads_of_the_batch(admin, rep, colleague, make_lead):
    for status in ("new", "quoted", "contacted", "won", "lost"):
        make_lead(assigned_to=rep, status=status, **({"lost_reason_id": "price"} if status == "lost" else {}))
    make_lead(assigned_to=rep, archived_at=timezone.now())
    make_lead(assigned_to=colleague)
    leads = select_leads(*(make_lead() for _ in range(6)))
    done = transfers.transfer(by=admin, leads=leads, receivers=[rep.pk, colleague.pk], method="fewest_open")
    assert shared(done) == {rep: 2, colleague: 4}  # three and one open ones before, five and five after


def test_nobody_gets_more_open_leads_than_their_limit(admin, rep, colleague, make_lead):
    User.objects.filter(pk=rep.pk).update(max_open_leads=2)
    User.objects.filter(pk=colleague.pk).update(max_open_leads=1)
    make_lead(assigned_to=rep)
    leads = [make_lead() for _ in range(4)]
    closed = make_lead(status="won")
    done = transfers.transfer(by=admin, leads=select_leads(*leads, closed), receivers=[rep.pk, colleague.pk])
    assert done.lead_ids == [leads[0].pk, leads[1].pk, closed.pk]  # a closed one takes no room
    assert done.skipped == [(leads[2].pk, "no_capacity"), (leads[3].pk, "no_capacity")]
    assert set(Lead.objects.filter(assigned_to=None)) == set(leads[2:])
    assert transfers.plan(by=admin, leads=select_leads(leads[3]), to_user_id=rep.pk).skipped == [
        (leads[3].pk, "no_capacity")
    ]


def test_a_receivers_own_lead_stays_with_them(admin, rep, colleague, make_lead):
    leads = [make_lead(assigned_to=rep), make_lead(assigned_to=colleague), make_lead()]
    done = transfers.transfer(by=admin, leads=select_leads(*leads), receivers=[rep.pk, colleague.pk])
    assert (done.lead_ids, done.skipped) == (
        [leads[2].pk], [(leads[0].pk, "already_owner"), (leads[1].pk, "already_owner")],
    )  # fmt: skip


def test_each_receiver_is_notified_of_their_own_leads(admin, rep, colleague, stranger, make_lead):
    leads = [make_lead(assigned_to=stranger, company_name=f"Band {n}") for n in range(3)]
    transfers.transfer(by=admin, leads=select_leads(*leads), receivers=[rep.pk, colleague.pk], until=date(2099, 1, 5))
    notifications = {row.recipient: row for row in Notification.objects.all()}
    assert {user: (row.kind, row.context["count"]) for user, row in notifications.items()} == {
        rep: ("leads_received", 2), colleague: ("leads_received", 1), stranger: ("leads_transferred", 3),
    }  # fmt: skip
    assert [lead["name"] for lead in notifications[rep].context["leads"]] == ["Band 0", "Band 2"]
    assert (notifications[stranger].context["to_name"], notifications[stranger].context["until"]) == (
        "Maria, Tom",
        "Mon 5 Jan 2099",
    )


def test_several_receivers_write_the_same_rows_as_one(admin, rep, colleague, stranger, make_lead, plan):
    leads = [make_lead(assigned_to=stranger) for _ in range(2)]
    tasks = [plan(lead, stranger) for lead in leads]
    done = transfers.transfer(by=admin, leads=select_leads(*leads), receivers=[rep.pk, colleague.pk], reason="New desk")
    for lead, task, to in zip(leads, tasks, (rep, colleague), strict=True):
        for row in (lead, task):
            row.refresh_from_db()
        assert (lead.assigned_to, task.assigned_to) == (to, to)
        transfer = LeadTransfer.objects.get(lead=lead)
        assert (transfer.from_user, transfer.to_user, transfer.batch) == (stranger, to, done.batch)
        assert Activity.objects.get(lead=lead).description == f"Lead transferred from Otto to {to}"


def test_a_plan_has_totals_by_status_and_receiver(admin, rep, colleague, make_lead):
    leads = [
        make_lead(status="new", estimated_value=1000), make_lead(status="quoted", estimated_value=500),
        make_lead(status="quoted"),
    ]  # fmt: skip
    planned = transfers.plan(by=admin, leads=select_leads(*leads), receivers=[rep.pk, colleague.pk])
    assert planned.status_totals == [("New", 1, 1000), ("Quoted", 2, 500)]
    assert [(total.user, total.lead_count, total.value) for total in planned.receiver_totals] == [
        (rep, 2, 1000), (colleague, 1, 500),
    ]  # fmt: skip


def test_another_plan_than_the_expected_one_is_not_carried_out(admin, rep, colleague, make_lead, plan):
    leads = [make_lead(assigned_to=rep) for _ in range(2)]
    chosen = {"by": admin, "leads": select_leads(*leads), "to_user_id": colleague.pk}
    seen = transfers.plan(**chosen).fingerprint
    plan(leads[0], rep)
    with pytest.raises(errors.StaleVersion):
        transfers.transfer(**chosen, expected=seen)
    assert LeadTransfer.objects.count() == 0
    assert len(transfers.transfer(**chosen, expected=transfers.plan(**chosen).fingerprint).moves) == 2


@pytest.mark.parametrize(("days", "fine"), [(-1, False), (0, True), (1, True)])
def test_until_must_not_be_in_the_past(admin, rep, make_lead, days, fine):
    chosen = {"by": admin, "leads": select_leads(make_lead()), "to_user_id": rep.pk}
    chosen["until"] = company_today() + timedelta(days=days)
    if fine:
        transfers.plan(**chosen)
        assert transfers.transfer(**chosen).batch.until == chosen["until"]
        return
    for verb in (transfers.plan, transfers.transfer):
        with pytest.raises(errors.Invalid) as refused:
            verb(**chosen)
        assert list(refused.value.fields) == ["until"]


def test_receivers_must_exist_be_active_and_be_allowed(admin, rep, colleague, stranger, leaver, make_lead):
    def give(by, *ids):
        return transfers.transfer(by=by, leads=select_leads(make_lead(assigned_to=rep)), receivers=ids)

    for ids, error in (((), errors.Invalid), ((colleague.pk, 9999), errors.NotFound)):
        with pytest.raises(error):
            give(admin, *ids)
    with pytest.raises(errors.Invalid) as refused:
        give(admin, colleague.pk, leaver.pk)
    assert refused.value.fields == {"receivers": "These users are not active: Gone."}
    with pytest.raises(errors.ReceiverNotAllowed):
        give(rep, colleague.pk, stranger.pk)
    assert LeadTransfer.objects.count() == 0
    assert len(give(rep, colleague.pk, colleague.pk).moves) == 1


def test_a_scoring_rule_that_counts_transfers_scores_the_leads_again(admin, rep, make_lead, monkeypatch):
    lead = make_lead()
    transfers.transfer(by=admin, leads=select_leads(lead), to_user_id=rep.pk)
    lead.refresh_from_db()
    assert lead.score == 0
    LeadScoringRule.objects.create(
        rule_name="Passed on", rule_type="activity", condition_field="transfer_count",
        condition_operator="at_least", condition_value="2", points=7,
    )  # fmt: skip
    transfers.transfer(by=rep, leads=select_leads(lead), to_user_id=rep.pk)  # nothing moves
    transfers.transfer(by=admin, leads=select_leads(lead), to_user_id=admin.pk)
    lead.refresh_from_db()
    assert (lead.score, ScoringRun.objects.count()) == (7, 0)
    monkeypatch.setattr(transfer_writes, "MAX_LEADS_RESCORED_AT_ONCE", 0)  # for many, a run
    transfers.transfer(by=admin, leads=select_leads(lead), to_user_id=rep.pk)
    assert ScoringRun.objects.get().state == "queued"


def test_no_other_scoring_field_depends_on_owners():
    scope = LeadSelection.from_ids([1], timezone.now())
    asked = [str(Lead.objects.values_list(field.source.value(scope, None)).query) for field in FIELDS.values()]
    assert [sql for sql in asked if "assigned_to" in sql] == []
    assert any("'transfer'" in sql or "transfer" in sql for sql in asked)
