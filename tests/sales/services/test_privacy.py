"""A person's data is exported completely and erased everywhere, and the reports stay the same."""

import json
from datetime import date
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.urls import reverse

from athena.api.renderers import JSONRenderer
from notifications import delivery
from notifications.models import Delivery, Notification
from sales import errors
from sales.models import (
    Activity,
    FieldChange,
    FollowUp,
    ImportFile,
    IntakeForm,
    Lead,
    LeadExport,
    PrivacyRequest,
)
from sales.queries import personal_data
from sales.queries.timeline.timeline import Timeline
from sales.services import activities, privacy
from sales.services.follow_ups import follow_ups
from sales.services.follow_ups.completion import CompletionInput
from sales.services.imports import import_batches, imports
from sales.services.leads import intake, leads
from sales.services.ownership import transfers

ADDRESS = "Zoe.Quill+bus@Quill.example"
TRACES = (
    "zoe.quill",
    "quill.example",
    "Zoë Quill-Ångström",
    "Quillworks",
    "5550177",
    "555 0177",
    "555-0177",
    "12 Elm Lane",
)


def dump_database():
    """Return the rows of all tables as text. Escaped characters (as in JSON) are also there in readable form."""
    with connection.cursor() as cursor:
        tables = []
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT * FROM "{table}"')
            tables.append(f"{table}: {cursor.fetchall()!r}")
    text = "\n".join(tables)
    return text + text.encode().decode("unicode_escape", "replace")


def list_traces():
    """The words of the person that are still in the database."""
    text = dump_database().casefold()
    return [trace for trace in TRACES if trace.casefold() in text]


def read_reported_values():
    """The values that reports use, which erasing must not change."""
    return {
        "leads": list(
            Lead.objects.order_by("pk").values_list(
                "pk",
                "status",
                "score",
                "estimated_value",
                "created_at",
                "pickup_at",
                "follow_up_count",
                "campaign",
                "assigned_to",
                "next_follow_up_date",
                "last_activity_at",
                "estimated_passengers",
            )
        ),
        "activities": list(Activity.objects.order_by("pk").values_list("pk", "activity_type", "occurred_at")),
        "follow-ups": list(FollowUp.objects.order_by("pk").values_list("pk", "completed", "outcome", "due_at")),
        "notifications": Notification.objects.count(),
    }


@pytest.fixture
def zoe_and_other_lead(
    manager, rep, colleague, browse, api, make_lead, tmp_path, settings, django_capture_on_commit_callbacks
):
    """Zoë's lead, and another lead that mentions her. Every table that can mention a person mentions her."""
    settings.MAIL_DIR = tmp_path
    settings.EMAIL_BACKEND = "notifications.channels.eml.EmailBackend"
    body = {
        "company_name": "Quillworks",
        "contact_name": "Zoë Quill-Ångström",
        "email": ADDRESS,
        "phone": "(212) 555-0177",
        "notes": "Zoë is nice",
        "itinerary": "12 Elm Lane",
        "pickup_location": "12 Elm Lane",
        "estimated_value": 900,
        "campaign": "spring",
        "utm_content": "zoe.quill+bus@quill.example",
        "estimated_passengers": 40,
        "assigned_to": rep.pk,
    }
    response = api(manager).post(
        "/api/v1/sales/leads", JSONRenderer().render(body), content_type="application/json", HTTP_IDEMPOTENCY_KEY="k1"
    )
    assert response.status_code == 201, response.data
    lead = Lead.objects.get()
    activities.log(
        by=rep,
        lead_id=lead.pk,
        activity_type="email",
        direction="inbound",
        description=f"{ADDRESS} wrote",
        notes="From Quillworks",
        data={"from": ADDRESS},
    )
    follow_up = follow_ups.create(
        by=rep, lead_id=lead.pk, follow_up_type="call", scheduled_date=date(2099, 1, 5), notes="Ask Zoë Quill-Ångström"
    )
    follow_ups.update(by=rep, follow_up_id=follow_up.pk, changes={"notes": "Ask Zoë Quill-Ångström again"})
    follow_ups.complete(
        by=rep,
        follow_up_id=follow_up.pk,
        completion_input=CompletionInput(outcome="successful", notes="Call 212 555 0177 again"),
    )
    leads.update(by=rep, lead_id=lead.pk, changes={"phone": "+1 212 555 0177"})
    transfers.transfer(by=manager, leads=Lead.objects.all(), to_user_id=colleague.pk, reason="Zoë Quill-Ångström asked")
    client = browse(manager)
    lead_url = reverse("admin:sales_lead_change", args=[lead.pk])
    assert client.get(lead_url).status_code == 200
    client.post(
        reverse("admin:sales_activity_add"), {"lead": lead.pk, "activity_type": "note", "description": "Quillworks"}
    )
    LeadExport.objects.create(by=manager, file_format="csv", filters={"q": [ADDRESS.upper()]})
    for text in (
        f"Company,E-mail,Phone\nQuillworks,{ADDRESS},\n",
        f"Contact,E-mail,Notes\nZoë Quill-Ångström,x,{ADDRESS}\n",
    ):
        lead_import = imports.upload(by=manager, file_name=f"{ADDRESS}.csv", content=text.encode())
        import_batches.run_or_publish(lead_import.pk)
    other = make_lead(
        company_name="Mill Corps",
        contact_name="Bob",
        phone="+1 646 555 0100",
        notes=f"Sent by {ADDRESS.upper()}, zoë quill-ångström, +12125550177 and 212.555.0177. Call Zoë.",
    )
    delivery.deliver()
    assert any(b"Quillworks" in path.read_bytes() for path in tmp_path.glob("*.eml"))
    (tmp_path / "unrelated.eml").write_bytes(b"Subject: Hello\n\nNobody\n")
    Lead.objects.create(company_name="Twice", email=ADDRESS.lower())  # without the services: not normalised yet
    return lead, other


def test_all_personal_data_is_erased_and_the_reports_stay_the_same(
    zoe_and_other_lead, tmp_path, settings, django_capture_on_commit_callbacks
):
    lead, other = zoe_and_other_lead
    values_before = read_reported_values()
    assert list_traces() == list(TRACES)
    with django_capture_on_commit_callbacks(execute=True):
        erased = privacy.erase_person(ran_by="root", address=ADDRESS.upper())
    assert list_traces() == []
    assert read_reported_values() == values_before
    assert erased.leads == 2
    other.refresh_from_db()
    assert other.company_name == "Mill Corps"
    assert other.contact_name == "Bob"
    assert other.phone == "+1 646 555 0100"
    assert other.notes == "Sent by [erased], [erased], [erased] and [erased]. Call Zoë."
    lead.refresh_from_db()
    assert str(lead) == "[erased]"
    assert lead.email == ""
    assert lead.email_normalised == ""
    assert lead.phone_normalised == ""
    assert [path.name for path in tmp_path.glob("*.eml")] == ["unrelated.eml"]
    request = PrivacyRequest.objects.get()
    assert request.action == "erase"
    assert request.ran_by == "root"
    assert request.leads == 2
    assert request.rows == erased.rows
    assert request.person == privacy.hash_address(ADDRESS)
    assert privacy.erase_person(ran_by="root", address=ADDRESS) == privacy.ErasureCounts(0, 0)


def test_waiting_notifications_can_still_be_sent(zoe_and_other_lead, settings):
    Delivery.objects.update(state="waiting", ended_at=None, attempts=0)
    privacy.erase_person(ran_by="root", address=ADDRESS)
    assert set(delivery.deliver()) == {"sent", "lapsed"}
    assert Delivery.objects.get(state="lapsed").notification.kind == "lead_assigned"  # to the previous owner


def test_shared_names_and_numbers_stay_with_the_other_person(zoe_and_other_lead, make_lead):
    make_lead(company_name="Quillworks", phone="2125550177", phone_normalised="+12125550177", notes="Of Quillworks")
    privacy.erase_person(ran_by="root", address=ADDRESS)
    other = Lead.objects.get(phone="2125550177")
    assert other.company_name == "Quillworks"
    assert other.phone_normalised == "+12125550177"
    assert other.notes == "Of Quillworks"


@pytest.fixture
def shared_lead(make_lead, rep):
    """Ann's lead, which Zoë's two inquiries joined because both gave the same phone number."""
    form = IntakeForm.objects.create(name="Site", key="k" * 20)
    shared = {"phone": "(212) 555-0188"}
    for name, address in (("Ann Field", "ann@field.example"), ("Zoë", ADDRESS)):
        values = {"contact_name": name, "email": address, "notes": f"Email: other@x.example\nThe plan of {name}"}
        intake.receive_inquiry(form=form, values={**values, **shared})
    lead = Lead.objects.get()
    Lead.objects.update(assigned_to=rep)
    intake.receive_inquiry(form=form, values={"contact_name": "Zoë", "email": ADDRESS, "notes": "Third time", **shared})
    return lead


def list_inquiry_notes():
    """The notes of the inquiries of both people, oldest first."""
    return list(Activity.objects.filter(activity_type="quote_requested").order_by("pk").values_list("notes", flat=True))


def test_the_persons_inquiry_in_another_lead_is_erased_and_nothing_else(shared_lead, make_lead):
    anns_notes, _, _ = list_inquiry_notes()
    assert privacy.erase_person(ran_by="root", address=ADDRESS).leads == 0
    assert list_inquiry_notes() == [anns_notes, "", ""]
    assert "The plan of Ann Field" in anns_notes
    assert "Third time" not in dump_database()
    shared_lead.refresh_from_db()
    assert shared_lead.contact_name == "Ann Field"
    assert shared_lead.email == "ann@field.example"


def test_another_persons_inquiry_in_the_persons_lead_stays(shared_lead):
    _, *zoes_notes = list_inquiry_notes()
    privacy.erase_person(ran_by="root", address="ann@field.example")
    number = "(212) 555-0188"
    assert list_inquiry_notes() == ["", *(notes.replace(number, "[erased]") for notes in zoes_notes)]
    assert "ann" not in [word.strip("@.") for word in dump_database().casefold().split()]


def test_an_export_has_the_persons_inquiries_and_not_those_of_others(shared_lead):
    anns_data = privacy.export_person(ran_by="root", address="ann@field.example")
    zoes_data = privacy.export_person(ran_by="root", address=ADDRESS)
    assert [row["notes"] for row in anns_data["activities"]] == list_inquiry_notes()[:1]
    assert [row["notes"] for row in zoes_data["activities"]] == list_inquiry_notes()[1:]


def test_an_old_inquiry_without_a_stored_address_is_erased_by_its_notes(shared_lead):
    for activity in Activity.objects.filter(activity_type="quote_requested"):
        activity.data.pop("email")
        activity.save()
    anns_notes, _, _ = list_inquiry_notes()
    privacy.erase_person(ran_by="root", address=ADDRESS)
    assert list_inquiry_notes() == [anns_notes, "", ""]


def test_the_old_values_of_a_corrected_activity_are_erased(rep, make_lead):
    lead = make_lead(assigned_to=rep, email=ADDRESS, email_normalised=ADDRESS.casefold())
    note = activities.log(by=rep, lead_id=lead.pk, activity_type="note", notes="Wife is called Xanthippe")
    activities.correct(by=rep, activity_id=note.pk, changes={"notes": "No more"})
    assert "Xanthippe" in dump_database()
    privacy.erase_person(ran_by="root", address=ADDRESS)
    assert "Xanthippe" not in dump_database()
    titles = [item["title"] for item in Timeline(lead.pk).read(50)]
    assert "Activity corrected" in titles


def test_all_field_changes_are_emptied_except_those_for_reports(rep, make_lead):
    """Includes every name that the code writes, and one that it doesn't know."""
    lead = make_lead(assigned_to=rep, email=ADDRESS, email_normalised=ADDRESS.casefold())
    field_names = [
        *leads.WRITABLE_FIELDS,
        "activity",
        "follow_up",
        "merged",
        "archived",
        "cadence",
        "import",
        "something_new",
    ]
    FieldChange.objects.bulk_create(
        FieldChange(lead=lead, field=name, old="a word", new="another word") for name in field_names
    )
    privacy.erase_person(ran_by="root", address=ADDRESS)
    kept = FieldChange.objects.exclude(old=None, new=None).values_list("field", flat=True)
    assert set(kept) == personal_data.KEPT_CHANGES


def test_an_export_has_everything(zoe_and_other_lead, tmp_path):
    target = tmp_path / "person.json"
    call_command("export_person", ADDRESS, to=target)
    export = json.loads(target.read_text())
    assert target.stat().st_mode & 0o777 == 0o600
    assert {table: len(rows) for table, rows in export.items() if table != "person"} == {
        "leads": 2,
        "activities": 5,
        "field_changes": 3,
        "follow_ups": 1,
        "import_rows": 2,
        "lead_score_history": 2,
        "lead_search": 1,
        "lead_transfers": 1,
        "notifications": 3,
        "mentioned_in": 8,
    }
    assert export["leads"][0]["email"] == ADDRESS
    assert sorted(mention["table"] for mention in export["mentioned_in"]) == [
        "django_admin_log",
        "idempotency_keys",
        "lead_exports",
        "lead_imports",
        "lead_imports",
        "lead_search",
        "leads",
        "transfer_batches",
    ]
    assert PrivacyRequest.objects.get().action == "export"
    with pytest.raises(CommandError, match="cannot be created"):
        call_command("export_person", ADDRESS, to=target)


def test_the_erase_command_asks_for_confirmation(zoe_and_other_lead, monkeypatch):
    monkeypatch.setattr("builtins.input", lambda _: "no")
    with pytest.raises(CommandError, match="Nothing was erased"):
        call_command("erase_person", ADDRESS)
    assert Lead.objects.filter(email=ADDRESS).exists()
    out = StringIO()
    call_command("erase_person", ADDRESS, yes=True, stdout=out)
    assert out.getvalue().startswith("Erased: 2 leads, and mentions of them in ")


@pytest.mark.parametrize("address", ["", "nobody", "@", "maria@example.com"])
def test_addresses_that_are_refused(rep, address):
    with pytest.raises(errors.Invalid):
        privacy.erase_person(ran_by="root", address=address)
    with pytest.raises(CommandError):
        call_command("export_person", address)


def test_nobody_can_be_erased_while_an_import_is_being_checked(manager):
    imports.upload(by=manager, file_name="x.csv", content=f"Company,E-mail\nA,{ADDRESS}\n".encode())
    with pytest.raises(errors.Conflict):
        privacy.erase_person(ran_by="root", address=ADDRESS)
    import_batches.run_all()
    assert ImportFile.objects.count() == 0
    privacy.erase_person(ran_by="root", address=ADDRESS)
    assert "quill" not in dump_database().casefold()
