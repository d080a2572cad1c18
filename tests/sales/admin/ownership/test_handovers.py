"""Deactivating a user in the admin: not while anything waits for them, except on the handover page."""

import re

import pytest
from django.urls import reverse

from sales.models import AssignmentRule, FollowUp, Lead
from tests.rights.forms import untouched


def read_text(response, status=200):
    assert response.status_code == status
    return " ".join(re.sub(r"<[^>]+>", " ", response.content.decode()).split())


@pytest.fixture
def change_url(rep):
    return reverse("admin:accounts_user_change", args=[rep.pk])


@pytest.fixture
def handover_url(rep):
    return reverse("admin:accounts_user_handover", args=[rep.pk])


def deactivate(client, url):
    data = untouched(client.get(url).content.decode())
    data.pop("is_active")
    return client.post(url, data)


@pytest.fixture
def waiting_work(request, rep, colleague, make_lead):
    """Something that waits for Maria: a lead, a follow-up on another's lead, or a rule."""
    if request.param == "lead":
        return make_lead(assigned_to=rep)
    if request.param == "rule":
        return AssignmentRule.objects.create(rule_name="All", position=1, to_user=rep)
    lead = make_lead(assigned_to=colleague)
    return FollowUp.objects.create(lead=lead, assigned_to=rep, follow_up_type="call", scheduled_date="2099-01-05")


@pytest.mark.parametrize("waiting_work", ["lead", "follow-up", "rule"], indirect=True)
def test_a_user_with_waiting_work_is_not_deactivated(browse, admin, rep, waiting_work, change_url, handover_url):
    response = deactivate(browse(admin), change_url)

    assert "This user still has open leads, follow-ups or assignment rules." in read_text(response)
    assert f'href="{handover_url}"' in response.content.decode()
    rep.refresh_from_db()
    assert rep.is_active


def test_a_user_without_waiting_work_is_deactivated(browse, admin, rep, make_lead, change_url):
    make_lead(assigned_to=rep, status="won")  # a closed lead does not wait

    response = deactivate(browse(admin), change_url)

    assert response.status_code == 302
    rep.refresh_from_db()
    assert not rep.is_active
    assert rep.login_epoch == 1


class TestHandoverPage:
    @pytest.fixture
    def leads(self, rep, make_lead):
        """Maria's two open leads; besides, she has a closed one and an assignment rule."""
        make_lead(assigned_to=rep, status="won")
        AssignmentRule.objects.create(rule_name="Big groups", position=1, to_user=rep)
        return [make_lead(assigned_to=rep, company_name=f"Band {number}") for number in range(2)]

    @pytest.fixture
    def form(self, colleague, stranger):
        return {"receivers": [colleague.pk, stranger.pk], "way": "in_turn", "reason": ""}

    def test_the_users_page_leads_to_it(self, browse, admin, change_url, handover_url):
        assert f'href="{handover_url}"' in browse(admin).get(change_url).content.decode()

    @pytest.mark.parametrize(
        "text", ["2 open leads", "1 assignment rule names them", "1 closed lead, which stays theirs"]
    )
    def test_it_shows_what_waits(self, browse, admin, leads, handover_url, text):
        assert text in read_text(browse(admin).get(handover_url))

    def test_the_leaver_is_not_among_the_receivers(self, browse, admin, colleague, leads, handover_url):
        page = read_text(browse(admin).get(handover_url))

        assert "Tom · Charter desk" in page
        assert "Maria · Charter desk" not in page

    def test_a_receiver_is_required(self, browse, admin, leads, handover_url):
        response = browse(admin).post(handover_url, {"step": "preview", "way": "in_turn"})

        assert response.context["form"].errors == {"receivers": ["This field is required."]}

    def test_the_preview_moves_nothing(self, browse, admin, rep, leads, form, handover_url):
        response = browse(admin).post(handover_url, {**form, "step": "preview"})

        assert "1 assignment rule will name Tom: Big groups" in read_text(response)
        assert Lead.objects.filter(assigned_to=rep).count() == 3

    def test_what_has_changed_since_the_preview_is_shown_again(
        self, browse, admin, rep, leads, form, make_lead, handover_url
    ):
        preview = browse(admin).post(handover_url, {**form, "step": "preview"})
        make_lead(assigned_to=rep)

        response = browse(admin).post(
            handover_url, {**form, "step": "confirm", "expected": preview.context["handover"].fingerprint}
        )

        assert "The plan has changed since you looked at it." in read_text(response)
        assert Lead.objects.open().filter(assigned_to=rep).count() == 3

    def test_confirming_hands_over_and_deactivates(
        self, browse, admin, rep, colleague, stranger, leads, form, handover_url
    ):
        preview = browse(admin).post(handover_url, {**form, "step": "preview"})

        response = browse(admin).post(
            handover_url,
            {**form, "step": "confirm", "expected": preview.context["handover"].fingerprint},
            follow=True,
        )

        assert "Maria has been deactivated. Handed over: 2 leads and 0 follow-ups." in read_text(response)
        rep.refresh_from_db()
        assert not rep.is_active
        assert not Lead.objects.open().filter(assigned_to=rep).exists()
        assert {Lead.objects.get(pk=lead.pk).assigned_to for lead in leads} == {colleague, stranger}
        assert browse(admin).get(handover_url).status_code == 404

    @pytest.mark.parametrize("method", ["get", "post"])
    @pytest.mark.parametrize("who", ["manager", "rep"])
    def test_it_is_for_administrators(self, browse, manager, rep, handover_url, who, method):
        client = browse({"manager": manager, "rep": rep}[who])

        assert getattr(client, method)(handover_url).status_code == 403
