"""Random transfers, undoings and undoings of undoings of several leads, against a model."""

from datetime import timedelta
from itertools import pairwise
from random import Random

import pytest

from sales import errors
from sales.models import FollowUp, Lead, LeadTransfer
from sales.schedule import company_today
from sales.services.ownership import transfer_undo, transfers


class Model:
    """Who owns each lead and has each follow-up, and what each batch did: from whom, and whose the follow-ups were."""

    def __init__(self, leads, follow_ups):
        self.owner = {lead.pk: lead.assigned_to_id for lead in leads}
        self.assignee = {task.pk: task.assigned_to_id for task in follow_ups}
        self.lead_of = {task.pk: task.lead_id for task in follow_ups}
        self.batches_of = {lead.pk: [] for lead in leads}
        self.moved, self.undoes, self.until = {}, {}, {}

    def can_return(self, batch):
        """The leads of which nothing is left of what was done since."""
        return sorted(lead for lead in self.moved[batch] if not self.left_of(lead, batch))

    def left_of(self, lead, batch):
        """Its batches since; one and, right after it, the undoing of it cancel each other, again and again."""
        later = self.batches_of[lead][self.batches_of[lead].index(batch) + 1 :]
        while pairs := [n for n in range(len(later) - 1) if self.undoes[later[n + 1]] == later[n]]:
            del later[pairs[0] : pairs[0] + 2]
        return later

    def move(self, batch, lead, to, whose=None):
        """Its owner's follow-ups (all, where it has none) go along: to the new owner, or back to whose they were."""
        had = {}
        for task, assignee in self.assignee.items():
            if self.lead_of[task] == lead and self.owner[lead] in (None, assignee):
                goes_to = (whose or {}).get(task, to)
                if goes_to not in (None, assignee):
                    had[task], self.assignee[task] = assignee, goes_to
        self.moved.setdefault(batch, {})[lead] = (self.owner[lead], had)
        self.owner[lead] = to
        self.batches_of[lead].append(batch)


@pytest.mark.parametrize("seed", range(6))
def test_chains(admin, manager, rep, colleague, stranger, make_lead, seed):
    random, people = Random(seed), [rep, colleague, stranger, manager]
    leads = [make_lead(assigned_to=random.choice([*people, None])) for _ in range(2)]
    plan = {"follow_up_type": "call", "scheduled_date": "2099-01-05"}
    tasks = [FollowUp(lead=lead, assigned_to=who, **plan) for lead in leads for who in random.sample(people, 2)]
    model = Model(leads, FollowUp.objects.bulk_create(tasks))
    for _ in range(40):
        if not model.moved or random.random() < 0.4:
            give(model, admin, random.sample(leads, random.randint(1, 2)), random.choice(people), random)
        else:
            undo(model, admin, random.choice(list(model.moved)[-6:]))
        assert dict(Lead.objects.values_list("pk", "assigned_to")) == model.owner
        assert dict(FollowUp.objects.values_list("pk", "assigned_to")) == model.assignee
    for lead in leads:
        ends = list(LeadTransfer.objects.filter(lead=lead).order_by("pk").values_list("from_user", "to_user"))
        assert all(before[1] == after[0] for before, after in pairwise(ends))


def give(model, by, leads, to, random):
    until = random.choice([None, company_today() + timedelta(days=3)])
    these = Lead.objects.filter(pk__in=[lead.pk for lead in leads])
    going = sorted(lead.pk for lead in leads if model.owner[lead.pk] != to.pk)
    done = transfers.transfer(by=by, leads=these, to_user_id=to.pk, until=until)
    assert done.lead_ids == going
    for lead in going:
        model.move(done.batch.pk, lead, to.pk)
        model.undoes[done.batch.pk], model.until[done.batch.pk] = None, until


def undo(model, by, batch):
    if batch in model.undoes.values():
        with pytest.raises(errors.AlreadyUndone):
            transfer_undo.undo(by=by, batch_id=batch)
        return
    going = model.can_return(batch)
    done = transfer_undo.undo(by=by, batch_id=batch)
    assert done.lead_ids == going
    assert sorted(done.lead_ids + [lead for lead, _ in done.skipped]) == sorted(model.moved[batch])
    for lead in going:
        was, had = model.moved[batch][lead]
        model.move(done.batch.pk, lead, was, had)
    if going:
        key = done.batch.pk
        model.undoes[key], model.until[key] = batch, model.until.get(model.undoes[batch])
        assert done.batch.until == model.until[key]
