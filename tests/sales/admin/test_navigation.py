"""Saving leads back to where one came from: a lead's page, a filtered list, a timeline; never anywhere else."""

from html import unescape
from urllib.parse import parse_qs, urlsplit

import pytest
from django.urls import reverse

from athena.accounts.models import local_today
from sales.models import Activity, Cadence, CadenceStep, FollowUp, Lead
from sales.services import activities, sources
from sales.services.follow_ups import cadences, follow_ups
from tests.rights.forms import untouched

LEADS, FOLLOW_UPS, ACTIVITIES = (f"/admin/sales/{name}/" for name in ("lead", "followup", "activity"))


@pytest.fixture
def client(browse, manager):
    return browse(manager)


@pytest.fixture
def lead(make_lead, manager):
    lead = make_lead(assigned_to=manager)
    activities.log(by=manager, lead_id=lead.pk, activity_type="note", notes="Wants wifi")
    follow_ups.create(by=manager, lead_id=lead.pk, follow_up_type="call", scheduled_date=local_today(manager))
    return lead


def page_of(lead, more=""):
    return reverse("admin:sales_lead_change", args=[lead.pk]) + more


def link(client, page, part):
    """The first link in the main part of this page whose address holds `part`."""
    content = client.get(page).content.decode().partition('id="content"')[2]
    links = [unescape(link.split('"')[0]) for link in content.split('href="')[1:]]
    address = next(link for link in links if part in link)
    return urlsplit(page).path + address if address.startswith("?") else address


def save(client, url, **values):
    """Fill in the page's form and send it to where a browser would."""
    page = client.get(url)
    assert page.status_code == 200, url
    return client.post(url, {**untouched(page.content.decode()), **values})


def log_a_call(client, lead, page):
    return save(client, link(client, page, "activity_type=call"), notes="Spoke")


def correct(client, lead, page):
    return save(client, link(client, page, f"{ACTIVITIES}{Activity.objects.first().pk}/change/"), notes="Spoke again")


def plan(client, lead, page):
    return save(client, link(client, page, f"{FOLLOW_UPS}add/"), follow_up_type="email", scheduled_date="2027-01-05")


def reschedule(client, lead, page):
    return save(
        client, link(client, page, f"{FOLLOW_UPS}{FollowUp.objects.get().pk}/change/"), scheduled_date="2027-01-05"
    )


def complete(client, lead, page):
    return save(client, link(client, page, "/complete/"), outcome="successful")


def snooze(client, lead, page):
    values = untouched(
        client.get(link(client, page, f"{FOLLOW_UPS}{FollowUp.objects.get().pk}/change/")).content.decode()
    )
    return client.post(f"{FOLLOW_UPS}{FollowUp.objects.get().pk}/snooze/", {**values, "minutes": "30"})


def cancel(client, lead, page):
    follow_up = link(client, page, f"{FOLLOW_UPS}{FollowUp.objects.get().pk}/change/")
    body = client.get(follow_up).content.decode()
    form = untouched(body[body.index('value="cancel_selected"') - 80 : body.index("Cancel follow-up")])
    confirmation = client.post(FOLLOW_UPS, form)
    return client.post(FOLLOW_UPS, {**untouched(confirmation.content.decode()), **form, "step": "confirm"})


def change(client, lead, page):
    return save(client, page_of(lead), notes="New")


FROM_A_LEAD = (log_a_call, correct, plan, reschedule, complete, snooze, cancel, change)


@pytest.mark.parametrize("act", FROM_A_LEAD)
def test_from_a_leads_page_it_is_that_page_with_a_message(client, lead, act):
    response = act(client, lead, page_of(lead))
    assert (response.status_code, response.get("Location")) == (302, page_of(lead)), act
    assert list(client.get(page_of(lead)).context["messages"])


@pytest.mark.parametrize("act", [log_a_call, reschedule, complete, cancel])
def test_the_leads_page_still_knows_the_list_that_it_was_opened_from(client, lead, act):
    listing = f"{LEADS}?status__exact=new&o=1"
    page = link(client, listing, f"{LEADS}{lead.pk}/change/")
    assert parse_qs(urlsplit(page).query)["next"] == [listing]
    assert act(client, lead, page)["Location"] == page
    Lead.objects.update(status="new")
    assert save(client, page, notes="Wants wifi")["Location"] == listing


@pytest.mark.parametrize(
    ("listing", "part", "values"),
    [
        (f"{LEADS}?status__exact=new", "lead/{lead}/change/", {"notes": "x"}),
        (f"{LEADS}?status__exact=new", "lead/add/", {"company_name": "Choir"}),
        (LEADS, "lead/add/", {"company_name": "Choir"}),
        (f"{FOLLOW_UPS}?day=today&whose=me", "followup/{plan}/change/", {"notes": "Ask"}),
        (f"{FOLLOW_UPS}?day=today&whose=me", "followup/{plan}/complete/", {"outcome": "successful"}),
        (f"{FOLLOW_UPS}?day=today", "followup/{plan}/change/", {"scheduled_date": "2027-01-05"}),
        (f"{ACTIVITIES}?activity_type__exact=note", "activity/{activity}/change/", {"notes": "x"}),
        (f"{ACTIVITIES}?activity_type__exact=note", "activity/add/", {"activity_type": "note", "lead": "{lead}"}),
        (ACTIVITIES, "activity/{activity}/change/", {"notes": "x"}),
        ("/admin/sales/leadsource/?channel__exact=phone", "leadsource/{source}/change/", {"name": "Site"}),
        ("/admin/sales/leadscoringrule/", "leadscoringrule/1/change/", {"points": "7"}),
        ("/admin/sales/lead/{lead}/timeline/?kind=activity", "activity/{activity}/change/", {"notes": "x"}),
    ],
)
def test_from_a_list_it_is_that_list_as_it_was_filtered(client, manager, lead, listing, part, values):
    source = sources.create(by=manager, values={"name": "Web", "channel": "phone"}).pk if "source" in listing else 0
    keys = {
        "lead": lead.pk,
        "plan": FollowUp.objects.get().pk,
        "activity": Activity.objects.first().pk,
        "source": source,
    }
    listing, part = listing.format(**keys), part.format(**keys)
    url = link(client, listing, part)
    values = {name: value.format(**keys) for name, value in values.items()}
    assert save(client, url, **values)["Location"] == listing
    assert list(client.get(listing).context["messages"])


@pytest.mark.parametrize("button", ["_continue", "_addanother"])
def test_it_is_kept_through_errors_and_while_one_goes_on(client, lead, button):
    url = link(client, page_of(lead), "activity_type=call")
    refused = save(client, url, lead="")
    assert refused.status_code == 200
    again = {**untouched(refused.content.decode()), "lead": lead.pk, "notes": "Spoke"}
    on = client.post(url, {**again, button: "1"})["Location"]
    assert on.startswith(ACTIVITIES)
    assert save(client, on, lead=lead.pk, activity_type="call", notes="And again")["Location"] == page_of(lead)


@pytest.mark.parametrize("elsewhere", [
    "https://evil.example/", "//evil.example", "///evil.example", r"/\evil.example", "javascript:alert(1)", "x",
    "http:///evil.example", "\x01//evil.example", "/" + "x" * 3000,
    "/healthz", "/api/v1/sales/leads", "/admin/sales/lead/999/change/", "/admin/sales/lead/999/timeline/",
    "/admin/sales/lead/1/nonsense/", f"/admin/sales/lead/{'9' * 30}/change", "/admin/sales/lead/%0d%0aX:y/change/",
])  # fmt: skip
@pytest.mark.parametrize("way", ["GET", "POST"])
def test_it_never_leads_off_the_site_or_to_what_is_not_there(client, lead, elsewhere, way):
    plan = FollowUp.objects.get()
    for url, values in (
        (f"{ACTIVITIES}add/", {"lead": lead.pk, "activity_type": "note"}),
        (page_of(lead), {"notes": "x"}),
        (f"{FOLLOW_UPS}{plan.pk}/change/", {"notes": "x"}),
        (f"{FOLLOW_UPS}{plan.pk}/snooze/", {"minutes": "30"}),
        (f"{FOLLOW_UPS}{plan.pk}/complete/", {"outcome": "successful"}),
    ):
        form = {} if "snooze" in url else untouched(client.get(url).content.decode())
        query = {"next": elsewhere} if way == "GET" else None
        response = client.post(url, {**form, **values, **({} if query else {"next": elsewhere})}, query_params=query)
        assert response.status_code == 302, url
        assert response["Location"] in (page_of(lead), f"{FOLLOW_UPS}{plan.pk}/change/"), url


def test_what_is_deleted_leads_back_to_the_list_and_not_to_itself(client):
    listing = "/admin/sales/leadscoringrule/"
    url = link(client, listing, "leadscoringrule/1/change/")
    question = link(client, url, "/1/delete/")
    assert client.post(question, {"post": "yes"})["Location"] == listing
    own = f"{listing}2/change/"
    assert client.post(f"{listing}2/delete/?next={own}", {"post": "yes"})["Location"].partition("?")[0] == listing


def test_a_list_takes_next_for_no_filter(client, lead):
    assert client.get(f"{FOLLOW_UPS}?next={page_of(lead)}").status_code == 200


def test_taking_a_lead_off_its_cadence_leads_back_to_its_page_and_that_to_the_list(client, manager, lead):
    cadence = Cadence.objects.create(name="New")
    CadenceStep.objects.create(cadence=cadence, day=0, follow_up_type="call")
    cadences.enroll(by=manager, lead_id=lead.pk, cadence_id=cadence.pk)
    page = page_of(lead, f"?next={LEADS}%3Fo%3D1")
    url = f"{LEADS}{lead.pk}/stop-cadence/"
    form = client.get(page).content.decode().partition(f'action="{url}"')[2].partition("</form>")[0]
    assert client.post(url, untouched(form))["Location"] == page


def test_a_page_that_one_may_no_longer_read_is_not_gone_back_to(client, browse, lead, stranger):
    """What was done has moved the lead out of sight: the list, with what was done, and not "doesn't exist"."""
    theirs = FollowUp.objects.create(
        lead=lead, follow_up_type="call", scheduled_date="2099-01-05", assigned_to=stranger
    )
    helper = browse(stranger)
    data = {"action": "cancel_selected", "_selected_action": theirs.pk, "next": page_of(lead)}
    response = helper.post(
        FOLLOW_UPS, {**untouched(helper.post(FOLLOW_UPS, data).content.decode()), **data, "step": "confirm"}
    )
    assert response["Location"] == FOLLOW_UPS
    assert [str(message) for message in helper.get(FOLLOW_UPS).context["messages"]] == ["1 canceled."]

    data = {"action": "reassign_selected", "_selected_action": lead.pk, "next": page_of(lead)}
    chosen = {**data, "receivers": stranger.pk, "way": "in_turn", "reason": "Theirs"}
    planned = client.post(LEADS, {**chosen, "step": "preview"})
    response = client.post(LEADS, {**untouched(planned.content.decode()), **chosen, "step": "confirm"})
    assert response["Location"] == LEADS
    (message,) = client.get(LEADS).context["messages"]
    assert "1 lead given to" in str(message)
