"""A file that Athena wrote is read back by anybody, anywhere, without a change; what was edited changes that alone."""

import csv
import io
import random
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import openpyxl
import pytest
from django.utils import timezone

from athena.accounts.models import User
from sales.models import Activity, FieldChange, ImportRow, Lead, LeadImport, LeadSource, LostReason
from sales.services import exports, import_work, imports

ZONES = ("America/Los_Angeles", "America/New_York", "Asia/Kolkata", "UTC")
LINES = (
    *("Lincoln High School", "=cmd()", "'quoted", "''=twice", "-", "n/a", "none", "4.4791E+11", "6175550142.0"),
    *("########", "#SPILL!", "\u200bzero width", "two  spaces", "é ß ﬁ", "a;b,c\t|d", '"', "+1 617 555 0163"),
    *("@home", "00042", "TRUE", "1/2/2026", "Total", "sep=;", "\u00a0nbsp"),
)
TEXTS = (
    *LINES,
    "one\n=two\n'three",
    "'- first\n'=second\n'quoted",
    "ends with a line\n",
    "\n\nbegins",
    "a\r\nb",
    " \n ",
)
EMAILS = ("", "ann@lincoln.example", "Ann.O'Neil+bus@lincoln.example", "pat@@x", "a@x.example, b@x.example", "n/a")
PHONES = (
    "",
    "617-555-0171",
    "'+1 617 555 0163",
    "617-555-0171 ext. 5",
    "p:+16175550100",
    "call 5550100 or 5550101",
    "0",
)


@pytest.fixture
def people(manager, make_user):
    exporter = make_user("Ex", role="admin", time_zone=ZONES[0])
    importers = [make_user(f"Im {zone}", role="admin", time_zone=zone) for zone in ZONES]
    return exporter, importers


def random_lead(rng: random.Random, sources, reasons, owners) -> Lead:
    pickup = datetime(2027, 3, 14, 5, tzinfo=UTC) + timedelta(
        minutes=rng.randrange(400_000), microseconds=rng.choice((0, 1))
    )
    status = rng.choice(Lead.Status.values)
    money = [None, Decimal("0.00"), Decimal("800.00"), Decimal("1234567.89"), Decimal("0.05")]
    return Lead(
        company_name=rng.choice(LINES), contact_name=rng.choice(("", *LINES)), email=rng.choice(EMAILS),
        phone=rng.choice(PHONES), notes=rng.choice(("", *TEXTS)), itinerary=rng.choice(("", *TEXTS)), status=status,
        pickup_at=rng.choice((None, pickup)), return_at=rng.choice((None, pickup + timedelta(hours=9))),
        bid_due_at=rng.choice((None, pickup)), quote_valid_until=rng.choice((None, date(2027, 4, 1))),
        pickup_location=rng.choice(("", *LINES)), campaign=rng.choice(("", *LINES)), utm_term=rng.choice(("", *LINES)),
        trip_type=rng.choice(("", *Lead.TripType.values)), vehicle_type=rng.choice(("", *Lead.VehicleType.values)),
        estimated_passengers=rng.choice((None, 0, 56, 1250)), vehicles_needed=rng.choice((None, 2)),
        estimated_value=rng.choice(money), quote_amount=rng.choice(money), is_repeat=rng.random() < 0.5,
        source=rng.choice((None, *sources)), assigned_to=rng.choice((None, *owners)),
        booked_value=rng.choice(money[1:]) if status == "won" else None,
        lost_reason=rng.choice(reasons) if status == "lost" else None,
    )  # fmt: skip


@pytest.fixture
def many_leads(rep, colleague):
    rng = random.Random(20261128)
    sources = [LeadSource.objects.create(name=name) for name in ("Ads", "=Fair", "'Web, form")]
    gone = LostReason.objects.get(name="price")
    leads = [random_lead(rng, sources, list(LostReason.objects.all()), (rep, colleague)) for _ in range(150)]
    Lead.objects.bulk_create(leads)
    LostReason.objects.filter(pk=gone.pk).update(is_active=False)
    LeadSource.objects.filter(pk=sources[0].pk).update(is_active=False)
    User.objects.filter(pk=colleague.pk).update(is_active=False)
    return Lead.objects.order_by("pk")


def export(by, leads, file_format):
    if file_format == "xlsx":
        return exports.as_xlsx(by=by, leads=leads, filters={})
    return b"".join(exports.as_csv(by=by, leads=leads, filters={}))


def send(by, content, duplicates):
    made = imports.upload(by=by, file_name="leads", content=content)
    import_work.work()
    made.refresh_from_db()
    assert made.state == LeadImport.State.CHECKED, made.error
    imports.start(by=by, import_id=made.pk, duplicates=duplicates)
    import_work.work()
    made.refresh_from_db()
    assert made.state == LeadImport.State.DONE
    return made


def everything():
    return list(Lead.objects.order_by("pk").values()), FieldChange.objects.count(), Activity.objects.count()


@pytest.mark.parametrize("file_format", ["csv", "xlsx"])
@pytest.mark.parametrize("duplicates", LeadImport.Duplicates.values)
def test_an_export_sent_back_unedited_changes_nothing(people, many_leads, file_format, duplicates):
    exporter, importers = people
    content = export(exporter, many_leads, file_format)
    before = everything()
    for importer in importers:
        made = send(importer, content, duplicates)
        states = set(made.rows.values_list("state", flat=True))
        assert everything() == before
        assert states <= {ImportRow.State.SKIPPED, ImportRow.State.WRONG}
        wrong = {problem for row in made.rows.filter(state="wrong") for problem in row.problems}
        assert not wrong, list(made.rows.filter(state="wrong").values_list("problems", flat=True))[:3]


def edited(content, change):
    """The CSV file with each row changed by `change`."""
    rows = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))
    file = io.StringIO()
    writer = csv.DictWriter(file, rows[0].keys())
    writer.writeheader()
    for row in rows:
        change(row)
        writer.writerow(row)
    return file.getvalue().encode()


@pytest.fixture
def three_trips(make_lead, rep):
    """A client's three trips under one address; the first is won."""
    client = {"company_name": "Fernwood School", "email": "lea@fernwood.example", "assigned_to": rep}
    at = [datetime(2027, month, 10, 12, tzinfo=UTC) for month in (5, 6, 9)]
    won = make_lead(**client, pickup_at=at[0], status="won", booked_value=1500, closed_at=timezone.now())
    return [won, *(make_lead(**client, pickup_at=moment, phone="617-555-0171 / 617-555-0199") for moment in at[1:])]


def test_an_edited_cell_changes_that_lead_alone(admin, three_trips):
    _, first, _ = three_trips
    content = export(admin, Lead.objects.order_by("-pk"), "csv")
    before = {lead["id"]: lead for lead in Lead.objects.values()}

    def change(row):
        if row["Lead"] == str(first.pk):
            row["Passengers"], row["Notes"] = "44", "Bring water"

    made = send(admin, edited(content, change), "update")
    assert sorted(made.rows.values_list("state", flat=True)) == ["skipped", "skipped", "updated"]
    after = {lead["id"]: lead for lead in Lead.objects.values()}
    differences = {
        (key, name) for key, lead in after.items() for name, value in lead.items() if value != before[key][name]
    }
    assert {(first.pk, "estimated_passengers"), (first.pk, "notes")} <= differences
    assert {key for key, _ in differences} == {first.pk}
    assert after[first.pk]["phone"] == "617-555-0171 / 617-555-0199"
    changes = FieldChange.objects.exclude(field="import").values_list("lead", "field", "new")
    assert set(changes) == {(first.pk, "estimated_passengers", 44), (first.pk, "notes", "Bring water")}


def test_a_closed_lead_is_not_changed_and_says_so(admin, three_trips):
    won, *_ = three_trips
    content = export(admin, Lead.objects.filter(pk=won.pk), "csv")
    before = everything()
    made = send(admin, edited(content, lambda row: row.update(Notes="More")), "update")
    assert (everything(), made.rows.get().state, made.rows.get().problems) == (
        before, "skipped", {"Lead": "The lead is closed."},
    )  # fmt: skip


def test_what_a_file_does_not_change_is_named(admin, three_trips):
    _, first, _ = three_trips
    content = export(admin, Lead.objects.filter(pk=first.pk), "csv")
    made = send(admin, edited(content, lambda row: row.update({"Status": "Won", "Booked value": "5"})), "update")
    why = "A file does not change this. Change it on the lead's page."
    assert made.rows.get().cleaned == {"Status": why, "Booked value": why}
    first.refresh_from_db()
    assert (first.status, first.booked_value) == ("new", None)


@pytest.mark.parametrize(
    ("number", "why"),
    [
        ("999999", "There is no lead of this number"),
        ("theirs", "A lead's number in Athena is required"),
        ("-5", "A lead's number"),
        ("1" * 30, "A lead's number"),
        ("archived", "There is no lead of this number"),
        ("hidden", "There is no lead of this number"),
    ],
)
def test_a_number_of_no_lead_that_one_can_see_is_wrong(manager, stranger, make_lead, number, why):
    numbers = {
        "archived": make_lead(archived_at=timezone.now()).pk,
        "hidden": make_lead(assigned_to=stranger, email="x@x.example").pk,
    }
    before = everything()
    content = f"Company,E-mail,Lead\nAcme,x@x.example,{numbers.get(number, number)}\n".encode()
    made = send(manager, content, "update")
    row = made.rows.get()
    assert (row.state, list(row.problems), everything()) == ("wrong", ["Lead"], before)
    assert row.problems["Lead"].startswith(why)
    assert "rename it" in row.problems["Lead"]


def test_rows_without_a_number_are_new_beside_those_with_one(admin, three_trips):
    _, first, _ = three_trips
    content = f"Lead,Company,E-mail\n{first.pk},Fernwood School,\n,Acme,ann@acme.example\n".encode()
    made = send(admin, content, "create")
    assert list(made.rows.values_list("state", flat=True)) == ["skipped", "created"]
    assert Lead.objects.count() == 4


def test_a_file_with_numbers_needs_no_names(admin, three_trips):
    _, first, _ = three_trips
    send(admin, f"Lead,Passengers\n{first.pk},17\n".encode(), "update")
    first.refresh_from_db()
    assert first.estimated_passengers == 17


def test_a_lead_that_is_put_away_between_the_preview_and_the_import(admin, three_trips):
    _, first, _ = three_trips
    made = imports.upload(by=admin, file_name="x", content=f"Lead,Passengers\n{first.pk},17\n".encode())
    import_work.work()
    Lead.objects.filter(pk=first.pk).update(archived_at=timezone.now())
    imports.start(by=admin, import_id=made.pk, duplicates="update")
    import_work.work()
    row = ImportRow.objects.get(lead_import=made)
    assert (row.state, row.problems["Lead"][:27]) == ("wrong", "There is no lead of this nu")


@pytest.mark.parametrize("zone", ZONES)
def test_a_bare_day_is_the_companys_wherever_the_file_is_sent_from(make_user, zone):
    by = make_user("Sender", role="admin", time_zone=zone)
    send(by, b"Company,Pickup at\nAcme,2027-05-01\n", "skip")
    assert Lead.objects.get().pickup_at == datetime(2027, 5, 1, 4, tzinfo=UTC)


@pytest.mark.parametrize("file_format", ["csv", "xlsx"])
def test_times_carry_their_offset(people, make_lead, file_format):
    exporter, _ = people
    make_lead(company_name="Zone High School", pickup_at=datetime(2027, 5, 1, 12, 30, tzinfo=UTC))
    content = export(exporter, Lead.objects.all(), file_format)
    if file_format == "xlsx":
        header, row = openpyxl.load_workbook(io.BytesIO(content)).active.iter_rows(values_only=True)
        shown = dict(zip(header, row, strict=True))
    else:
        (shown,) = csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline=""))
    assert shown["Pickup at"] == "2027-05-01 05:30:00-07:00"
