"""A lead's timeline in the admin. (Its entries: tests/sales/queries/timeline.)"""

import re

from django.urls import reverse

from sales.admin import timeline
from sales.models import Activity, FieldChange
from sales.services import activities
from tests.rights.forms import untouched
from tests.sales.admin.scoring.test_scoring_rules import read_page


def test_older_entries_are_on_further_pages(browse, rep, make_lead, monkeypatch):
    monkeypatch.setattr(timeline, "PAGE_SIZE", 3)
    lead = make_lead(assigned_to=rep)
    for number in range(7):
        activities.log(by=rep, lead_id=lead.pk, activity_type="note", description=f"Note {number}", notes="<b>")
    first = url = reverse("admin:sales_lead_timeline", args=[lead.pk])
    notes, browser = [], browse(rep)
    while url:
        page = read_page(browser.get(url))
        notes += re.findall(r"Note \d(?= <a)", page)
        older = re.search(r'<a href="\?([^"]+)">Older</a>', page)
        url = older and f"{first}?{older[1].replace('&amp;', '&')}"
    assert notes == [f"Note {number}" for number in range(6, -1, -1)]
    assert "There are no older entries." in page
    assert "<b>" not in page
    assert "Note 6" in read_page(browser.get(f"{first}?kind=activity&kind=nonsense&before=nonsense"))
    assert "There are no entries of this kind." in read_page(browser.get(f"{first}?kind=merge"))


def test_an_activity_is_corrected_on_its_own_page(browse, rep, colleague, make_lead):
    lead = make_lead(assigned_to=rep)
    log = activities.log(by=rep, lead_id=lead.pk, activity_type="call", notes="Wrong")
    url = reverse("admin:sales_activity_change", args=[log.pk])
    assert url in read_page(browse(rep).get(reverse("admin:sales_lead_change", args=[lead.pk])))
    form = untouched(browse(rep).get(url).content.decode())
    assert browse(rep).post(url, form).status_code == 302
    assert FieldChange.objects.count() == 0
    assert browse(rep).post(url, form | {"notes": "Right"}).status_code == 302
    assert Activity.objects.get().notes == "Right"
    assert FieldChange.objects.get().old["notes"] == "Wrong"
    assert browse(colleague).post(url, form | {"notes": "Mine"}).status_code == 403
