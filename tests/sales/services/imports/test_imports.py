"""A file becomes leads as `leads.create` would have made them, once, and can be taken back."""

from datetime import timedelta

import pytest
from django.utils import timezone

from athena.accounts.roles import Role
from notifications.models import Notification
from sales import errors
from sales.models import FieldChange, ImportFile, ImportRow, Lead, LeadImport, LeadScoreHistory, LeadSource
from sales.services.imports import import_batches, imports
from sales.services.leads import leads
from sales.services.ownership import assignment

HEADER = "Company,Contact,E-mail,Phone,Passengers,Pickup\n"


@pytest.fixture
def send(manager):
    def send(text, by=manager, name="leads.csv"):
        content = text if isinstance(text, bytes) else text.encode()
        made = imports.upload(by=by, file_name=name, content=content)
        import_batches.run_or_publish(made.pk)
        made.refresh_from_db()
        return made

    return send


@pytest.fixture
def take_in(send, manager):
    def take_in(text, duplicates="skip"):
        made = send(text)
        imports.start(by=manager, import_id=made.pk, duplicates=duplicates)
        import_batches.run_or_publish(made.pk)
        made.refresh_from_db()
        return made

    return take_in


def states(lead_import):
    return dict(lead_import.rows.values_list("line", "state"))


def facts(lead):
    """All that a lead is, but for its key and the moments of its making."""
    skipped = {"id", "created_at", "updated_at", "score_updated_at", "version"}
    return {field.attname: getattr(lead, field.attname) for field in Lead._meta.fields if field.name not in skipped}


def test_an_imported_lead_is_what_create_would_have_made_of_it(take_in, manager, make_lead, rep):
    ads = LeadSource.objects.create(name="Ads")
    won = make_lead(status="won", email="ann@smith.example", email_normalised="ann@smith.example")
    values = {
        "company_name": "Acme", "contact_name": "Ann", "email": "Ann@Smith.example", "phone": "(212) 555-0100",
        "status": "quoted", "estimated_passengers": 60, "estimated_value": "6000.50", "notes": "Two\nlines",
        "utm_source": "news",
    }  # fmt: skip
    made = leads.create(by=manager, values={**values, "source": ads.pk, "assigned_to": rep.pk})
    Lead.objects.filter(pk=made.pk).delete()
    done = take_in(
        "Company name,contact,e-mail,Telephone,stage,Pax,Value,Notes,UTM Source,Source,Owner\n"
        'Acme,Ann,Ann@Smith.example,(212) 555-0100,Quoted,60,"$6,000.50","Two\nlines",news,ads,MARIA@example.com\n'
    )
    found = Lead.objects.exclude(pk=won.pk).get()
    assert (done.state, states(done)) == ("done", {2: "created"})
    assert found.quoted_at == found.qualified_at == found.first_contacted_at is not None
    assert found.is_repeat
    assert found.score > 0
    stamps = ("first_contacted_at", "qualified_at", "quoted_at")
    assert {k: v for k, v in facts(found).items() if k not in stamps} == {
        k: v for k, v in facts(made).items() if k not in stamps
    }
    history = LeadScoreHistory.objects.get(lead=found)
    assert (history.reason, history.user, history.new_score) == ("Imported from leads.csv", manager, found.score)
    assert FieldChange.objects.filter(lead=found).values_list("field", "new", "by").get() == (
        "import", done.pk, manager.pk,
    )  # fmt: skip
    told = Notification.objects.get(dedupe_key=f"imported:{done.pk}:{rep.pk}")
    assert (told.recipient, told.context["count"], told.context["leads"]) == (
        rep,
        1,
        [{"id": found.pk, "name": "Acme"}],
    )


def test_imported_leads_are_assigned_and_found(take_in, manager, rep, colleague, desk):
    """By the rules where the file names nobody: a team's people in turn; what no rule gives away waits."""
    big = [{"field": "estimated_passengers", "operator": "at_least", "value": "40"}]
    rule = {"position": 1, "conditions": big, "to_team": desk}
    assignment.create_rule(by=manager, values={"rule_name": "Big groups", **rule})
    rows = "".join(f"Club {number},,,,{passengers},\n" for number, passengers in enumerate((50, 10, 40, 60)))
    take_in(HEADER + rows)
    found = Lead.objects.order_by("pk")
    assert [lead.assigned_to for lead in found] == [rep, None, colleague, rep]
    assert list(Lead.objects.search("club 2")) == [found[2]]
    assert sorted(Notification.objects.values_list("kind", "recipient")) == sorted(
        [("leads_received", rep.pk), ("leads_received", colleague.pk)]  # the manager has imported them
    )


def test_the_preview_writes_no_lead_and_says_what_is_wrong_and_what_is_there(send, manager, make_lead):
    there = make_lead(email="a@a.example", email_normalised="a@a.example", phone_normalised="")
    made = send(
        HEADER
        + "A,,A@A.example,,,\n"  # there as a lead
        + ",,,,,\n"
        + "B,,b@b.example,212 555 0100,5,2026-09-14 8:30 AM\n"
        + "C,,,+1 212-555-0100,,\n"  # the phone of line 4
        + ",,nobody@x.example,,,\n"
        + "D,,no-address,,many,yesterday\n"
        + "=1+1,,,,,\n"
        + "'=D,,,,,\n"
    )
    assert (made.state, made.total, Lead.objects.count(), ImportFile.objects.count()) == ("checked", 7, 1, 0)
    assert states(made) == {
        2: "ready", 4: "ready", 5: "ready", 6: "wrong", 7: "wrong", 8: "wrong", 9: "ready"
    }  # fmt: skip
    marked = made.rows.exclude(same_as=None, same_line=None).values_list("line", "same_as", "same_line")
    assert list(marked) == [(2, there.pk, None), (5, None, 4)]
    assert dict(made.rows.filter(state="wrong").values_list("line", "problems")) == {
        6: {"Company": "Enter the name of the company or the contact."},
        7: {
            "Email": "This is not an e-mail address.",
            "Passengers": "A whole number is required.",
            "Pickup at": "A date is required, such as 2026-05-01 or 5/1/2026.",
        },
        8: {"Company": "This is a formula. Paste its value instead."},
    }
    assert made.rows.get(line=4).values == {
        "company_name": "B", "email": "b@b.example", "phone": "212 555 0100", "estimated_passengers": 5,
        "pickup_at": "2026-09-14T08:30:00+00:00",
    }  # fmt: skip
    assert made.rows.get(line=9).values == {"company_name": "=D"}


FILE = HEADER + "Old,New contact,a@a.example,,40,\nB,,b@b.example,,,\nB again,Bea,B@b.example,,,\nC,,c@c.example,,,\n"


@pytest.mark.parametrize(
    ("duplicates", "became", "names"),
    [
        ("skip", ["skipped", "created", "skipped", "created"], ["B", "C", "Old"]),
        ("update", ["updated", "created", "updated", "created"], ["B again", "C", "Old"]),
        ("create", ["created", "created", "created", "created"], ["B", "B again", "C", "Old", "Old"]),
    ],
)
def test_what_becomes_of_duplicates(take_in, make_lead, manager, duplicates, became, names):
    there = make_lead(company_name="Old", email="a@a.example", email_normalised="a@a.example", phone_normalised="")
    done = take_in(FILE, duplicates)
    assert list(states(done).values()) == became
    assert sorted(Lead.objects.values_list("company_name", flat=True)) == names
    changes = FieldChange.objects.filter(lead=there).order_by("pk").values_list("field", "old", "new", "by")
    expected = [("contact_name", "", "New contact", manager.pk), ("estimated_passengers", None, 40, manager.pk)]
    assert list(changes) == ([*expected, ("import", None, done.pk, manager.pk)] if duplicates == "update" else [])


def test_an_update_leaves_status_and_owner_alone_and_nobody_elses_or_closed_leads(take_in, make_lead, stranger):
    shared = {"phone_normalised": "", "email": "a@a.example", "email_normalised": "a@a.example"}
    theirs = make_lead(company_name="Theirs", assigned_to=stranger, **shared)
    closed = make_lead(company_name="Closed", status="won", **shared)
    mine = make_lead(company_name="Mine", **shared)
    before = [facts(lead) for lead in (theirs, closed)]
    take_in(
        "Company,E-mail,Status,Owner\nNew name,a@a.example,quoted,maria@example.com\n".replace("maria", "otto"),
        "update",
    )
    for lead in (theirs, closed, mine):
        lead.refresh_from_db()
    assert [facts(lead) for lead in (theirs, closed)] == before
    assert (mine.company_name, mine.status, mine.assigned_to, mine.version) == ("New name", "new", None, 2)


def test_undo_archives_what_was_made_and_gives_back_what_was_replaced(take_in, make_lead, manager):
    there = make_lead(company_name="Old", email="a@a.example", email_normalised="a@a.example", phone_normalised="")
    before = facts(there)
    done = take_in(FILE, "update")
    imports.undo(by=manager, import_id=done.pk)
    import_batches.run_or_publish(done.pk)
    done.refresh_from_db()
    there.refresh_from_db()
    assert (done.state, done.undone_by, set(states(done).values())) == ("undone", manager, {"undone"})
    assert facts(there) == before
    assert list(Lead.objects.filter(archived_at=None)) == [there]
    assert LeadScoreHistory.objects.filter(lead=there).count() in (0, 2)


def test_undo_keeps_and_lists_what_was_touched_since(take_in, make_lead, manager):
    there = make_lead(company_name="Old", email="a@a.example", email_normalised="a@a.example", phone_normalised="")
    done = take_in(FILE, "update")
    leads.update(by=manager, lead_id=there.pk, changes={"contact_name": "Somebody else"})
    leads.update(by=manager, lead_id=Lead.objects.get(company_name="C").pk, changes={"notes": "Called"})
    imports.undo(by=manager, import_id=done.pk)
    import_batches.run_or_publish(done.pk)
    there.refresh_from_db()
    assert (there.contact_name, there.estimated_passengers) == ("Somebody else", None)
    assert states(done) == {2: "kept", 3: "undone", 4: "undone", 5: "kept"}
    assert dict(done.rows.filter(state="kept").values_list("line", "problems")) == {
        2: {"contact name": "It has been changed since."}, 5: {"Lead": "Somebody has worked on this lead since."},
    }  # fmt: skip
    assert sorted(Lead.objects.filter(archived_at=None).values_list("company_name", flat=True)) == ["C", "Old"]


def test_a_killed_worker_loses_nothing_and_does_nothing_twice(send, manager, monkeypatch):
    monkeypatch.setattr(import_batches, "BATCH_ROWS", 2)
    made = send(HEADER + "".join(f"Company {n},,n{n}@x.example,,,\n" for n in range(7)))
    imports.start(by=manager, import_id=made.pk, duplicates="skip")
    assert import_batches.run_all(max_batches=2) == 2

    def killed(*args):
        raise SystemExit

    with monkeypatch.context() as patch:
        patch.setattr(import_batches, "_save_progress", killed)  # after the batch's leads are written
        with pytest.raises(SystemExit):
            import_batches.run_all()
    made.refresh_from_db()
    assert (made.state, made.processed, Lead.objects.count()) == ("importing", 4, 4)
    import_batches.run_all()
    made.refresh_from_db()
    assert (made.state, made.processed, Lead.objects.count()) == ("done", 7, 7)
    assert Lead.objects.order_by().values("email").distinct().count() == 7


def test_a_large_file_is_left_to_the_workers(send, manager, monkeypatch):
    monkeypatch.setattr(import_batches, "MAX_SMALL_ROWS", 3)
    made = send(HEADER + "A,,,,,\n" * 4)
    assert made.state == "checking"
    import_batches.run_all()
    made.refresh_from_db()
    assert (made.state, made.processed) == ("checked", 4)


def test_an_error_stops_the_import_and_what_was_made_can_be_undone(send, manager, monkeypatch):
    monkeypatch.setattr(import_batches, "BATCH_ROWS", 1)
    made = send(HEADER + "A,,,,,\nB,,,,,\n")
    imports.start(by=manager, import_id=made.pk, duplicates="skip")
    import_batches.run_all(max_batches=1)
    with monkeypatch.context() as patch:
        patch.setattr(import_batches, "_save_progress", lambda *args: 1 / 0)
        import_batches.run_all()
    made.refresh_from_db()
    assert (made.state, made.error, Lead.objects.count()) == ("failed", "ZeroDivisionError: division by zero", 1)
    imports.undo(by=manager, import_id=made.pk)
    import_batches.run_all()
    assert Lead.objects.filter(archived_at=None).count() == 0


def test_who_may_not(send, manager, rep, make_user):
    with pytest.raises(errors.NotAllowed):
        imports.upload(by=rep, file_name="x.csv", content=b"Company\nA\n")
    made = send(HEADER + "A,,,,,\n")
    other = make_user("other", Role.MANAGER, manager.team)
    for act in (imports.discard, imports.undo, lambda **kw: imports.start(duplicates="skip", **kw)):
        with pytest.raises(errors.NotFound):
            act(by=other, import_id=made.pk)
    with pytest.raises(errors.Conflict):
        imports.undo(by=manager, import_id=made.pk)
    with pytest.raises(errors.Invalid):
        imports.start(by=manager, import_id=made.pk, duplicates="")
    imports.discard(by=manager, import_id=made.pk)
    with pytest.raises(errors.Conflict):
        imports.start(by=manager, import_id=made.pk, duplicates="skip")
    assert (ImportRow.objects.count(), Lead.objects.count()) == (0, 0)


def test_rows_are_forgotten_after_their_time_but_not_of_what_is_under_way(take_in, send):
    old = take_in(HEADER + "A,,,,,\n")
    young = take_in(HEADER + "B,,,,,\n")
    LeadImport.objects.filter(pk=old.pk).update(created_at=timezone.now() - timedelta(days=91))
    assert imports.delete_old_rows() == 1
    assert list(ImportRow.objects.values_list("lead_import", flat=True)) == [young.pk]
