"""Every text column and every recorded change is declared as personal data or not."""

import ast
from pathlib import Path

import pytest
from django.apps import apps
from django.db import models

import sales
from athena.db.text_search import list_text_columns
from sales.queries import personal_data
from sales.services.follow_ups import change_history
from sales.services.leads.leads import WRITABLE_FIELDS

# Columns that may hold personal data. Erasing a person empties them in the person's leads and removes mentions of the
# person from other rows. A column that is neither here nor in `personal_data.WITHOUT_PERSONAL_DATA` fails the test.
PERSONAL = {
    "admin.LogEntry": {"object_repr", "change_message"},
    "athena.IdempotencyKey": {"answer"},
    "notifications.Delivery": {"last_error"},
    "sales.CadenceEnrolment": {"stop_reason"},
    "sales.LeadSearch": {"text", "company", "company_day", "trip"},
    "sales.Activity": {"description", "notes", "data"},
    "sales.FieldChange": {"old", "new"},
    "sales.FollowUp": {"notes", "outcome_notes", "no_next_reason", "cancel_reason", "planned"},
    "sales.Lead": {
        *("company_name", "contact_name", "email", "email_normalised", "phone", "phone_normalised", "notes"),
        *("pickup_location", "dropoff_location", "itinerary", "campaign"),
        *("utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content", "last_utm_source"),
        *("last_utm_medium", "last_utm_campaign", "last_utm_term", "last_utm_content"),
    },
    "sales.LeadExport": {"filters"},
    "sales.LeadImport": {"file_name", "header", "error", "sheet", "sheets", "remarks", "notations"},
    "sales.LeadScoreHistory": {"reason"},
    "sales.LeadTransfer": {"transfer_reason", "notes"},
    "sales.TransferBatch": {"reason"},
}


def test_each_text_column_is_declared():
    searched_columns = {model._meta.label: set(columns) for model, columns in personal_data.list_searched_columns()}
    assert searched_columns == PERSONAL


def test_declared_columns_exist():
    for label, columns in personal_data.WITHOUT_PERSONAL_DATA.items():
        if label.partition(".")[0] in {app.label for app in apps.get_app_configs()} and label != "auth.User":
            assert columns == personal_data.ALL_COLUMNS or columns <= set(list_text_columns(apps.get_model(label)))


def test_list_text_columns_finds_every_kind_of_text_column():
    class Anything(models.Model):
        line = models.CharField(max_length=10)
        text = models.TextField()
        data = models.JSONField()
        mail = models.EmailField()
        chosen = models.CharField(max_length=10, choices=[("a", "A")])
        number = models.IntegerField()

        class Meta:
            app_label = "nowhere"
            managed = False

    assert list_text_columns(Anything) == ["line", "text", "data", "mail"]
    apps.all_models.pop("nowhere")
    apps.clear_cache()


# Field changes that contain personal data; `personal_data.KEPT_CHANGES` are the others. A name that is in neither is
# erased as well, but it fails the test, so that somebody decides.
ERASED_CHANGES = {
    *("company_name", "contact_name", "email", "phone", "notes", "itinerary", "pickup_location", "dropoff_location"),
    *("activity", "follow_up", "merged"),
}


def test_each_name_of_a_field_change_is_declared():
    assert (
        list_written_changes() | {*WRITABLE_FIELDS, change_history.FIELD} == personal_data.KEPT_CHANGES | ERASED_CHANGES
    )
    assert not personal_data.KEPT_CHANGES & ERASED_CHANGES


def list_written_changes():
    """The values of `field` with which the code of `sales` creates a `FieldChange`."""
    calls = (
        node
        for path in Path(sales.__file__).parent.rglob("*.py")
        if "migrations" not in path.parts
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and any("FieldChange" in ast.unparse(part) for part in (node.func, *node.args))
    )
    arguments = {keyword.value for call in calls for keyword in call.keywords if keyword.arg == "field"}
    names = {node.args[0] if isinstance(node, ast.Call) else node for node in arguments}
    return {name.value for name in names if isinstance(name, ast.Constant)}


def test_tables_of_leads_are_found_by_their_foreign_key():
    assert {model._meta.label for model, _, _ in personal_data.list_lead_columns()} == {
        *("sales.Activity", "sales.FieldChange", "sales.FollowUp", "sales.ImportRow"),
        *("sales.LeadScoreHistory", "sales.LeadTransfer"),
        *("sales.CadenceEnrolment", "sales.Inquiry", "sales.LeadSearch"),
    }


# Values of a lead's phone fields: the erased person's or another lead's.
READABLE = {"phone": "(212) 555-0177", "phone_normalised": "+12125550177"}
UNREADABLE = {"phone": "99-88-77-66-55-44", "phone_normalised": ""}  # a number of no country
OTHER_PHONE = {"phone": "(212) 555-0100", "phone_normalised": "+12125550100"}


@pytest.mark.parametrize(
    ("own", "other", "text", "is_shared"),
    [
        pytest.param(READABLE, OTHER_PHONE, "Call 212.555.0177", False, id="a phone number of theirs"),
        pytest.param(READABLE, READABLE, "Call 212.555.0177", True, id="a phone number of others"),
        pytest.param(UNREADABLE, OTHER_PHONE, "Call 99-88-77-66-55-44", False, id="an unreadable number of theirs"),
        pytest.param(UNREADABLE, UNREADABLE, "Call 99-88-77-66-55-44", True, id="an unreadable number of others"),
        pytest.param(
            {"contact_name": "Ann Smith"}, {"contact_name": "Bob"}, "Ask Ann Smith", False, id="a name of theirs"
        ),
        pytest.param(
            {"contact_name": "Ann Smith"}, {"contact_name": "ANN SMITH"}, "Ask Ann Smith", True, id="a name of others"
        ),
        pytest.param(
            {"company_name": "Lincoln Band"}, {"company_name": "X"}, "At Lincoln Band", False, id="a company of theirs"
        ),
        pytest.param(
            {"company_name": "Lincoln Band"},
            {"company_name": "Lincoln Band"},
            "At Lincoln Band",
            True,
            id="a company of others",
        ),
    ],
)
def test_a_value_that_another_lead_has_is_no_mention_of_the_person(make_lead, own, other, text, is_shared):
    ann = make_lead(**{"company_name": "", "contact_name": "Ann", **own})
    make_lead(**{"company_name": "", "contact_name": "Bob", "phone": "", "phone_normalised": "", **other})
    mentions = personal_data.build_mentions("ann@x.example", [ann])
    assert (mentions.erase_from(text) == text) is is_shared
