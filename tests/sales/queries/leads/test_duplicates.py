"""Which leads are duplicates, for which reasons, and which users see them."""

from datetime import UTC, datetime

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from sales.models import Lead, NotDuplicate
from sales.queries.leads import duplicates
from sales.queries.leads.similar_names import MIN_SIMILARITY
from sales.services.follow_ups import reminders
from sales.services.leads import leads, merging

PICKUP = datetime(2027, 5, 8, 13, tzinfo=UTC)
TRIP = {
    "pickup_at": PICKUP,
    "pickup_location": "Boston",
    "dropoff_location": "New York",
    "estimated_passengers": 48,
}


@pytest.fixture
def band(rep):
    return leads.create(
        by=rep,
        values={
            "company_name": "Lincoln High School Band, Inc.",
            "email": "Dana@Lincoln.example",
            "phone": "(617) 555-0123",
            **TRIP,
        },
    )


def find_matches(by, **values):
    return [(match.lead.pk, match.reasons, match.strength) for match in duplicates.find_duplicates(by, values)]


@pytest.mark.parametrize(
    ("values", "reasons", "strength"),
    [
        ({"email": " DANA@lincoln.EXAMPLE "}, ("email",), 90),
        ({"phone": "+1 617.555.0123 ext. 7"}, ("phone",), 80),
        ({"email": "dana@lincoln.example", "phone": "617 555 0123"}, ("email", "phone"), 100),
        (
            {"company_name": "lincoln high school bánd", "pickup_at": PICKUP.replace(hour=23)},
            ("company_day", "similar_name"),
            80,
        ),
        ({**TRIP, "pickup_location": " BOSTON"}, ("trip",), 70),
        ({"company_name": "The Lincoln High School Band LLC"}, ("similar_name",), 60),
    ],
    ids=["email", "phone", "email and phone", "company and day", "trip", "name"],
)
def test_each_reason_finds_a_duplicate(rep, band, values, reasons, strength):
    assert find_matches(rep, **values) == [(band.pk, reasons, strength)]


@pytest.mark.parametrize("name", ["Lincon High School Band", "Lincoln Highschool Band", "Lincoln High Scool Bands"])
def test_a_similar_name_finds_a_duplicate(rep, band, name):
    ((lead, reasons, strength),) = find_matches(rep, company_name=name)
    assert lead == band.pk
    assert reasons == ("similar_name",)
    assert 36 <= strength < 60


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"email": ""},
        {"phone": "no number"},
        {"company_name": "Washington Middle School Choir"},
        {"company_name": "Inc."},
        {**TRIP, "estimated_passengers": 47},
        {**TRIP, "dropoff_location": "Albany"},
        {**TRIP, "pickup_at": PICKUP.replace(day=9)},
        {"email": "dan@lincoln.example"},
        {"company_name": "Li"},
    ],
)
def test_values_that_find_no_duplicate(rep, band, values):
    assert find_matches(rep, **values) == []


def test_closed_and_archived_leads_are_not_duplicates(rep, manager, band):
    leads.update(by=rep, lead_id=band.pk, changes={"status": "lost", "lost_reason": "price"})
    assert find_matches(rep, email="dana@lincoln.example") == []
    leads.update(by=rep, lead_id=band.pk, changes={"status": "new"})
    assert len(find_matches(rep, email="dana@lincoln.example")) == 1
    leads.archive(by=manager, lead_id=band.pk)
    assert find_matches(None, email="dana@lincoln.example") == []


def test_only_visible_leads_are_found(band, rep, colleague, stranger):
    for values in ({"email": "dana@lincoln.example"}, {"company_name": "Lincoln High School Bend"}, TRIP):
        counts = {by: len(duplicates.find_duplicates(by, values)) for by in (rep, colleague, stranger, None)}
        assert counts == {rep: 1, colleague: 1, stranger: 0, None: 1}


def test_the_strongest_match_comes_first_and_follows_changes_of_a_lead(rep, band):
    other = leads.create(by=rep, values={"contact_name": "Dana Ruiz", "phone": "6175550123"})
    values = {"email": "dana@lincoln.example", "phone": "617-555-0123"}
    assert find_matches(rep, **values) == [(band.pk, ("email", "phone"), 100), (other.pk, ("phone",), 80)]
    leads.update(by=rep, lead_id=band.pk, changes={"email": "", "phone": ""})
    assert find_matches(rep, **values) == [(other.pk, ("phone",), 80)]


def test_a_lead_is_not_its_own_duplicate(rep, band):
    twin = leads.create(by=rep, values={"contact_name": "Dana", "email": "dana@lincoln.example"})
    assert [match.lead for match in duplicates.find_duplicates_of_lead(rep, band)] == [twin]
    assert [match.lead for match in duplicates.find_duplicates_of_lead(rep, twin)] == [band]
    merging.dismiss_duplicate(by=rep, lead_id=twin.pk, other_id=band.pk)
    merging.dismiss_duplicate(by=rep, lead_id=band.pk, other_id=twin.pk)
    assert [duplicates.find_duplicates_of_lead(rep, lead) for lead in (band, twin)] == [[], []]
    assert [(row.first, row.second, row.by) for row in NotDuplicate.objects.all()] == [(band, twin, rep)]


def test_a_batch_finds_the_same_as_single_searches_in_a_constant_number_of_queries(
    rep, band, django_assert_max_num_queries
):
    rows = [{"email": "dana@lincoln.example"}, {}, {"phone": "617 555 0123"}, dict(TRIP), {"email": "x@y.example"}]
    with CaptureQueriesContext(connection) as captured_for_few:
        matches_by_row = duplicates.find_duplicates_of_many(rep, rows)
    assert [[match.lead for match in matches] for matches in matches_by_row] == [[band], [], [band], [band], []]
    assert matches_by_row == [duplicates.find_duplicates(rep, row) for row in rows]
    with CaptureQueriesContext(connection) as captured_for_many:
        duplicates.find_duplicates_of_many(rep, rows * 40)
    assert len(captured_for_few) == len(captured_for_many) == 3


class TestQueue:
    def list_pairs(self, by):
        return [(pair.first.pk, pair.second.pk, pair.reasons, pair.strength) for pair in duplicates.list_pairs(by)]

    def test_pairs_are_listed_with_their_reasons(self, rep, manager, band):
        same_email = leads.create(by=rep, values={"contact_name": "D", "email": "dana@lincoln.example"})
        same_email_and_phone = leads.create(
            by=rep, values={"contact_name": "D", "email": "dana@lincoln.example", "phone": "617 555 0123"}
        )
        leads.create(by=rep, values={"contact_name": "Somebody else", "email": "else@lincoln.example"})
        assert self.list_pairs(manager) == [
            (band.pk, same_email_and_phone.pk, ("email", "phone"), 100),
            (same_email.pk, same_email_and_phone.pk, ("email",), 90),
            (band.pk, same_email.pk, ("email",), 90),
        ]
        merging.dismiss_duplicate(by=manager, lead_id=band.pk, other_id=same_email_and_phone.pk)
        assert [pair[:2] for pair in self.list_pairs(manager)] == [
            (same_email.pk, same_email_and_phone.pk),
            (band.pk, same_email.pk),
        ]

    def test_only_pairs_of_visible_leads_are_listed(self, rep, manager, stranger, band):
        leads.create(by=stranger, values={"contact_name": "D", "email": "dana@lincoln.example"})
        assert self.list_pairs(manager) == []

    def test_the_query_count_is_constant_and_the_list_is_limited(self, rep, manager, band, monkeypatch):
        monkeypatch.setattr(duplicates, "MAX_PAIRS", 7)

        def count_queries_and_pairs():
            with CaptureQueriesContext(connection) as captured:
                pairs = self.list_pairs(manager)
            return len(captured), len(pairs)

        first_query_count, _ = count_queries_and_pairs()
        for number in range(12):
            for _ in range(2):
                leads.create(by=rep, values={"contact_name": "D", "email": f"{number}@lincoln.example", **TRIP})
        query_count, pair_count = count_queries_and_pairs()
        assert query_count == 8
        assert pair_count == 7
        assert first_query_count <= query_count


def test_a_lead_that_plain_sql_wrote_is_found_after_the_tick(rep, make_lead):
    lead = make_lead(company_name="Émile's École", assigned_to=rep, email="e@x.example", **TRIP)
    assert duplicates.find_duplicates(rep, {"company_name": "Emile's Ecole"}) == []
    reminders.fill_derived_columns()
    assert find_matches(rep, company_name="Emile's Ecole") == [(lead.pk, ("similar_name",), 60)]
    assert find_matches(rep, email="E@x.example", **TRIP) == [(lead.pk, ("email", "trip"), 100)]
    assert Lead.objects.search("emile ecole x.example").get() == lead


@pytest.mark.postgres  # the threshold is a setting of that server's extension
def test_the_index_finds_every_similar_name(db):
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('pg_trgm.similarity_threshold')::float, current_setting('jit')")
        threshold, jit = cursor.fetchone()
    assert threshold <= MIN_SIMILARITY
    assert jit == "off"
