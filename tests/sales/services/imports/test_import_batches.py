"""The rows of a file become leads as `leads.create` and `leads.update` would make them, each once."""

import pytest
from django.db.models import Q

from notifications.kinds import UNLISTED
from notifications.models import Notification
from sales.models import FieldChange, ImportRow, Lead, LeadImport, LeadScoreHistory, LeadSource
from sales.services.imports import import_batches, import_undo, imports, row_staging
from sales.services.leads import leads
from sales.services.ownership import assignment
from tests.sales.services.imports.conftest import row_states

HEADER = "Company,Contact,Email,Phone,Passengers,Pickup\n"
FILE = HEADER + "Old,New contact,a@a.example,,40,\nB,,b@b.example,,,\nB again,Bea,B@b.example,,,\nC,,c@c.example,,,\n"


@pytest.fixture
def existing(make_lead):
    return make_lead(company_name="Old", email="a@a.example", email_normalised="a@a.example", phone_normalised="")


def get_facts(lead):
    """All columns of a lead but its key and the times of its creation."""
    skipped = {"id", "created_at", "updated_at", "score_updated_at", "version"}
    return {field.attname: getattr(lead, field.attname) for field in Lead._meta.fields if field.name not in skipped}


def make_rows(count):
    return HEADER + "".join(f"Company {number},,n{number}@x.example,,,\n" for number in range(count))


@pytest.fixture
def lead_by_hand_and_by_file(import_file, manager, make_lead, rep):
    """The same lead, created by the service and then by an import of a file."""
    ads = LeadSource.objects.create(name="Ads")
    won = make_lead(status="won", email="ann@smith.example", email_normalised="ann@smith.example")
    values = {
        "company_name": "Acme",
        "contact_name": "Ann",
        "email": "Ann@Smith.example",
        "phone": "(212) 555-0100",
        "status": "quoted",
        "estimated_passengers": 60,
        "estimated_value": "6000.50",
        "notes": "Two\nlines",
        "utm_source": "news",
        "source": ads.pk,
        "assigned_to": rep.pk,
    }
    by_hand = leads.create(by=manager, values=values)
    Lead.objects.filter(pk=by_hand.pk).delete()
    import_file(
        "Company name,contact,e-mail,Telephone,stage,Pax,Value,Notes,UTM Source,Source,Owner\n"
        'Acme,Ann,Ann@Smith.example,(212) 555-0100,Quoted,60,"$6,000.50","Two\nlines",news,ads,MARIA@example.com\n'
    )
    return by_hand, Lead.objects.exclude(pk=won.pk).get()


def test_an_imported_lead_is_what_the_service_would_create(lead_by_hand_and_by_file):
    by_hand, by_file = lead_by_hand_and_by_file
    stamps = ("first_contacted_at", "qualified_at", "quoted_at")
    facts, expected = get_facts(by_file), get_facts(by_hand)
    assert {name: value for name, value in facts.items() if name not in stamps} == {
        name: value for name, value in expected.items() if name not in stamps
    }
    assert by_file.is_repeat
    assert by_file.score > 0
    assert by_file.quoted_at is not None
    assert by_file.quoted_at == by_file.qualified_at == by_file.first_contacted_at


def test_an_imported_lead_has_its_import_in_its_histories(lead_by_hand_and_by_file, manager):
    _, lead = lead_by_hand_and_by_file
    lead_import = LeadImport.objects.get()
    score_history = LeadScoreHistory.objects.get(lead=lead)
    assert score_history.reason == "Imported from leads.csv"
    assert score_history.user == manager
    assert score_history.new_score == lead.score
    change = FieldChange.objects.get(lead=lead)
    assert change.field == "import"
    assert change.new == lead_import.pk
    assert change.by == manager


def test_leads_without_an_owner_are_assigned_by_the_rules_and_found(import_file, manager, rep, colleague, desk):
    conditions = [{"field": "estimated_passengers", "operator": "at_least", "value": "40"}]
    rule = {"rule_name": "Big groups", "position": 1, "conditions": conditions, "to_team": desk}
    assignment.create_rule(by=manager, values=rule)

    import_file(HEADER + "".join(f"Club {n},,,,{count},\n" for n, count in enumerate((50, 10, 40, 60))))

    imported = list(Lead.objects.order_by("pk"))
    assert [lead.assigned_to for lead in imported] == [rep, None, colleague, rep]
    assert list(Lead.objects.search("club 2")) == [imported[2]]
    assert sorted(Notification.objects.values_list("kind", "recipient")) == sorted(
        [("leads_received", rep.pk), ("leads_received", colleague.pk)]  # but not the manager, who imported them
    )


@pytest.mark.parametrize("count", [1, import_batches.MAX_NAMED_LEADS, import_batches.MAX_NAMED_LEADS + 1])
def test_each_owner_is_notified_once_of_all_their_leads(import_file, manager, rep, colleague, stranger, count):
    owners = [rep.email] * count + [colleague.email, manager.email]
    lead_import = import_file("Company,Owner\n" + "".join(f"Club {n},{owner}\n" for n, owner in enumerate(owners)))

    notifications = {notification.recipient: notification for notification in Notification.objects.all()}
    assert notifications.keys() == {rep, colleague}
    context = notifications[rep].context
    lead_ids = list(Lead.objects.filter(assigned_to=rep).order_by("pk").values_list("pk", flat=True))
    named = import_batches.MAX_NAMED_LEADS
    assert notifications[rep].dedupe_key == f"imported:{lead_import.pk}:{rep.pk}"
    assert context["count"] == count
    assert context["leads"] == [{"id": lead_id, "name": f"Club {n}"} for n, lead_id in enumerate(lead_ids[:named])]
    assert context[UNLISTED] == lead_ids[named:]
    assert notifications[colleague].context["count"] == 1


@pytest.mark.parametrize(
    ("duplicates", "states", "companies"),
    [
        ("skip", ["skipped", "created", "skipped", "created"], ["B", "C", "Old"]),
        ("update", ["updated", "created", "updated", "created"], ["B again", "C", "Old"]),
        ("create", ["created", "created", "created", "created"], ["B", "B again", "C", "Old", "Old"]),
    ],
)
def test_what_happens_to_duplicates(import_file, existing, duplicates, states, companies):
    lead_import = import_file(FILE, duplicates)
    assert list(row_states(lead_import).values()) == states
    assert sorted(Lead.objects.values_list("company_name", flat=True)) == companies


def test_an_update_is_in_the_history_of_the_lead(import_file, existing, manager):
    lead_import = import_file(FILE, "update")
    changes = FieldChange.objects.filter(lead=existing).order_by("pk").values_list("field", "old", "new", "by")
    assert list(changes) == [
        ("contact_name", "", "New contact", manager.pk),
        ("estimated_passengers", None, 40, manager.pk),
        ("import", None, lead_import.pk, manager.pk),
    ]


def test_an_update_leaves_status_owner_and_the_leads_of_others_alone(import_file, make_lead, stranger):
    shared = {"phone_normalised": "", "email": "a@a.example", "email_normalised": "a@a.example"}
    others = [
        make_lead(company_name="Hidden", assigned_to=stranger, **shared),
        make_lead(company_name="Closed", status="won", **shared),
        make_lead(company_name="Unrelated", email="z@z.example", email_normalised="z@z.example"),
    ]
    lead = make_lead(company_name="Visible", **shared)
    before = list(Lead.objects.exclude(pk=lead.pk).order_by("pk").values())

    import_file("Company,Email,Status,Owner\nNew name,a@a.example,quoted,otto@example.com\n", "update")

    lead.refresh_from_db()
    assert lead.company_name == "New name"
    assert lead.status == "new"
    assert lead.assigned_to is None
    assert lead.version == 2
    assert list(Lead.objects.filter(pk__in=[other.pk for other in others]).order_by("pk").values()) == before


def test_extra_contacts_are_added_to_the_notes_once_and_take_nothing_out(import_file, make_lead):
    lead = make_lead(
        email="a@a.example", email_normalised="a@a.example", notes="Nice people", phone="", phone_normalised=""
    )
    text = (
        "Company,Email,Phone,Mobile\n"
        "A,a@a.example; b@a.example,212 555 0100,212 555 0101\n"
        "B,,212 555 0102,212 555 0103\n"
    )
    for _ in range(2):
        import_file(text, "update")
    lead.refresh_from_db()
    assert lead.notes == "Nice people\nEmail: b@a.example\nMobile: 212 555 0101"
    assert Lead.objects.get(company_name="B").notes == "Mobile: 212 555 0103"


def test_a_step_leaves_the_rows_of_other_imports_alone(upload, import_file, existing):
    """One import is staged, one checked, one imported; each has rows as the new import has them."""
    staged, checked, imported = upload(FILE), upload(FILE), import_file(FILE, "update")
    staged.rows.update(state="staged")
    LeadImport.objects.filter(pk=staged.pk).update(state="checking")
    before = list(ImportRow.objects.order_by("pk").values())

    lead_import = import_file(FILE, "update")

    assert set(row_states(lead_import).values()) <= {"updated", "skipped"}
    assert list(ImportRow.objects.exclude(lead_import=lead_import).order_by("pk").values()) == before
    assert {row["lead_import_id"] for row in before} == {staged.pk, checked.pk, imported.pk}


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5])
def test_files_just_below_at_and_above_a_batch(upload, undo, manager, monkeypatch, count):
    """Every step does all rows, whether or not they fill its last batch."""
    for module in (row_staging, import_batches, import_undo):
        monkeypatch.setattr(module, "BATCH_ROWS", 2)
    lead_import = upload(make_rows(count))
    assert lead_import.state == "checked"
    assert lead_import.total == lead_import.processed == count
    assert set(row_states(lead_import).values()) == {"ready"}

    imports.start(by=manager, import_id=lead_import.pk, duplicates="skip")
    import_batches.run_or_publish(lead_import.pk)
    lead_import.refresh_from_db()
    assert lead_import.state == "done"
    assert lead_import.total == lead_import.processed == count
    assert set(row_states(lead_import).values()) == {"created"}
    assert Lead.objects.order_by().values("email").distinct().count() == Lead.objects.count() == count

    undo(lead_import)
    assert lead_import.state == "undone"
    assert lead_import.total == lead_import.processed == count
    assert set(row_states(lead_import).values()) == {"undone"}
    assert not Lead.objects.filter(archived_at=None).exists()


@pytest.mark.parametrize("created", [0, 1, 2, 3])
@pytest.mark.parametrize("updated", [0, 1, 2, 3])
def test_leads_are_updated_when_all_are_created_whatever_the_batches(
    import_file, make_lead, monkeypatch, created, updated
):
    monkeypatch.setattr(import_batches, "BATCH_ROWS", 2)
    for number in range(updated):
        make_lead(company_name="Old", email=f"u{number}@x.example", email_normalised=f"u{number}@x.example")
    updates = "".join(f"New,,u{number}@x.example,,,\n" for number in range(updated))
    creates = "".join(f"Company {number},,c{number}@x.example,,,\n" for number in range(created))
    # A row for the last created lead: it is updated when it is there.
    last = f"Again,,c{created - 1}@x.example,,,\n" if created else ""

    lead_import = import_file(
        HEADER + updates + creates + last + ("" if updated or created else "Other,,,,,\n"), "update"
    )

    assert lead_import.state == "done"
    assert not lead_import.rows.filter(Q(state="ready") | Q(lead=None)).exists()
    assert Lead.objects.filter(company_name="New").count() == updated
    assert Lead.objects.filter(company_name="Again").count() == (1 if created else 0)
    assert Lead.objects.count() == (updated + created or 1)


def test_a_killed_worker_loses_nothing_and_nothing_is_done_twice(upload, manager, monkeypatch):
    monkeypatch.setattr(import_batches, "BATCH_ROWS", 2)
    lead_import = upload(make_rows(7))
    imports.start(by=manager, import_id=lead_import.pk, duplicates="skip")
    assert import_batches.run_all(max_batches=2) == 2

    def be_killed(*args):
        raise SystemExit

    with monkeypatch.context() as patch:
        patch.setattr(import_batches, "_save_progress", be_killed)  # after the leads of the batch are written
        with pytest.raises(SystemExit):
            import_batches.run_all()
    lead_import.refresh_from_db()
    assert lead_import.state == "importing"
    assert lead_import.processed == Lead.objects.count() == 4

    import_batches.run_all()
    lead_import.refresh_from_db()
    assert lead_import.state == "done"
    assert lead_import.processed == Lead.objects.count() == 7
    assert Lead.objects.order_by().values("email").distinct().count() == 7


def test_a_worker_killed_in_the_last_batch_notifies_nobody_twice(upload, manager, rep, monkeypatch):
    lead_import = upload(f"Company,Owner\nA,{rep.email}\n")
    imports.start(by=manager, import_id=lead_import.pk, duplicates="skip")

    def be_killed(*args):
        raise SystemExit

    with monkeypatch.context() as patch:
        patch.setattr(import_batches, "_save_progress", be_killed)
        with pytest.raises(SystemExit):
            import_batches.run_all()
    assert Notification.objects.count() == Lead.objects.count() == 0

    import_batches.run_all()
    assert Notification.objects.count() == Lead.objects.count() == 1


@pytest.mark.parametrize(("rows", "state"), [(3, "checked"), (4, "checking")], ids=["at the limit", "one row more"])
def test_a_large_import_is_left_to_the_workers(upload, monkeypatch, rows, state):
    monkeypatch.setattr(import_batches, "MAX_SMALL_ROWS", 3)
    lead_import = upload(HEADER + "A,,,,,\n" * rows)
    assert lead_import.state == state

    import_batches.run_all()
    lead_import.refresh_from_db()
    assert lead_import.state == "checked"
    assert lead_import.processed == rows


def test_an_error_stops_the_import_and_what_it_created_can_be_undone(upload, undo, manager, monkeypatch):
    monkeypatch.setattr(import_batches, "BATCH_ROWS", 1)
    lead_import, other = upload(HEADER + "A,,,,,\nB,,,,,\n"), upload(HEADER + "C,,,,,\n")
    imports.start(by=manager, import_id=lead_import.pk, duplicates="skip")
    import_batches.run_all(max_batches=1)
    with monkeypatch.context() as patch:
        patch.setattr(import_batches, "_save_progress", lambda *args: 1 / 0)
        import_batches.run_all()

    lead_import.refresh_from_db()
    assert lead_import.state == "failed"
    assert lead_import.error == "ZeroDivisionError: division by zero"
    assert Lead.objects.count() == 1

    undo(lead_import)
    assert Lead.objects.filter(archived_at=None).count() == 0
    other.refresh_from_db()
    assert other.state == "checked"
