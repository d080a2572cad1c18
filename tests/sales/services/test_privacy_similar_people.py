"""Erasing a person misses nothing of theirs, and takes nothing of others whose address or name contains theirs."""

import pytest

from notifications.models import Notification
from sales.models import FieldChange, ImportRow, Lead, LeadImport
from sales.services import activities, privacy
from sales.services.imports import import_batches, imports

ANN = "ann@x.example"
NUMBER = "(212) 555-0177"
# Each is another person's address, though Ann's stands in it.
ALIKE = ("joann@x.example", "jo.ann@x.example", "jo-ann@x.example", "jo+ann@x.example", "ann@x.example.org",
         "ann@x.example-coaches.com", "ann@x.examples")  # fmt: skip
# Each is Ann's.
HERS = (
    *("ann@x.example", "Ann@X.Example", "<ann@x.example>", "mailto:ann@x.example.", "to=ann%40x.example"),
    *("'ann@x.example'", "from%20ann%40x.example", "ann@x.example.csv"),
    *("one\nann@x.example", "tab\tann@x.example", '"ann@x.example"', "ann@x.example\n", "ann(at)x.example"),
    *("212-555-0177", "+1 212 555 0177", "2125550177x12", "212.555.0177ext5", "tel2125550177", "0012125550177"),
    *("Ann \"AJ\" Smith\\Jones", "ann \"aj\" SMITH\\jones says"),
)  # fmt: skip


@pytest.fixture
def ann(make_lead):
    return make_lead(
        company_name="", contact_name='Ann "AJ" Smith\\Jones', email=ANN, email_normalised=ANN, phone=NUMBER,
        phone_normalised="+12125550177",
    )  # fmt: skip


@pytest.mark.parametrize("address", ALIKE)
def test_a_similar_address_stays_everywhere(ann, make_lead, manager, address):
    text = f"From {address}"
    other = make_lead(contact_name="Jo", email=address, email_normalised=address, phone="", notes=text)
    activities.log(by=manager, lead_id=other.pk, activity_type="email", direction="inbound", notes=text)
    notification = Notification.objects.create(kind="x", recipient=manager, dedupe_key="x", context={"text": text})
    made = imports.upload(by=manager, file_name="x.csv", content=f"Contact,E-mail\nJo,{address}\nBo,\n".encode())
    import_batches.run_or_publish(made.pk)
    privacy.erase_person(ran_by="root", address=ANN)
    other.refresh_from_db()
    notification.refresh_from_db()
    assert (other.email, other.email_normalised, other.notes) == (address, address, text)
    assert other.activities.get().notes == text
    assert notification.context == {"text": text}
    assert list(ImportRow.objects.order_by("line").values_list("state", "cells")) == [
        ("ready", ["Jo", address]), ("ready", ["Bo"]),
    ]  # fmt: skip


@pytest.mark.parametrize("text", HERS)
def test_each_spelling_of_the_person_is_erased_everywhere(ann, make_lead, manager, text):
    other = make_lead(contact_name="Bob", email="bob@y.example", email_normalised="bob@y.example", notes=text)
    FieldChange.objects.create(lead=other, field="notes", old=text, new=[{"deep": text}], by=manager)
    Notification.objects.create(kind="x", recipient=manager, dedupe_key="x", context={"text": text})
    copy = privacy.export_person(ran_by="root", address=ANN)
    assert {row["table"] for row in copy["mentioned_in"]} >= {"leads", "field_changes"}
    privacy.erase_person(ran_by="root", address=ANN)
    other.refresh_from_db()
    change = FieldChange.objects.get()
    kept = [other.notes, change.old, change.new[0]["deep"], Notification.objects.get().context["text"]]
    assert [word for word in ("ann", "555", "0177", "smith") for value in kept if word in value.casefold()] == []
    assert (other.contact_name, other.email) == ("Bob", "bob@y.example")


def test_an_import_row_with_only_their_number_or_name_is_erased(ann, manager):
    rows = (
        f"Ann,,{NUMBER},5", f"Ann,,{NUMBER},many", '"Ann ""AJ"" Smith\\Jones",,,many', '"Ann ""AJ"" Smith\\Jones",,,3',
        f"Bob,bob@y.example,{NUMBER},4", f"Zed,,,{NUMBER}", "Zed,,,4",
    )  # fmt: skip
    content = "Contact,E-mail,Phone,Passengers\n" + "\n".join(rows)
    made = imports.upload(by=manager, file_name="x.csv", content=content.encode())
    import_batches.run_or_publish(made.pk)
    privacy.erase_person(ran_by="root", address=ANN)
    left = list(LeadImport.objects.get().rows.order_by("line").values_list("state", "cells"))
    assert left[4] == ("ready", ["Bob", "bob@y.example", NUMBER, "4"])
    assert left[6] == ("ready", ["Zed", "", "", "4"])
    assert [word for word in ("ann", "555") for _, cells in [*left[:4], left[5]] if word in str(cells).casefold()] == []


@pytest.mark.parametrize("word", ["n/a", "0", "none", "x"])
def test_text_that_is_no_phone_number_is_not_searched_for(make_lead, word):
    make_lead(contact_name="Ann", email=ANN, email_normalised=ANN, phone=word, phone_normalised="")
    other = make_lead(contact_name="Bob", email="bob@y.example", notes=f"Seats: {word}")
    privacy.erase_person(ran_by="root", address=ANN)
    other.refresh_from_db()
    assert other.notes == f"Seats: {word}"


def test_a_one_word_name_is_erased_only_in_its_own_case(make_lead):
    make_lead(company_name="", contact_name="Will", email=ANN, email_normalised=ANN, phone="")
    other = make_lead(contact_name="Bob", email="bob@y.example", notes="They will pay, says Will.")
    privacy.erase_person(ran_by="root", address=ANN)
    other.refresh_from_db()
    assert other.notes == "They will pay, says [erased]."


def test_another_persons_import_row_keeps_its_own_name_and_number(ann, make_lead, manager):
    lead = make_lead(contact_name="Cy", email="cy@y.example", email_normalised="cy@y.example")
    content = (
        "Lead,Contact,E-mail,Phone,Notes\n"
        f',Bob,bob@y.example,{NUMBER},"Knows ann@x.example, {NUMBER}"\n{lead.pk},Cy,,,Knows ann@x.example\n'
    )
    made = imports.upload(by=manager, file_name="x.csv", content=content.encode())
    import_batches.run_or_publish(made.pk)
    privacy.erase_person(ran_by="root", address=ANN)
    imports.start(by=manager, import_id=made.pk, duplicates="create")
    import_batches.run_or_publish(made.pk)
    notes = dict(Lead.objects.values_list("contact_name", "notes"))
    assert (notes["Bob"], notes["Cy"]) == ("Knows [erased], [erased]", "Knows [erased]")
    assert Lead.objects.get(contact_name="Bob").phone == NUMBER
