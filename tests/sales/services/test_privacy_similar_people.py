"""Erasing a person finds every spelling of their data, and leaves people with similar addresses or names alone."""

import pytest

from notifications.models import Notification
from sales.models import FieldChange, ImportRow, Lead, LeadImport
from sales.services import activities, privacy
from sales.services.imports import import_batches, imports

ANN = "ann@x.example"
NUMBER = "(212) 555-0177"
# Addresses of other people that contain Ann's address.
SIMILAR_ADDRESSES = (
    "joann@x.example",
    "jo.ann@x.example",
    "jo-ann@x.example",
    "jo+ann@x.example",
    "ann@x.example.org",
    "ann@x.example-coaches.com",
    "ann@x.examples",
)
# Texts that contain Ann's address, phone number or name.
MENTIONS_OF_ANN = (
    "ann@x.example",
    "Ann@X.Example",
    "<ann@x.example>",
    "mailto:ann@x.example.",
    "to=ann%40x.example",
    "'ann@x.example'",
    "from%20ann%40x.example",
    "ann@x.example.csv",
    "one\nann@x.example",
    "tab\tann@x.example",
    '"ann@x.example"',
    "ann@x.example\n",
    "ann(at)x.example",
    "212-555-0177",
    "+1 212 555 0177",
    "2125550177x12",
    "212.555.0177ext5",
    "tel2125550177",
    "0012125550177",
    'Ann "AJ" Smith\\Jones',
    'ann "aj" SMITH\\jones says',
)


def list_words_in(words, values):
    """The words that are in any of the values, in whatever case."""
    return [word for word in words for value in values if word in str(value).casefold()]


@pytest.fixture
def ann(make_lead):
    return make_lead(
        company_name="",
        contact_name='Ann "AJ" Smith\\Jones',
        email=ANN,
        email_normalised=ANN,
        phone=NUMBER,
        phone_normalised="+12125550177",
    )


@pytest.mark.parametrize("address", SIMILAR_ADDRESSES)
def test_another_persons_similar_address_stays_everywhere(ann, make_lead, manager, address):
    text = f"From {address}"
    other = make_lead(contact_name="Jo", email=address, email_normalised=address, phone="", notes=text)
    activities.log(by=manager, lead_id=other.pk, activity_type="email", direction="inbound", notes=text)
    notification = Notification.objects.create(kind="x", recipient=manager, dedupe_key="x", context={"text": text})
    lead_import = imports.upload(by=manager, file_name="x.csv", content=f"Contact,E-mail\nJo,{address}\nBo,\n".encode())
    import_batches.run_or_publish(lead_import.pk)
    privacy.erase_person(ran_by="root", address=ANN)
    other.refresh_from_db()
    notification.refresh_from_db()
    assert other.email == address
    assert other.email_normalised == address
    assert other.notes == text
    assert other.activities.get().notes == text
    assert notification.context == {"text": text}
    assert list(ImportRow.objects.order_by("line").values_list("state", "cells")) == [
        ("ready", ["Jo", address]),
        ("ready", ["Bo"]),
    ]


@pytest.mark.parametrize("text", MENTIONS_OF_ANN)
def test_each_spelling_of_the_persons_data_is_erased_everywhere(ann, make_lead, manager, text):
    other = make_lead(contact_name="Bob", email="bob@y.example", email_normalised="bob@y.example", notes=text)
    FieldChange.objects.create(lead=other, field="notes", old=text, new=[{"deep": text}], by=manager)
    Notification.objects.create(kind="x", recipient=manager, dedupe_key="x", context={"text": text})
    export = privacy.export_person(ran_by="root", address=ANN)
    assert {row["table"] for row in export["mentioned_in"]} >= {"leads", "field_changes"}
    privacy.erase_person(ran_by="root", address=ANN)
    other.refresh_from_db()
    change = FieldChange.objects.get()
    texts = [other.notes, change.old, change.new[0]["deep"], Notification.objects.get().context["text"]]
    assert list_words_in(("ann", "555", "0177", "smith"), texts) == []
    assert other.contact_name == "Bob"
    assert other.email == "bob@y.example"


def test_an_import_row_with_only_their_number_or_name_is_erased(ann, manager):
    lines = (
        "Contact,E-mail,Phone,Passengers",
        f"Ann,,{NUMBER},5",
        f"Ann,,{NUMBER},many",
        '"Ann ""AJ"" Smith\\Jones",,,many',
        '"Ann ""AJ"" Smith\\Jones",,,3',
        f"Bob,bob@y.example,{NUMBER},4",
        f"Zed,,,{NUMBER}",
        "Zed,,,4",
    )
    content = "\n".join(lines)
    lead_import = imports.upload(by=manager, file_name="x.csv", content=content.encode())
    import_batches.run_or_publish(lead_import.pk)
    privacy.erase_person(ran_by="root", address=ANN)
    rows = list(LeadImport.objects.get().rows.order_by("line").values_list("state", "cells"))
    assert rows[4] == ("ready", ["Bob", "bob@y.example", NUMBER, "4"])
    assert rows[6] == ("ready", ["Zed", "", "", "4"])
    assert list_words_in(("ann", "555"), [cells for _, cells in [*rows[:4], rows[5]]]) == []


@pytest.mark.parametrize("phone", ["n/a", "0", "none", "x"])
def test_a_phone_field_without_a_number_is_not_searched_for(make_lead, phone):
    make_lead(contact_name="Ann", email=ANN, email_normalised=ANN, phone=phone, phone_normalised="")
    other = make_lead(contact_name="Bob", email="bob@y.example", notes=f"Seats: {phone}")
    privacy.erase_person(ran_by="root", address=ANN)
    other.refresh_from_db()
    assert other.notes == f"Seats: {phone}"


def test_a_name_of_one_word_is_erased_only_in_the_same_case(make_lead):
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
    lead_import = imports.upload(by=manager, file_name="x.csv", content=content.encode())
    import_batches.run_or_publish(lead_import.pk)
    privacy.erase_person(ran_by="root", address=ANN)
    imports.start(by=manager, import_id=lead_import.pk, duplicates="create")
    import_batches.run_or_publish(lead_import.pk)
    notes_by_name = dict(Lead.objects.values_list("contact_name", "notes"))
    assert notes_by_name["Bob"] == "Knows [erased], [erased]"
    assert notes_by_name["Cy"] == "Knows [erased]"
    assert Lead.objects.get(contact_name="Bob").phone == NUMBER
