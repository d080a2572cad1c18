"""Deactivating somebody: not while anything waits for them, but on the handover page."""

import re

import pytest
from django.urls import reverse

from sales.models import AssignmentRule, FollowUp, Lead
from tests.rights.forms import untouched


def text(answer, status=200):
    assert answer.status_code == status
    return " ".join(re.sub(r"<[^>]+>", " ", answer.content.decode()).split())


@pytest.fixture
def urls(rep):
    return (
        reverse("admin:accounts_user_change", args=[rep.pk]),
        reverse("admin:accounts_user_handover", args=[rep.pk]),
    )


def deactivate(client, url):
    data = untouched(client.get(url).content.decode())
    data.pop("is_active")
    return client.post(url, data)


def test_a_user_for_whom_something_waits_is_not_deactivated(browse, admin, rep, colleague, make_lead, urls):
    client, (change, handover) = browse(admin), urls
    lead = make_lead(assigned_to=colleague)
    waiting = (
        lambda: make_lead(assigned_to=rep),
        lambda: FollowUp.objects.create(
            lead=lead, assigned_to=rep, follow_up_type="call", scheduled_date="2099-01-05"
        ),
        lambda: AssignmentRule.objects.create(rule_name="All", position=1, to_user=rep),
    )  # fmt: skip
    make_lead(assigned_to=rep, status="won")  # this one does not wait
    for make in waiting:
        row = make()
        refused = deactivate(client, change)
        assert "This user still has open leads, follow-ups or assignment rules." in text(refused)
        assert f'href="{handover}"' in refused.content.decode()
        rep.refresh_from_db()
        assert rep.is_active
        row.delete()
    assert deactivate(client, change).status_code == 302
    rep.refresh_from_db()
    assert (rep.is_active, rep.login_epoch) == (False, 1)


def test_choose_preview_confirm(browse, admin, rep, colleague, stranger, make_lead, urls):
    client, (change, handover) = browse(admin), urls
    leads = [make_lead(assigned_to=rep, company_name=f"Band {n}") for n in range(2)]
    make_lead(assigned_to=rep, status="won")
    AssignmentRule.objects.create(rule_name="Big groups", position=1, to_user=rep)
    assert f'href="{handover}"' in client.get(change).content.decode()
    page = text(client.get(handover))
    for shown in ("2 open leads", "1 assignment rule names them", "1 closed lead, which stays theirs"):
        assert shown in page
    assert "Maria · Charter desk" not in page  # nobody hands over to themselves
    nobody = client.post(handover, {"step": "preview", "way": "in_turn"})
    assert nobody.context["form"].errors == {"receivers": ["This field is required."]}
    chosen = {"receivers": [colleague.pk, stranger.pk], "way": "in_turn", "reason": ""}
    preview = client.post(handover, {**chosen, "step": "preview"})
    assert "1 assignment rule will name Tom: Big groups" in text(preview)
    assert Lead.objects.filter(assigned_to=rep).count() == 3
    confirm = {**chosen, "step": "confirm", "expected": preview.context["handover"].fingerprint}
    make_lead(assigned_to=rep)
    again = client.post(handover, confirm)
    assert "has changed since you looked at it" in text(again)
    confirm["expected"] = again.context["handover"].fingerprint
    done = client.post(handover, confirm, follow=True)
    assert "Maria has been deactivated. Handed over: 3 leads and 0 follow-ups." in text(done)
    rep.refresh_from_db()
    assert (rep.is_active, Lead.objects.open().filter(assigned_to=rep).exists()) == (False, False)
    assert {Lead.objects.get(pk=lead.pk).assigned_to for lead in leads} == {colleague, stranger}
    assert client.get(handover).status_code == 404


def test_handing_over_is_for_administrators(browse, manager, rep, urls):
    for user in (manager, rep):
        assert browse(user).get(urls[1]).status_code == browse(user).post(urls[1]).status_code == 403
