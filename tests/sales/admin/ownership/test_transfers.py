"""Reassigning in the admin: choose, look, confirm; and the page of batches with the way back."""

import re

import pytest
from django.urls import reverse

from athena.accounts.models import User
from sales.models import FollowUp, Lead, LeadTransfer, TransferBatch
from sales.services.ownership import transfers

LEADS = reverse("admin:sales_lead_changelist")
BATCHES = reverse("admin:sales_transferbatch_changelist")


def text(answer, status=200):
    assert answer.status_code == status
    return " ".join(re.sub(r"<[^>]+>", " ", answer.content.decode()).split())


@pytest.fixture
def ask(browse):
    """Sends the reassigning form as the page would: the selection, what was filled in, and what was looked at."""

    def send(user, leads, step=None, seen=None, query="", **filled):
        data = {"action": "reassign_selected", "_selected_action": [lead.pk for lead in leads]}
        if step:
            data |= {"step": step, "reason": "Holiday", "notes": "", "until": "", "way": "in_turn", **filled}
        if seen is not None:
            data["expected"] = seen.context["plan"].fingerprint
        return browse(user).post(LEADS + query, data, follow=step == "confirm")

    return send


def test_leads_are_reassigned_after_a_preview(ask, manager, rep, colleague, make_lead):
    mine = [make_lead(assigned_to=rep, company_name=f"Band {n}", estimated_value=1000) for n in range(3)]
    FollowUp.objects.create(lead=mine[0], assigned_to=rep, follow_up_type="call", scheduled_date="2099-01-05")
    already = make_lead(assigned_to=colleague, company_name="Already there")
    chosen = [*mine, already]
    assert "4 leads selected" in text(ask(manager, chosen))
    to = {"receivers": [colleague.pk]}
    missing = ask(manager, chosen, "preview", **to | {"reason": ""})
    assert missing.context["form"].errors == {"reason": ["This field is required."]}
    preview = ask(manager, chosen, "preview", **to)
    page = text(preview)
    for shown in (
        "3 leads go to Tom", "1 open follow-up moves with them", "1 lead stays as it is",
        "Tom 3 $3,000", "New 3 $3,000",
        "Band 0 Maria Tom", "1 already theirs", "Already there already theirs",
    ):  # fmt: skip
        assert shown in page
    assert LeadTransfer.objects.count() == 0
    done = ask(manager, chosen, "confirm", seen=preview, **to)
    assert "3 leads given to Tom, with 1 open follow-up. 1 lead stays as it is." in text(done)
    batch = TransferBatch.objects.get()
    assert f'<a href="{reverse("admin:sales_transferbatch_change", args=[batch.pk])}">' in done.content.decode()
    assert (set(Lead.objects.filter(assigned_to=colleague)), batch.reason) == ({*mine, already}, "Holiday")


def test_a_temporary_transfer_to_several_people(ask, manager, rep, colleague, stranger, make_lead):
    leads = [make_lead(assigned_to=rep) for _ in range(3)]
    to = {"receivers": [colleague.pk, stranger.pk], "until": "2099-01-05"}
    preview = ask(manager, leads, "preview", **to)
    assert "3 leads go to 2 people" in text(preview)
    done = ask(manager, leads, "confirm", seen=preview, **to)
    assert "3 leads given to several people (2 to Tom, 1 to Otto), with 0 open follow-ups." in text(done)
    assert str(TransferBatch.objects.get().until) == "2099-01-05"
    past = ask(manager, leads, "preview", **to | {"until": "2020-01-05"})
    assert past.context["form"].errors == {"until": ["This date is in the past."]}


def test_a_whole_filtered_list_is_reassigned_by_its_filter(ask, browse, manager, rep, colleague, make_lead):
    theirs = [make_lead(assigned_to=rep) for _ in range(60)]
    other = make_lead(assigned_to=manager)
    query, to = f"?owner={rep.pk}", {"receivers": [colleague.pk], "select_across": "1"}
    preview = ask(manager, theirs[:1], "preview", query=query, **to)
    page = preview.content.decode()
    assert (len(preview.context["plan"].moves), page.count('name="_selected_action"')) == (60, 1)
    assert "60 leads selected" in page
    ask(manager, theirs[:1], "confirm", seen=preview, query=query, **to)
    assert Lead.objects.filter(assigned_to=colleague).count() == 60
    other.refresh_from_db()
    assert other.assigned_to == manager


def test_a_plan_that_has_changed_is_shown_again(ask, manager, rep, colleague, make_lead):
    leads = [make_lead(assigned_to=rep) for _ in range(2)]
    to = {"receivers": [colleague.pk]}
    preview = ask(manager, leads, "preview", **to)
    transfers.transfer(by=manager, leads=Lead.objects.filter(pk=leads[0].pk), to_user_id=manager.pk)
    again = ask(manager, leads, "confirm", seen=preview, **to)
    assert "has changed since you looked at it" in text(again)
    assert (LeadTransfer.objects.count(), again.context["plan"].lead_ids) == (1, [lead.pk for lead in leads])
    unseen = ask(manager, leads, "confirm", **to)  # nobody looked
    assert ("has changed since" in text(unseen), LeadTransfer.objects.count()) == (True, 1)
    ask(manager, leads, "confirm", seen=again, **to)
    assert LeadTransfer.objects.count() == 3


def test_the_form_shows_the_open_leads_of_the_receivers(ask, manager, rep, colleague, make_lead):
    User.objects.filter(pk=colleague.pk).update(max_open_leads=5, away_until="2099-01-05")
    lead = make_lead(assigned_to=rep)
    page = text(ask(manager, [lead]))
    assert "Maria · Charter desk · 1 open" in page
    assert "Tom · Charter desk · 0 open of at most 5 · away until Mon 5 Jan 2099" in page


def test_leads_that_nobody_has_room_for_stay(ask, manager, rep, colleague, make_lead):
    User.objects.filter(pk=colleague.pk).update(max_open_leads=0)
    page = ask(manager, [make_lead(assigned_to=rep)], "preview", receivers=[colleague.pk])
    assert "1 every receiver is at their limit of open leads" in text(page)
    assert 'value="confirm"' not in page.content.decode()


def test_reassigning_is_for_managers(ask, rep, colleague, make_lead):
    ask(rep, [make_lead(assigned_to=rep)], "confirm", receivers=[colleague.pk])
    assert LeadTransfer.objects.count() == 0


def give(by, to, *leads, **options):
    these = Lead.objects.filter(pk__in=[lead.pk for lead in leads])
    return transfers.transfer(by=by, leads=these, to_user_id=to.pk, **options).batch


def test_a_batch_shows_what_undoing_does_and_undoes_it(browse, manager, rep, colleague, make_lead):
    lead, moved = make_lead(assigned_to=rep, company_name="Band"), make_lead(assigned_to=rep, company_name="Choir")
    batch = give(manager, colleague, lead, moved, reason="Holiday")
    give(manager, manager, moved)
    url = reverse("admin:sales_transferbatch_change", args=[batch.pk])
    page = text(browse(manager).get(url))
    for shown in ("Band Maria Tom goes back to Maria", "Choir Maria Tom stays: transferred since",
                  "Undo: give back 1 lead", "1 lead stays as it is"):  # fmt: skip
        assert shown in page
    done = browse(manager).post(reverse("admin:sales_transferbatch_undo", args=[batch.pk]), follow=True)
    assert "1 lead given to Maria, with 0 open follow-ups. 1 lead stays as it is." in text(done)
    assert "Undo: give back" not in text(done)
    lead.refresh_from_db()
    assert lead.assigned_to == rep
    again = browse(manager).post(reverse("admin:sales_transferbatch_undo", args=[batch.pk]), follow=True)
    assert "This transfer was already undone." in text(again)
    back = TransferBatch.objects.get(undoes=batch)
    listed = text(browse(manager).get(BATCHES))
    assert f"Undone by batch {back.pk}" in listed
    assert f"Undoes batch {batch.pk}" in listed


def test_only_the_author_or_an_admin_undoes(browse, admin, manager, make_user, desk, rep, colleague, make_lead):
    other = make_user("grace", "manager", desk)
    batch = give(manager, colleague, make_lead(assigned_to=rep))
    url = reverse("admin:sales_transferbatch_undo", args=[batch.pk])
    page = browse(other).get(reverse("admin:sales_transferbatch_change", args=[batch.pk]))
    assert "Undo: give back" not in page.content.decode()
    refused = browse(other).post(url, follow=True)
    assert "Only the person who made a transfer or an administrator may undo it." in text(refused)
    assert (browse(rep).post(url).status_code, browse(manager).get(url).status_code) == (403, 405)
    assert TransferBatch.objects.count() == 1
    browse(admin).post(url)
    assert TransferBatch.objects.count() == 2


def test_an_author_finds_the_batch_whose_leads_they_no_longer_see(browse, manager, rep, stranger, make_lead):
    lead = make_lead(assigned_to=rep, company_name="Harbor Choir")
    batch = give(manager, stranger, lead)
    page = text(browse(manager).get(reverse("admin:sales_transferbatch_change", args=[batch.pk])))
    assert "0 leads that you can see" in page
    assert ("Harbor Choir" in page, "Undo: give back 1 lead" in page) == (False, True)


def test_the_message_says_that_a_lead_went_back_to_nobody(browse, manager, rep, make_lead):
    lead = make_lead()
    batch = transfers.transfer(by=manager, leads=Lead.objects.filter(pk=lead.pk), receivers=[rep.pk], reason="x").batch
    answer = browse(manager).post(reverse("admin:sales_transferbatch_undo", args=[batch.pk]), follow=True)
    page = answer.content.decode()
    assert ("1 lead given to nobody" in page, "given to None" in page) == (True, False)
