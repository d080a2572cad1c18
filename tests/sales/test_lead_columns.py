"""Each column of `Lead` is named in every list of a lead's fields, or left out there for a stated reason.

The lists are read from the code. A new column fails these tests until somebody has decided about it in each list:
docs/development/adding-a-field.md has the steps.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import date

import pytest
from django.contrib.admin.utils import flatten_fieldsets

from sales.admin.leads.lead_admin import LeadAdmin
from sales.api.leads.intake import IntakeBody
from sales.api.leads.leads import NewLeadBody
from sales.api.serializers.leads import LeadRow
from sales.demo import generator
from sales.exchange.columns import COLUMNS, get_attribute
from sales.models import Lead
from sales.models.leads.search import MATCHED_FIELDS, SEARCHED_FIELDS
from sales.queries import personal_data
from sales.scoring.fields import FIELDS
from sales.services.leads import lead_batches, leads, merging, repeat_trips
from tests.sales.queries.test_personal_data import PERSONAL

Reasons = Mapping[str, Collection[str]]  # the columns that a list leaves out, by the reason

BOOKKEEPING = {"the database or the service sets it": ("id", "version", "created_at", "created_by", "updated_at")}
NORMALIZED = {"it is derived from email and phone": ("email_normalised", "phone_normalised")}
SCORES = {"only scoring writes it": ("score", "score_raw", "score_updated_at")}
FOLLOW_UPS = {
    "it is derived from the follow-ups": ("last_follow_up_date", "next_follow_up_date", "follow_up_count"),
}
MILESTONES = {
    "it is derived from the status and the activities": (
        "first_contacted_at",
        "qualified_at",
        "quoted_at",
        "won_at",
        "closed_at",
        "last_activity_at",
    ),
}
ESCALATIONS = {"it is when managers were notified": ("hot_escalated_at", "unowned_escalated_at")}
ARCHIVE = {"archiving and merging set it": ("archived_at", "merged_into")}
REPEAT_OF = {"repeating a trip sets it": ("repeat_of",)}
LAST_TOUCH = {
    "the latest inquiry sets it": (
        "last_source",
        "last_utm_source",
        "last_utm_medium",
        "last_utm_campaign",
        "last_utm_term",
        "last_utm_content",
    ),
}
OWNER = {"only transfers and assignment rules set it": ("assigned_to",)}
SET_BY_ATHENA: Reasons = {
    **BOOKKEEPING,
    **NORMALIZED,
    **SCORES,
    **FOLLOW_UPS,
    **MILESTONES,
    **ESCALATIONS,
    **ARCHIVE,
    **REPEAT_OF,
    **LAST_TOUCH,
}
SALE = ("status", "lost_reason", "quote_amount", "quote_valid_until", "bid_due_at", "booked_value")
ATTRIBUTION = ("campaign", "utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content")


@dataclass(frozen=True)
class FieldList:
    """A list of a lead's fields: the columns it names, where that is written, and the columns it leaves out."""

    name: str
    place: str
    read: Callable[[], Collection[str]]
    left_out: Reasons


LISTS = (
    FieldList(
        "the fields that services write",
        "`WRITABLE_FIELDS` in sales/services/leads/leads.py",
        lambda: leads.WRITABLE_FIELDS,
        {**SET_BY_ATHENA, **OWNER},
    ),
    FieldList(
        "the columns that an import inserts",
        "`_INSERTED` in sales/services/leads/lead_batches.py",
        lambda: lead_batches._INSERTED,
        {
            **SCORES,
            **FOLLOW_UPS,
            **ESCALATIONS,
            **ARCHIVE,
            **REPEAT_OF,
            "it is reserved before, or the database sets it": ("id", "version"),
            "a new lead has no activities": ("last_activity_at",),
        },
    ),
    FieldList(
        "the body of the API",
        "`LeadBody` in sales/api/leads/leads.py",
        lambda: NewLeadBody().fields,
        SET_BY_ATHENA,
    ),
    FieldList(
        "the row of the API",
        "`LeadRow` in sales/api/serializers/leads.py",
        lambda: {str(name).removesuffix("_id") for name in LeadRow().fields},
        {
            **NORMALIZED,
            **ESCALATIONS,
            **ARCHIVE,
            **LAST_TOUCH,
            "programs do not need it": ("created_by", "score_raw"),
        },
    ),
    FieldList(
        "the form of the admin",
        "`LeadAdmin.fieldsets` or `LeadAdmin.facts` in sales/admin/leads/lead_admin.py",
        lambda: [*flatten_fieldsets(LeadAdmin.fieldsets), *LeadAdmin.facts],
        {
            **NORMALIZED,
            **ESCALATIONS,
            **ARCHIVE,
            **REPEAT_OF,
            **LAST_TOUCH,
            "the timeline and the panels show it better": (
                "id",
                "version",
                "created_by",
                "updated_at",
                "score_raw",
                "score_updated_at",
                "last_follow_up_date",
                "follow_up_count",
                "qualified_at",
                "quoted_at",
                "won_at",
            ),
        },
    ),
    FieldList(
        "the columns of imports and exports",
        "`COLUMNS` in sales/exchange/columns.py",
        lambda: {get_attribute(column.name).removesuffix("_id") for column in COLUMNS},
        SET_BY_ATHENA,
    ),
    FieldList(
        "the search and the match of duplicates",
        "`SEARCHED_FIELDS` or `MATCHED_FIELDS` in sales/models/leads/search.py",
        lambda: {*SEARCHED_FIELDS, *MATCHED_FIELDS},
        {
            **SET_BY_ATHENA,
            **OWNER,
            "nobody is recognized by it": (
                "notes",
                "trip_type",
                "return_at",
                "itinerary",
                "vehicle_type",
                "vehicles_needed",
                "accessible_seats",
                "estimated_value",
                "is_repeat",
                "source",
                *SALE,
                *ATTRIBUTION,
            ),
        },
    ),
    FieldList(
        "what a repeat trip copies",
        "`COPIED_FIELDS` in sales/services/leads/repeat_trips.py",
        lambda: repeat_trips.COPIED_FIELDS,
        {
            **SET_BY_ATHENA,
            **OWNER,
            "it is worked out from the won trip": ("pickup_at", "return_at", "estimated_value", "notes", "is_repeat"),
            "it belongs to the sale of the won trip": SALE,
            "no campaign brought the repeat trip": ATTRIBUTION,
        },
    ),
    FieldList(
        "personal data",
        "`PERSONAL` in tests/sales/queries/test_personal_data.py (text that is erased) or `KEPT_CHANGES` in "
        "sales/queries/personal_data.py (values that reports need)",
        lambda: {*PERSONAL["sales.Lead"], *personal_data.KEPT_CHANGES},
        {
            **BOOKKEEPING,
            **SCORES,
            **FOLLOW_UPS,
            **MILESTONES,
            **ESCALATIONS,
            **ARCHIVE,
            **REPEAT_OF,
            **OWNER,
            "it is a source, not a person": ("last_source",),
        },
    ),
    FieldList(
        "what a merge fills or combines",
        "`WRITABLE_FIELDS` in sales/services/leads/leads.py, or `UNMERGED_FIELDS`, `EARLIEST_FIELDS` or "
        "`LATEST_FIELDS` in sales/services/leads/merging.py",
        lambda: {
            *merging.FILLED_FIELDS,
            *merging.UNMERGED_FIELDS,
            *merging.EARLIEST_FIELDS,
            *merging.LATEST_FIELDS,
        },
        {
            **BOOKKEEPING,
            **NORMALIZED,
            **SCORES,
            **ESCALATIONS,
            **ARCHIVE,
            **REPEAT_OF,
            **OWNER,
            "it is worked out again after the merge": ("follow_up_count", "next_follow_up_date"),
            "only open leads are merged": ("closed_at",),
        },
    ),
    FieldList(
        "the intake API",
        "`IntakeBody` in sales/api/leads/intake.py",
        lambda: IntakeBody().fields,
        {
            **SET_BY_ATHENA,
            **OWNER,
            "a client does not say it": (*SALE, "estimated_value", "is_repeat"),
        },
    ),
    FieldList(
        "the fields of scoring rules",
        "`_ATTRIBUTES` in sales/scoring/fields.py",
        lambda: {name for _, name in FIELDS},
        {
            **BOOKKEEPING,
            **NORMALIZED,
            **SCORES,
            **FOLLOW_UPS,
            **MILESTONES,
            **ESCALATIONS,
            **ARCHIVE,
            **REPEAT_OF,
            **LAST_TOUCH,
            **OWNER,
            "rules compare the days until the pickup": ("pickup_at", "return_at"),
            "no rule has needed it": (
                "itinerary",
                "lost_reason",
                "quote_valid_until",
                "bid_due_at",
                "booked_value",
                "utm_term",
                "utm_content",
            ),
        },
    ),
)
DEMO = FieldList(
    "the demo data",
    "sales/demo/inquiries.py or sales/demo/trips.py",
    list,
    {
        **ESCALATIONS,
        **ARCHIVE,
        **REPEAT_OF,
        "the demo company has no such campaigns": ("utm_content", "last_utm_content"),
        "no user created the demo leads": ("created_by",),
    },
)


def check_decisions(field_list: FieldList, named: Collection[str]) -> None:
    """Check that the list names or leaves out each column of `Lead`, and that its reasons are up to date."""
    columns = {field.name for field in Lead._meta.concrete_fields}
    left_out = {column for group in field_list.left_out.values() for column in group}
    undecided = columns - set(named) - left_out
    assert not undecided, (
        f"{sorted(undecided)}: not in {field_list.name}. Add it to {field_list.place}, or leave it out, with the "
        "reason, in tests/sales/test_lead_columns.py. All steps: docs/development/adding-a-field.md"
    )
    assert not left_out & set(named), f"{sorted(left_out & set(named))}: left out of {field_list.name}, but named there"
    assert left_out <= columns, f"{sorted(left_out - columns)}: left out of {field_list.name}, but not a column"


@pytest.mark.parametrize("field_list", LISTS, ids=[field_list.name for field_list in LISTS])
def test_a_list_names_or_leaves_out_each_column(field_list):
    check_decisions(field_list, field_list.read())


def test_the_demo_fills_or_leaves_out_each_column(db):
    generator.load(today=date(2026, 11, 25), leads=60)
    rows = list(Lead.objects.all())
    fields = Lead._meta.concrete_fields
    filled = {field.name for field in fields if any(getattr(row, field.attname) != field.get_default() for row in rows)}
    check_decisions(DEMO, filled)


def test_a_column_without_a_decision_fails_with_the_place_to_go():
    intake_api = next(field_list for field_list in LISTS if field_list.name == "the intake API")
    named = set(intake_api.read()) - {"trip_type"}
    with pytest.raises(AssertionError, match=r"'trip_type'.*IntakeBody.*adding-a-field\.md"):
        check_decisions(intake_api, named)
