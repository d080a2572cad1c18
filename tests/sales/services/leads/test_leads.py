"""Creating, changing, closing, reopening and archiving leads."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from athena.accounts.models import local_today
from notifications.models import Notification
from sales import errors
from sales.models import Activity, FieldChange, FollowUp, Lead, LeadSource
from sales.services.follow_ups import follow_ups
from sales.services.leads import leads

EARLIER = datetime(2027, 5, 7, 12, tzinfo=UTC)
LATER = EARLIER + timedelta(hours=8)


def list_changes(lead: Lead) -> list[tuple[str, object, object]]:
    rows = FieldChange.objects.filter(lead=lead).order_by("id")
    return [(row.field, row.old, row.new) for row in rows]


def test_a_salesperson_owns_their_new_lead_and_it_is_scored(rep):
    lead = leads.create(by=rep, values={"company_name": "Band", "estimated_passengers": 60})
    assert lead.assigned_to == rep
    assert lead.status == "new"
    assert lead.score == 30
    history = lead.score_history.get()
    assert history.old_score == 0
    assert history.new_score == 30
    assert history.points_changed == 30
    assert Notification.objects.count() == 0


def test_a_manager_may_name_the_owner_who_is_notified(manager, rep):
    lead = leads.create(by=manager, values={"contact_name": "Ann Lee", "assigned_to": rep.pk})
    notification = Notification.objects.get()
    assert lead.assigned_to == rep
    assert notification.recipient == rep
    assert notification.kind == "lead_assigned"
    assert leads.create(by=manager, values={"contact_name": "Ann Lee"}).assigned_to is None


def test_a_salesperson_cannot_name_another_owner(rep, colleague):
    with pytest.raises(errors.ReceiverNotAllowed):
        leads.create(by=rep, values={"contact_name": "Ann Lee", "assigned_to": colleague.pk})
    assert Lead.objects.count() == 0


WRONG_VALUES = [
    pytest.param({"source": 99}, "source", id="unknown source"),
    pytest.param({"status": "lost"}, "lost_reason", id="lost without a reason"),
    pytest.param({"status": "lost", "lost_reason": "weather"}, "lost_reason", id="unknown lost reason"),
    pytest.param({"lost_reason": "price"}, "lost_reason", id="a lost reason of an open lead"),
    pytest.param({"status": "won"}, "booked_value", id="won without a value"),
    pytest.param({"booked_value": Decimal(1)}, "booked_value", id="a booked value of an open lead"),
    pytest.param({"score": 99}, "score", id="a column that only Athena writes"),
    pytest.param({"assigned_to": 99}, "assigned_to", id="unknown owner, or an owner in an update"),
    pytest.param({"pickup_at": LATER, "return_at": EARLIER}, "return_at", id="return before pickup"),
    pytest.param({"company_name": "", "contact_name": ""}, "company_name", id="no name"),
]


@pytest.mark.parametrize(("values", "field"), WRONG_VALUES)
def test_a_new_lead_with_wrong_values_is_refused(admin, values, field):
    with pytest.raises(errors.Invalid) as refused:
        leads.create(by=admin, values={"contact_name": "A", **values})
    assert list(refused.value.fields) == [field]
    assert Lead.objects.count() == 0


@pytest.mark.parametrize(("values", "field"), WRONG_VALUES)
def test_an_update_with_wrong_values_is_refused(admin, make_lead, values, field):
    lead = make_lead(contact_name="A")
    make_lead(contact_name="B")
    rows_before = list(Lead.objects.order_by("pk").values())
    with pytest.raises(errors.Invalid) as refused:
        leads.update(by=admin, lead_id=lead.pk, changes=values)
    assert list(refused.value.fields) == [field]
    assert list(Lead.objects.order_by("pk").values()) == rows_before
    assert not FieldChange.objects.exists()


def test_an_update_does_not_touch_other_leads(admin, make_lead):
    lead, other = make_lead(contact_name="A"), make_lead(contact_name="B")
    follow_ups.create(by=admin, lead_id=other.pk, follow_up_type="call", scheduled_date=local_today(admin))
    row_before = Lead.objects.filter(pk=other.pk).values().get()
    leads.update(by=admin, lead_id=lead.pk, changes={"notes": "Wants wifi", "status": "won", "booked_value": 900})
    assert Lead.objects.filter(pk=other.pk).values().get() == row_before
    assert FollowUp.objects.open().filter(lead=other).count() == 1


def test_an_inactive_user_cannot_own_a_new_lead(admin, leaver):
    with pytest.raises(errors.Invalid) as refused:
        leads.create(by=admin, values={"contact_name": "A", "assigned_to": leaver.pk})
    assert list(refused.value.fields) == ["assigned_to"]


def test_email_and_phone_are_kept_as_typed_and_normalized(admin):
    lead = leads.create(by=admin, values={"contact_name": "A", "email": "Ann@Example.COM", "phone": "(212) 555-0123"})
    assert lead.email == "Ann@Example.COM"
    assert lead.email_normalised == "ann@example.com"
    assert lead.phone == "(212) 555-0123"
    assert lead.phone_normalised == "+12125550123"


def test_the_same_email_as_a_won_lead_makes_a_repeat_client(admin):
    first = leads.create(by=admin, values={"contact_name": "A", "email": "ann@example.com"})
    assert not first.is_repeat
    leads.update(by=admin, lead_id=first.pk, changes={"status": "won", "booked_value": Decimal("900")})
    second = leads.create(by=admin, values={"contact_name": "Ann", "email": "ANN@example.com"})
    assert second.is_repeat is True
    assert second.score == 30
    assert not leads.create(by=admin, values={"contact_name": "Ann", "email": ""}).is_repeat


def test_a_new_lead_has_the_same_first_and_last_touch(admin):
    source = LeadSource.objects.create(name="Fair")
    lead = leads.create(by=admin, values={"contact_name": "A", "source": source.pk, "utm_campaign": "may"})
    assert lead.last_source == source
    assert lead.last_utm_campaign == "may"


def test_an_update_is_audited_and_rescored(rep, make_lead):
    lead = make_lead(assigned_to=rep)
    updated = leads.update(
        by=rep, lead_id=lead.pk, changes={"estimated_value": Decimal("6000.50"), "company_name": lead.company_name}
    )
    assert updated.score == 40
    assert updated.version > lead.version
    assert list_changes(lead) == [("estimated_value", None, 6000.5)]
    assert list(lead.score_history.values_list("reason", "user")) == [("Changed: estimated value", rep.pk)]


def test_an_update_that_changes_nothing_writes_nothing(rep, make_lead):
    lead = make_lead(assigned_to=rep)
    updated = leads.update(by=rep, lead_id=lead.pk, changes={"company_name": lead.company_name})
    assert updated.version == lead.version
    assert updated.updated_at == lead.updated_at
    assert list_changes(lead) == []


def test_an_update_cannot_change_the_owner(manager, rep, make_lead):
    lead = make_lead(assigned_to=rep)
    with pytest.raises(errors.Invalid):
        leads.update(by=manager, lead_id=lead.pk, changes={"assigned_to": manager.pk})


def test_a_colleague_may_only_read_and_a_stranger_sees_nothing(rep, colleague, stranger, make_lead):
    lead = make_lead(assigned_to=rep)
    with pytest.raises(errors.NotYourLead):
        leads.update(by=colleague, lead_id=lead.pk, changes={"notes": "x"})
    with pytest.raises(errors.NotFound):
        leads.update(by=stranger, lead_id=lead.pk, changes={"notes": "x"})


def test_closing_cancels_open_follow_ups_and_reopening_does_not_restore_them(rep, make_lead):
    lead = make_lead(assigned_to=rep)
    follow_up = follow_ups.create(by=rep, lead_id=lead.pk, follow_up_type="call", scheduled_date=local_today(rep))
    lost = leads.update(by=rep, lead_id=lead.pk, changes={"status": "lost", "lost_reason": "price"})
    follow_up.refresh_from_db()
    assert lost.next_follow_up_date is None
    assert lost.closed_at is not None
    assert lost.lost_reason_id == "price"
    assert follow_up.cancelled_at is not None
    assert follow_up.cancel_reason == "Lead lost"
    assert Activity.objects.filter(lead=lead, activity_type="status_change").get().data == {"from": "new", "to": "lost"}

    reopened = leads.update(by=rep, lead_id=lead.pk, changes={"status": "contacted"})
    assert reopened.closed_at is None
    assert reopened.lost_reason is None
    assert reopened.next_follow_up_date is None
    assert FollowUp.objects.open().count() == 0
    assert list_changes(lead) == [
        ("lost_reason", None, "price"),
        ("status", "new", "lost"),
        ("lost_reason", "price", None),
        ("status", "lost", "contacted"),
    ]


def test_winning_records_value_date_and_source_and_reopening_keeps_the_first_date(rep, make_lead):
    source = LeadSource.objects.create(name="Fair")
    lead = make_lead(assigned_to=rep, source=source)
    won = leads.update(by=rep, lead_id=lead.pk, changes={"status": "won", "booked_value": Decimal("1200.50")})
    won_at_before = won.won_at
    assert won.booked_value == Decimal("1200.50")
    assert won.source == source
    assert won.won_at == won.closed_at
    assert won.won_at is not None
    reopened = leads.update(by=rep, lead_id=lead.pk, changes={"status": "quoted"})
    assert reopened.booked_value is None
    assert reopened.closed_at is None
    assert reopened.won_at == won_at_before
    assert ("booked_value", 1200.5, None) in list_changes(lead)
    won_again = leads.update(by=rep, lead_id=lead.pk, changes={"status": "won", "booked_value": Decimal(1100)})
    assert won_again.won_at == won_at_before
    assert won_again.closed_at > won_at_before


@pytest.mark.parametrize("reason", [{}, {"lost_reason": None}, {"lost_reason": "because"}])
def test_a_lost_lead_needs_a_lost_reason(rep, make_lead, reason):
    lead = make_lead(assigned_to=rep)
    with pytest.raises(errors.Invalid) as refused:
        leads.update(by=rep, lead_id=lead.pk, changes={"status": "lost", **reason})
    assert list(refused.value.fields) == ["lost_reason"]
    lead.refresh_from_db()
    assert lead.status == "new"
    assert list_changes(lead) == []


def test_a_closed_lead_keeps_its_score(rep, make_lead):
    lead = make_lead(assigned_to=rep)
    leads.update(by=rep, lead_id=lead.pk, changes={"status": "won", "booked_value": Decimal(900)})
    assert leads.update(by=rep, lead_id=lead.pk, changes={"estimated_passengers": 60}).score == 0


def test_a_status_sets_the_times_of_all_earlier_stages(rep, make_lead):
    lead = make_lead(assigned_to=rep)
    quoted = leads.update(by=rep, lead_id=lead.pk, changes={"status": "quoted"})
    assert quoted.quoted_at is not None
    assert quoted.first_contacted_at == quoted.quoted_at
    assert quoted.qualified_at == quoted.quoted_at
    reset = leads.update(by=rep, lead_id=lead.pk, changes={"status": "new"})
    assert reset.first_contacted_at == quoted.first_contacted_at
    assert reset.qualified_at == quoted.qualified_at
    assert reset.quoted_at == quoted.quoted_at


def test_archiving_is_for_managers_and_can_be_undone(rep, manager, make_lead):
    lead = make_lead(assigned_to=rep)
    follow_up = follow_ups.create(by=rep, lead_id=lead.pk, follow_up_type="call", scheduled_date=local_today(rep))
    with pytest.raises(errors.NotAllowed):
        leads.archive(by=rep, lead_id=lead.pk)
    leads.archive(by=manager, lead_id=lead.pk)
    follow_up.refresh_from_db()
    assert follow_up.is_open is False
    assert Lead.objects.visible_to(manager).count() == 0
    with pytest.raises(errors.NotFound):
        leads.update(by=manager, lead_id=lead.pk, changes={"notes": "x"})
    leads.restore(by=manager, lead_id=lead.pk)
    assert Lead.objects.visible_to(rep).get() == lead
    assert list_changes(lead) == [("archived", False, True), ("archived", True, False)]


def test_return_before_pickup_is_refused(rep, make_lead):
    now = timezone.now()
    lead = make_lead(assigned_to=rep, pickup_at=now)
    with pytest.raises(errors.Invalid) as refused:
        leads.update(by=rep, lead_id=lead.pk, changes={"return_at": now - timedelta(hours=1)})
    assert list(refused.value.fields) == ["return_at"]
