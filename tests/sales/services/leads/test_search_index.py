"""The search index follows every change of a lead's searchable fields, and no other change writes it."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from sales.models import Lead, LeadSearch
from sales.services import activities
from sales.services.follow_ups import reminders
from sales.services.leads import leads, merging, search_index
from sales.services.ownership import transfers
from sales.services.scoring import scores


def search_leads(words, by=None):
    rows = Lead.objects.all() if by is None else Lead.objects.visible_to(by)
    return list(rows.search(words).order_by("pk"))


def test_a_lead_is_found_by_its_current_values(rep):
    lead = leads.create(by=rep, values={"company_name": "École Émile", "phone": "(617) 555-0123"})
    for words in ("emile ecole", "5550123", "617 555", "ECOLE 0123"):
        assert search_leads(words) == [lead], words
    for words in ("band", "ecole band"):
        assert search_leads(words) == [], words
    leads.update(by=rep, lead_id=lead.pk, changes={"company_name": "Lincoln Band", "phone": "+49 30 901820"})
    for words in ("lincoln", "4930901820"):
        assert search_leads(words) == [lead], words
    for words in ("ecole", "555", "030901"):
        assert search_leads(words) == [], words


def test_wildcards_are_ordinary_characters(rep):
    lead = leads.create(by=rep, values={"company_name": "100% Fun_Tours \\o/"})
    for words in ("%", "_", "\\", "100%", "n_t"):
        assert search_leads(words) == [lead], words
    for words in ("n%t", "f_n"):
        assert search_leads(words) == [], words


def test_a_new_owner_or_score_does_not_write_the_index(rep, manager, colleague):
    lead = leads.create(by=rep, values={"company_name": "Band", "estimated_passengers": 60})
    with CaptureQueriesContext(connection) as captured:
        transfers.transfer(by=manager, leads=Lead.objects.filter(pk=lead.pk), to_user_id=colleague.pk)
        activities.log(by=colleague, lead_id=lead.pk, activity_type="quote_requested", direction="inbound")
        scores.recalculate_lead(by=manager, lead_id=lead.pk)
    assert not [query["sql"] for query in captured if "lead_search" in query["sql"]]


def test_leads_written_by_plain_sql_are_indexed_later(make_lead, rep):
    raw = make_lead(company_name="Écho", email="A@x.example")
    whole = make_lead(company_name="Böse", email_normalised="", phone_normalised="")
    old = make_lead(company_name="Älter", email_normalised="", phone_normalised="")
    LeadSearch.objects.create(lead=old, text="älter")  # as the migration leaves it
    Lead.objects.filter(pk=old.pk).update(created_at=timezone.now() - timedelta(days=9))
    assert search_leads("echo") + search_leads("bose") + search_leads("alter") == []
    assert reminders.fill_derived_columns() == 3
    assert search_leads("echo") + search_leads("bose") + search_leads("alter") == [raw, whole, old]
    assert reminders.fill_derived_columns() == 0
    assert search_index.index_missing_leads(10) == 0


def test_a_kept_lead_is_found_by_its_filled_values(rep, manager):
    kept = leads.create(by=rep, values={"company_name": "Band"})
    other = leads.create(by=rep, values={"contact_name": "Dana", "email": "dana@lincoln.example"})
    merging.merge_leads(by=manager, lead_id=kept.pk, duplicate_ids=[other.pk])
    assert search_leads("band dana@lincoln") == [kept]
    assert search_leads("dana", by=manager) == [kept]


@pytest.mark.postgres  # its trigram index; SQLite reads the texts one by one
@pytest.mark.parametrize("role", ["admin", "manager", "rep"])
def test_a_selective_search_uses_the_index_for_every_user(request, role, make_lead):
    user = request.getfixturevalue(role)
    make_lead(company_name="Zebra Xylophones", assigned_to=user)
    Lead.objects.bulk_create(Lead(company_name=f"Band number {number}", assigned_to=user) for number in range(300))
    search_index.index_missing_leads(500)
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_indexscan = off")  # the tables are small
        cursor.execute("ANALYZE leads, lead_search, follow_ups, users")
    page = Lead.objects.visible_to(user).search("xylophon zeb").order_by("-created_at", "-id")[:51]
    query_plan = page.explain()
    assert "Bitmap Index Scan on idx_lead_search_text" in query_plan
    assert "Bitmap Index Scan on leads_pkey" in query_plan
    assert [str(lead) for lead in page] == ["Zebra Xylophones"]
