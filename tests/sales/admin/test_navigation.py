"""Saving returns to the page that the user came from (a lead, a filtered list, a timeline), and never elsewhere."""

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


def get_lead_url(lead, query=""):
    return reverse("admin:sales_lead_change", args=[lead.pk]) + query


def find_link(client, page, part):
    """Return the first address with `part` in it that the main part of the page at `page` links to."""
    content = client.get(page).content.decode().partition('id="content"')[2]
    addresses = [unescape(text.split('"')[0]) for text in content.split('href="')[1:]]
    address = next(address for address in addresses if part in address)
    return urlsplit(page).path + address if address.startswith("?") else address


def save(client, url, **values):
    """Fill in the form of the page and submit it as a browser would."""
    page = client.get(url)
    assert page.status_code == 200, url
    return client.post(url, {**untouched(page.content.decode()), **values})


def log_a_call(client, lead, page):
    return save(client, find_link(client, page, "activity_type=call"), notes="Spoke")


def correct(client, lead, page):
    return save(
        client, find_link(client, page, f"{ACTIVITIES}{Activity.objects.first().pk}/change/"), notes="Spoke again"
    )


def plan_follow_up(client, lead, page):
    return save(
        client, find_link(client, page, f"{FOLLOW_UPS}add/"), follow_up_type="email", scheduled_date="2027-01-05"
    )


def reschedule(client, lead, page):
    url = find_link(client, page, f"{FOLLOW_UPS}{FollowUp.objects.get().pk}/change/")
    return save(client, url, scheduled_date="2027-01-05")


def complete(client, lead, page):
    return save(client, find_link(client, page, "/complete/"), outcome="successful")


def snooze(client, lead, page):
    url = find_link(client, page, f"{FOLLOW_UPS}{FollowUp.objects.get().pk}/change/")
    values = untouched(client.get(url).content.decode())
    return client.post(f"{FOLLOW_UPS}{FollowUp.objects.get().pk}/snooze/", {**values, "minutes": "30"})


def cancel(client, lead, page):
    url = find_link(client, page, f"{FOLLOW_UPS}{FollowUp.objects.get().pk}/change/")
    body = client.get(url).content.decode()
    form = untouched(body[body.index('value="cancel_selected"') - 80 : body.index("Cancel follow-up")])
    confirmation = client.post(FOLLOW_UPS, form)
    return client.post(FOLLOW_UPS, {**untouched(confirmation.content.decode()), **form, "step": "confirm"})


def change(client, lead, page):
    return save(client, get_lead_url(lead), notes="New")


ACTIONS_OF_A_LEAD = (log_a_call, correct, plan_follow_up, reschedule, complete, snooze, cancel, change)


@pytest.mark.parametrize("act", ACTIONS_OF_A_LEAD)
def test_an_action_on_a_leads_page_returns_to_it_with_a_message(client, lead, act):
    response = act(client, lead, get_lead_url(lead))
    assert response.status_code == 302
    assert response["Location"] == get_lead_url(lead)
    assert list(client.get(get_lead_url(lead)).context["messages"])


@pytest.mark.parametrize("act", [log_a_call, reschedule, complete, cancel])
def test_after_an_action_saving_the_lead_still_returns_to_its_list(client, lead, act):
    list_url = f"{LEADS}?status__exact=new&o=1"
    page = find_link(client, list_url, f"{LEADS}{lead.pk}/change/")
    assert parse_qs(urlsplit(page).query)["next"] == [list_url]
    assert act(client, lead, page)["Location"] == page
    Lead.objects.update(status="new")
    assert save(client, page, notes="Wants wifi")["Location"] == list_url


@pytest.mark.parametrize(
    ("list_url", "part", "values"),
    [
        (f"{LEADS}?status__exact=new", "lead/{lead}/change/", {"notes": "x"}),
        (f"{LEADS}?status__exact=new", "lead/add/", {"company_name": "Choir"}),
        (LEADS, "lead/add/", {"company_name": "Choir"}),
        (f"{FOLLOW_UPS}?day=today&whose=me", "followup/{follow_up}/change/", {"notes": "Ask"}),
        (f"{FOLLOW_UPS}?day=today&whose=me", "followup/{follow_up}/complete/", {"outcome": "successful"}),
        (f"{FOLLOW_UPS}?day=today", "followup/{follow_up}/change/", {"scheduled_date": "2027-01-05"}),
        (f"{ACTIVITIES}?activity_type__exact=note", "activity/{activity}/change/", {"notes": "x"}),
        (f"{ACTIVITIES}?activity_type__exact=note", "activity/add/", {"activity_type": "note", "lead": "{lead}"}),
        (ACTIVITIES, "activity/{activity}/change/", {"notes": "x"}),
        ("/admin/sales/leadsource/?channel__exact=phone", "leadsource/{source}/change/", {"name": "Site"}),
        ("/admin/sales/leadscoringrule/", "leadscoringrule/1/change/", {"points": "7"}),
        ("/admin/sales/lead/{lead}/timeline/?kind=activity", "activity/{activity}/change/", {"notes": "x"}),
    ],
)
def test_saving_returns_to_the_list_with_its_filters(client, manager, lead, list_url, part, values):
    source = sources.create(by=manager, values={"name": "Web", "channel": "phone"}).pk if "source" in list_url else 0
    keys = {
        "lead": lead.pk,
        "follow_up": FollowUp.objects.get().pk,
        "activity": Activity.objects.first().pk,
        "source": source,
    }
    list_url, part = list_url.format(**keys), part.format(**keys)
    url = find_link(client, list_url, part)
    values = {name: value.format(**keys) for name, value in values.items()}
    assert save(client, url, **values)["Location"] == list_url
    assert list(client.get(list_url).context["messages"])


@pytest.mark.parametrize("button", ["_continue", "_addanother"])
def test_the_return_page_survives_errors_and_further_edits(client, lead, button):
    url = find_link(client, get_lead_url(lead), "activity_type=call")
    refused = save(client, url, lead="")
    assert refused.status_code == 200
    corrected = {**untouched(refused.content.decode()), "lead": lead.pk, "notes": "Spoke"}
    next_url = client.post(url, {**corrected, button: "1"})["Location"]
    assert next_url.startswith(ACTIVITIES)
    response = save(client, next_url, lead=lead.pk, activity_type="call", notes="And again")
    assert response["Location"] == get_lead_url(lead)


@pytest.mark.parametrize(
    "next_url",
    [
        "https://evil.example/",
        "//evil.example",
        "///evil.example",
        r"/\evil.example",
        "javascript:alert(1)",
        "x",
        "http:///evil.example",
        "\x01//evil.example",
        "/" + "x" * 3000,
        "/healthz",
        "/api/v1/sales/leads",
        "/admin/sales/lead/999/change/",
        "/admin/sales/lead/999/timeline/",
        "/admin/sales/lead/1/nonsense/",
        f"/admin/sales/lead/{'9' * 30}/change",
        "/admin/sales/lead/%0d%0aX:y/change/",
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_saving_never_redirects_off_the_site_or_to_a_missing_page(client, lead, next_url, method):
    follow_up = FollowUp.objects.get()
    for url, values in (
        (f"{ACTIVITIES}add/", {"lead": lead.pk, "activity_type": "note"}),
        (get_lead_url(lead), {"notes": "x"}),
        (f"{FOLLOW_UPS}{follow_up.pk}/change/", {"notes": "x"}),
        (f"{FOLLOW_UPS}{follow_up.pk}/snooze/", {"minutes": "30"}),
        (f"{FOLLOW_UPS}{follow_up.pk}/complete/", {"outcome": "successful"}),
    ):
        form = {} if "snooze" in url else untouched(client.get(url).content.decode())
        query = {"next": next_url} if method == "GET" else None
        response = client.post(url, {**form, **values, **({} if query else {"next": next_url})}, query_params=query)
        assert response.status_code == 302, url
        assert response["Location"] in (get_lead_url(lead), f"{FOLLOW_UPS}{follow_up.pk}/change/"), url


def test_deleting_returns_to_the_list_and_not_to_the_deleted_row(client):
    list_url = "/admin/sales/leadscoringrule/"
    url = find_link(client, list_url, "leadscoringrule/1/change/")
    delete_url = find_link(client, url, "/1/delete/")
    assert client.post(delete_url, {"post": "yes"})["Location"] == list_url
    own_url = f"{list_url}2/change/"
    assert client.post(f"{list_url}2/delete/?next={own_url}", {"post": "yes"})["Location"].partition("?")[0] == list_url


def test_a_list_does_not_take_next_for_a_filter(client, lead):
    assert client.get(f"{FOLLOW_UPS}?next={get_lead_url(lead)}").status_code == 200


def test_stopping_a_cadence_returns_to_the_leads_page_which_keeps_its_list(client, manager, lead):
    cadence = Cadence.objects.create(name="New")
    CadenceStep.objects.create(cadence=cadence, day=0, follow_up_type="call")
    cadences.enroll(by=manager, lead_id=lead.pk, cadence_id=cadence.pk)
    page = get_lead_url(lead, f"?next={LEADS}%3Fo%3D1")
    url = f"{LEADS}{lead.pk}/stop-cadence/"
    form = client.get(page).content.decode().partition(f'action="{url}"')[2].partition("</form>")[0]
    assert client.post(url, untouched(form))["Location"] == page


def test_an_action_that_makes_the_lead_invisible_returns_to_the_list(client, browse, lead, stranger):
    """The lead's page would show "doesn't exist". The list shows the message of the action."""
    strangers_follow_up = FollowUp.objects.create(
        lead=lead, follow_up_type="call", scheduled_date="2099-01-05", assigned_to=stranger
    )
    strangers_client = browse(stranger)
    data = {"action": "cancel_selected", "_selected_action": strangers_follow_up.pk, "next": get_lead_url(lead)}
    response = strangers_client.post(
        FOLLOW_UPS, {**untouched(strangers_client.post(FOLLOW_UPS, data).content.decode()), **data, "step": "confirm"}
    )
    assert response["Location"] == FOLLOW_UPS
    assert [str(message) for message in strangers_client.get(FOLLOW_UPS).context["messages"]] == ["1 canceled."]

    data = {"action": "reassign_selected", "_selected_action": lead.pk, "next": get_lead_url(lead)}
    choices = {**data, "receivers": stranger.pk, "way": "in_turn", "reason": "Theirs"}
    preview = client.post(LEADS, {**choices, "step": "preview"})
    response = client.post(LEADS, {**untouched(preview.content.decode()), **choices, "step": "confirm"})
    assert response["Location"] == LEADS
    (message,) = client.get(LEADS).context["messages"]
    assert "1 lead given to" in str(message)
