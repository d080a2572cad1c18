"""A person gets a copy of everything, and is forgotten everywhere; the figures stay."""

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


def dump():
    """All that a dump of the database would hold, as text; JSON as people read it."""
    with connection.cursor() as cursor:
        found = []
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT * FROM "{table}"')
            found.append(f"{table}: {cursor.fetchall()!r}")
    text = "\n".join(found)
    return text + text.encode().decode("unicode_escape", "replace")


def traces():
    text = dump().casefold()
    return [trace for trace in TRACES if trace.casefold() in text]


def figures():
    return {
        "leads": list(
            Lead.objects.order_by("pk").values_list(
                *("pk", "status", "score", "estimated_value", "created_at", "pickup_at", "follow_up_count", "campaign"),
                *("assigned_to", "next_follow_up_date", "last_activity_at", "estimated_passengers"),
            )
        ),
        "activities": list(Activity.objects.order_by("pk").values_list("pk", "activity_type", "occurred_at")),
        "follow-ups": list(FollowUp.objects.order_by("pk").values_list("pk", "completed", "outcome", "due_at")),
        "told": Notification.objects.count(),
    }


@pytest.fixture
def story(manager, rep, colleague, browse, api, make_lead, tmp_path, settings, django_capture_on_commit_callbacks):
    """A person of whom something is said wherever something can be said."""
    settings.MAIL_DIR = tmp_path
    settings.EMAIL_BACKEND = "notifications.channels.eml.EmailBackend"
    body = {
        "company_name": "Quillworks", "contact_name": "Zoë Quill-Ångström", "email": ADDRESS, "phone": "(212) 555-0177",
        "notes": "Zoë is nice", "itinerary": "12 Elm Lane", "pickup_location": "12 Elm Lane", "estimated_value": 900,
        "campaign": "spring", "utm_content": "zoe.quill+bus@quill.example", "estimated_passengers": 40,
        "assigned_to": rep.pk,
    }  # fmt: skip
    answer = api(manager).post(
        "/api/v1/sales/leads", JSONRenderer().render(body), content_type="application/json", HTTP_IDEMPOTENCY_KEY="k1"
    )
    assert answer.status_code == 201, answer.data
    lead = Lead.objects.get()
    activities.log(by=rep, lead_id=lead.pk, activity_type="email", direction="inbound",
                   description=f"{ADDRESS} wrote", notes="From Quillworks", data={"from": ADDRESS})  # fmt: skip
    plan = follow_ups.create(
        by=rep, lead_id=lead.pk, follow_up_type="call", scheduled_date=date(2099, 1, 5), notes="Ask Zoë Quill-Ångström"
    )
    follow_ups.update(by=rep, follow_up_id=plan.pk, changes={"notes": "Ask Zoë Quill-Ångström again"})
    follow_ups.complete(
        by=rep,
        follow_up_id=plan.pk,
        completion_input=CompletionInput(outcome="successful", notes="Call 212 555 0177 again"),
    )
    leads.update(by=rep, lead_id=lead.pk, changes={"phone": "+1 212 555 0177"})
    transfers.transfer(by=manager, leads=Lead.objects.all(), to_user_id=colleague.pk, reason="Zoë Quill-Ångström asked")
    client = browse(manager)
    change = reverse("admin:sales_lead_change", args=[lead.pk])
    assert client.get(change).status_code == 200
    client.post(
        reverse("admin:sales_activity_add"), {"lead": lead.pk, "activity_type": "note", "description": "Quillworks"}
    )
    LeadExport.objects.create(by=manager, file_format="csv", filters={"q": [ADDRESS.upper()]})
    for text in (
        f"Company,E-mail,Phone\nQuillworks,{ADDRESS},\n",
        f"Contact,E-mail,Notes\nZoë Quill-Ångström,x,{ADDRESS}\n",
    ):
        made = imports.upload(by=manager, file_name=f"{ADDRESS}.csv", content=text.encode())
        import_batches.run_or_publish(made.pk)
    other = make_lead(
        company_name="Mill Corps", contact_name="Bob", phone="+1 646 555 0100",
        notes=f"Sent by {ADDRESS.upper()}, zoë quill-ångström, +12125550177 and 212.555.0177. Call Zoë.",
    )  # fmt: skip
    delivery.deliver()
    assert any(b"Quillworks" in path.read_bytes() for path in tmp_path.glob("*.eml"))
    (tmp_path / "unrelated.eml").write_bytes(b"Subject: Hello\n\nNobody\n")
    Lead.objects.create(company_name="Twice", email=ADDRESS.lower())  # by plain SQL: not normalised yet
    return lead, other


def test_all_personal_data_is_erased_and_the_reports_stay_the_same(
    story, tmp_path, settings, django_capture_on_commit_callbacks
):
    lead, other = story
    before = figures()
    assert traces() == list(TRACES)
    with django_capture_on_commit_callbacks(execute=True):
        erased = privacy.erase_person(ran_by="root", address=ADDRESS.upper())
    assert traces() == []
    assert figures() == before
    assert erased.leads == 2
    other.refresh_from_db()
    assert (other.company_name, other.contact_name, other.phone) == ("Mill Corps", "Bob", "+1 646 555 0100")
    assert other.notes == "Sent by [erased], [erased], [erased] and [erased]. Call Zoë."
    lead.refresh_from_db()
    assert (str(lead), lead.email, lead.email_normalised, lead.phone_normalised) == ("[erased]", "", "", "")
    assert [path.name for path in tmp_path.glob("*.eml")] == ["unrelated.eml"]
    record = PrivacyRequest.objects.get()
    assert (record.action, record.ran_by, record.leads, record.rows, record.person) == (
        "erase", "root", 2, erased.rows, privacy.hash_address(ADDRESS),
    )  # fmt: skip
    assert privacy.erase_person(ran_by="root", address=ADDRESS) == privacy.ErasureCounts(0, 0)


def test_waiting_notifications_can_still_be_sent(story, settings):
    Delivery.objects.update(state="waiting", ended_at=None, attempts=0)
    privacy.erase_person(ran_by="root", address=ADDRESS)
    assert set(delivery.deliver()) == {"sent", "lapsed"}
    assert Delivery.objects.get(state="lapsed").notification.kind == "lead_assigned"  # to the owner before


def test_shared_names_and_numbers_stay_with_the_other_person(story, make_lead):
    make_lead(company_name="Quillworks", phone="2125550177", phone_normalised="+12125550177", notes="Of Quillworks")
    privacy.erase_person(ran_by="root", address=ADDRESS)
    found = Lead.objects.get(phone="2125550177")
    assert (found.company_name, found.phone_normalised, found.notes) == ("Quillworks", "+12125550177", "Of Quillworks")


@pytest.fixture
def two_people(make_lead, rep):
    """Ann asked first; Zoë wrote with Ann's number (a switchboard's), so what she wrote joined Ann's lead."""
    form = IntakeForm.objects.create(name="Site", key="k" * 20)
    shared = {"phone": "(212) 555-0188"}
    for name, address in (("Ann Field", "ann@field.example"), ("Zoë", ADDRESS)):
        intake.receive_inquiry(form=form, values={
            "contact_name": name, "email": address, "notes": f"Email: other@x.example\nThe plan of {name}", **shared,
        })  # fmt: skip
    lead = Lead.objects.get()
    Lead.objects.update(assigned_to=rep)
    intake.receive_inquiry(form=form, values={"contact_name": "Zoë", "email": ADDRESS, "notes": "Third time", **shared})
    return lead


def wrote():
    return list(Activity.objects.filter(activity_type="quote_requested").order_by("pk").values_list("notes", flat=True))


def test_the_persons_inquiry_in_another_lead_is_erased_and_nothing_else(two_people, make_lead):
    (ann, _, _) = wrote()
    assert privacy.erase_person(ran_by="root", address=ADDRESS).leads == 0
    assert wrote() == [ann, "", ""]
    assert "The plan of Ann Field" in ann
    assert "Third time" not in dump()
    two_people.refresh_from_db()
    assert (two_people.contact_name, two_people.email) == ("Ann Field", "ann@field.example")


def test_another_persons_inquiry_in_the_persons_lead_stays(two_people):
    (_, *zoe) = wrote()
    privacy.erase_person(ran_by="root", address="ann@field.example")
    number = "(212) 555-0188"
    assert wrote() == ["", *(text.replace(number, "[erased]") for text in zoe)]
    assert "ann" not in [word.strip("@.") for word in dump().casefold().split()]


def test_an_export_has_the_persons_inquiries_and_not_those_of_others(two_people):
    ann = privacy.export_person(ran_by="root", address="ann@field.example")
    zoe = privacy.export_person(ran_by="root", address=ADDRESS)
    ours, theirs = ([row["notes"] for row in copy["activities"]] for copy in (ann, zoe))
    assert (ours, theirs) == (wrote()[:1], wrote()[1:])


def test_an_old_inquiry_without_a_stored_author(two_people):
    for activity in Activity.objects.filter(activity_type="quote_requested"):
        activity.data.pop("email")
        activity.save()
    (ann, _, _) = wrote()
    privacy.erase_person(ran_by="root", address=ADDRESS)
    assert wrote() == [ann, "", ""]


def test_the_old_values_of_a_corrected_activity_are_erased(rep, make_lead):
    lead = make_lead(assigned_to=rep, email=ADDRESS, email_normalised=ADDRESS.casefold())
    note = activities.log(by=rep, lead_id=lead.pk, activity_type="note", notes="Wife is called Xanthippe")
    activities.correct(by=rep, activity_id=note.pk, changes={"notes": "No more"})
    assert "Xanthippe" in dump()
    privacy.erase_person(ran_by="root", address=ADDRESS)
    assert "Xanthippe" not in dump()
    titles = [item["title"] for item in Timeline(lead.pk).read(50)]
    assert "Activity corrected" in titles


def test_all_field_changes_are_emptied_except_those_for_reports(rep, make_lead):
    """Each field that has ever been changed, and one that is to come."""
    lead = make_lead(assigned_to=rep, email=ADDRESS, email_normalised=ADDRESS.casefold())
    names = [
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
        FieldChange(lead=lead, field=name, old="a word", new="another word") for name in names
    )
    privacy.erase_person(ran_by="root", address=ADDRESS)
    left = FieldChange.objects.exclude(old=None, new=None).values_list("field", flat=True)
    assert set(left) == personal_data.KEPT_CHANGES


def test_an_export_has_everything(story, tmp_path):
    target = tmp_path / "person.json"
    call_command("export_person", ADDRESS, to=target)
    found = json.loads(target.read_text())
    assert target.stat().st_mode & 0o777 == 0o600
    assert {table: len(rows) for table, rows in found.items() if table != "person"} == {
        "leads": 2, "activities": 5, "field_changes": 3, "follow_ups": 1, "import_rows": 2, "lead_score_history": 2,
        "lead_search": 1, "lead_transfers": 1, "notifications": 3, "mentioned_in": 8,
    }  # fmt: skip
    assert found["leads"][0]["email"] == ADDRESS
    assert sorted(each["table"] for each in found["mentioned_in"]) == [
        "django_admin_log", "idempotency_keys", "lead_exports", "lead_imports", "lead_imports", "lead_search", "leads",
        "transfer_batches",
    ]  # fmt: skip
    assert PrivacyRequest.objects.get().action == "export"
    with pytest.raises(CommandError, match="cannot be created"):
        call_command("export_person", ADDRESS, to=target)


def test_the_command_asks_for_confirmation(story, monkeypatch):
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


def test_nobody_is_erased_while_a_file_is_being_read(manager):
    imports.upload(by=manager, file_name="x.csv", content=f"Company,E-mail\nA,{ADDRESS}\n".encode())
    with pytest.raises(errors.Conflict):
        privacy.erase_person(ran_by="root", address=ADDRESS)
    import_batches.run_all()
    assert ImportFile.objects.count() == 0
    privacy.erase_person(ran_by="root", address=ADDRESS)
    assert "quill" not in dump().casefold()
