"""Two people share a lead: erasing one of them removes their data and keeps the other's."""

import pytest

from notifications.models import Notification
from sales.models import ImportRow, IntakeForm, Lead, LeadImport
from sales.services import activities, privacy
from sales.services.imports import import_batches, imports
from sales.services.leads import intake, leads, merging

ANN, BOB = "ann@quill.example", "bob@mill.example"
PHONE = "(212) 555-0177"
ANNS_INQUIRY = {"contact_name": "Ann Quill", "email": ANN, "phone": PHONE, "notes": "We are 40 from Elm Lane"}
BOBS_INQUIRY = {"contact_name": "Bob Mill", "email": BOB, "phone": PHONE, "notes": "Two coaches to Salem"}


@pytest.fixture
def shared_lead(db, rep):
    """Bob's lead, which Ann's inquiry joined because both gave the number of their office."""
    form = IntakeForm.objects.create(name="Web", key="k")
    intake.receive_inquiry(form=form, values=BOBS_INQUIRY)
    Lead.objects.update(assigned_to=rep)
    intake.receive_inquiry(form=form, values=ANNS_INQUIRY)
    lead = Lead.objects.get()
    assert [activity.notes.count("\n") for activity in lead.activities.all()] == [3, 3]
    return lead


def read_texts(lead):
    """The values of the lead, its activities and changes, and all notifications, as one text."""
    rows = [*lead.activities.values("description", "notes", "data"), *lead.field_changes.values("old", "new")]
    return str([Lead.objects.filter(pk=lead.pk).values(), rows, list(Notification.objects.values("context"))])


def test_an_inquiry_in_another_lead_is_erased_and_the_lead_stays(shared_lead):
    privacy.erase_person(ran_by="root", address=ANN)
    content = read_texts(shared_lead)
    assert [word for word in ("Ann Quill", "Elm Lane", ANN) if word in content] == []
    assert [word for word in ("Bob Mill", "Two coaches to Salem", BOB, PHONE) if word not in content] == []


def test_the_person_of_the_lead_is_erased_and_another_persons_inquiry_stays(shared_lead):
    privacy.erase_person(ran_by="root", address=BOB)
    content = read_texts(shared_lead)
    assert [word for word in ("Bob Mill", "Two coaches to Salem", BOB) if word in content] == []
    assert [word for word in ("Ann Quill", "We are 40 from Elm Lane", ANN) if word not in content] == []


def test_the_values_before_a_correction_are_erased(make_lead, manager, rep):
    lead = make_lead(contact_name="Zoe", email=ANN, email_normalised=ANN)
    activity = activities.log(by=manager, lead_id=lead.pk, activity_type="call", notes="Has the keys of Elm Lane 12")
    activities.correct(by=manager, activity_id=activity.pk, changes={"notes": "Nothing"})
    assert "Elm Lane" in read_texts(lead)
    privacy.erase_person(ran_by="root", address=ANN)
    assert "Elm Lane" not in read_texts(lead)


def test_an_inbound_activity_in_another_lead_is_erased_with_its_old_values(shared_lead, manager):
    activity = activities.log(
        by=manager, lead_id=shared_lead.pk, activity_type="email", direction="inbound", notes=f"{ANN}: my knee is bad"
    )
    activities.correct(by=manager, activity_id=activity.pk, changes={"notes": f"{ANN}: my foot is bad"})
    privacy.erase_person(ran_by="root", address=ANN)
    assert [word for word in ("knee", "foot") if word in read_texts(shared_lead)] == []


def test_values_filled_by_a_merge_are_erased_and_the_kept_lead_stays(make_lead, manager):
    kept = make_lead(company_name="Mill", contact_name="", email=BOB, email_normalised=BOB, phone="", notes="")
    duplicate = make_lead(
        company_name="Mill", contact_name="Ann Quill", email=ANN, email_normalised=ANN, notes="Elm Lane"
    )
    merging.merge_leads(by=manager, lead_id=kept.pk, duplicate_ids=[duplicate.pk])
    kept.refresh_from_db()
    assert kept.contact_name == "Ann Quill"
    assert kept.notes == "Elm Lane"
    leads.update(by=manager, lead_id=kept.pk, changes={"campaign": "Spring"})
    privacy.erase_person(ran_by="root", address=ANN)
    content = read_texts(kept)
    assert [word for word in ("Ann Quill", "Elm Lane", ANN) if word in content] == []
    assert BOB in content
    assert "Spring" in content


def test_a_merged_lead_with_another_address_is_not_erased(make_lead, manager):
    kept = make_lead(contact_name="Bob Mill", email=BOB, email_normalised=BOB, notes="b")
    duplicate = make_lead(contact_name="Ann Quill", email=ANN, email_normalised=ANN, notes="Elm Lane")
    merging.merge_leads(by=manager, lead_id=kept.pk, duplicate_ids=[duplicate.pk])
    privacy.erase_person(ran_by="root", address=BOB)
    duplicate.refresh_from_db()
    assert duplicate.contact_name == "Ann Quill"
    assert duplicate.email == ANN
    assert duplicate.notes == "Elm Lane"


def test_an_import_row_with_another_address_stays(make_lead, manager):
    make_lead(contact_name="Bob Mill", email=BOB, email_normalised=BOB, phone=PHONE, phone_normalised="+12125550177")
    text = f"Contact,E-mail,Phone\nAnn Quill,{ANN},{PHONE}\nBob,,{PHONE}\n"
    lead_import = imports.upload(by=manager, file_name="x.csv", content=text.encode())
    import_batches.run_or_publish(lead_import.pk)
    assert ImportRow.objects.exclude(same_as=None).count() == 2
    privacy.erase_person(ran_by="root", address=BOB)
    assert list(LeadImport.objects.get().rows.order_by("line").values_list("state", "cells")) == [
        ("ready", ["Ann Quill", ANN, PHONE]),
        ("skipped", []),
    ]
