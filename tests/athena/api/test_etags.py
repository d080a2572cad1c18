"""An ETag changes exactly when the response changes, whichever table the change is in."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.db import models, transaction

from sales.models import Activity, FollowUp, Lead, LeadScoringRule, LeadSource

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
ROWS = {"leads": Lead, "follow-ups": FollowUp, "scoring/rules": LeadScoringRule}
# Columns that refer to other rows or are not shown.
EXCLUDED_COLUMNS = {"id", "lead", "activity", "repeat_of", "merged_into", "score_raw", "archived_at"}
CHANGED_VALUES = {  # by the class of a column: makes a value that no row of the test has
    models.BooleanField: lambda value: not value,
    models.IntegerField: lambda value: (value or 0) + 1,
    models.DecimalField: lambda value: (value or 0) + 1,
    models.DateTimeField: lambda value: NOW + timedelta(days=40),
    models.DateField: lambda value: NOW.date() + timedelta(days=40),
    models.TimeField: lambda value: "08:15",
    models.TextField: lambda value: f"{value} more",
    models.JSONField: lambda value: {"more": value},
    models.CharField: lambda value: f"{value} more",
}
CHOICES = {  # values that the constraints allow
    "status": "contacted", "follow_up_type": "email", "outcome": "voicemail", "rule_type": "engagement",
    "condition_operator": "equals", "lost_reason": "price",
}  # fmt: skip


@pytest.fixture(autouse=True)
def freeze_time():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def rows(make_lead, rep):
    lead = make_lead(assigned_to=rep, pickup_at=NOW + timedelta(days=90), source=LeadSource.objects.create(name="Fair"))
    FollowUp.objects.create(lead=lead, assigned_to=rep, follow_up_type="call", scheduled_date=NOW.date())
    return {"leads": lead, "follow-ups": FollowUp.objects.get(), "scoring/rules": LeadScoringRule.objects.first()}


@pytest.fixture
def read_etag_and_body(api, admin, rows):
    def read(resource):
        response = api(admin).get(f"/api/v1/sales/{resource}/{rows[resource].pk}")
        return response["ETag"], response.content

    return read


COLUMNS = [
    (resource, field.name)
    for resource, model in ROWS.items()
    for field in model._meta.concrete_fields
    if field.name not in EXCLUDED_COLUMNS
    and not (field.many_to_one and field.name not in ("assigned_to", "source", "lost_reason"))
]


@pytest.mark.parametrize(("resource", "name"), COLUMNS)
def test_a_change_of_any_column(read_etag_and_body, rows, colleague, resource, name):
    row = rows[resource]
    field = row._meta.get_field(name)
    people = {"assigned_to": colleague.pk, "source": LeadSource.objects.create(name="Web").pk}
    kind = next((kind for kind in CHANGED_VALUES if isinstance(field, kind)), None)
    value = {**people, **CHOICES}.get(name) or CHANGED_VALUES[kind](getattr(row, name))
    assert_etag_follows_body(
        read_etag_and_body,
        lambda: type(row).objects.filter(pk=row.pk).update(**{**find_required_changes(name), name: value}),
        resource,
    )


def find_required_changes(name):
    """The columns that a constraint requires to change together with this one."""
    completion = {"completed": True, "completed_at": NOW, "outcome": "successful"}
    return {"return_at": {"pickup_at": None}, **dict.fromkeys(completion, completion)}.get(name, {})


def assert_etag_follows_body(read_etag_and_body, change, *resources):
    """Check that after the change the ETag differs exactly if the body differs."""
    for resource in resources:
        (tag, body), (tag_again, _) = read_etag_and_body(resource), read_etag_and_body(resource)
        assert tag == tag_again
        with transaction.atomic():
            change()
            new_tag, new_body = read_etag_and_body(resource)
            assert (new_tag == tag) == (new_body == body)
            transaction.set_rollback(True)
        assert read_etag_and_body(resource) == (tag, body)


RELATED_CHANGES = {  # a change of another row, and the resource whose response it may affect
    "the lead's name": (lambda rows, user: Lead.objects.update(company_name="Renamed"), "follow-ups"),
    "the lead's contact": (lambda rows, user: Lead.objects.update(company_name="", contact_name="Ann"), "follow-ups"),
    "the assignee's day": (lambda rows, user: type(user).objects.update(time_zone="Pacific/Kiritimati"), "follow-ups"),
    "the trip's warnings": (lambda rows, user: Lead.objects.update(pickup_at=NOW - timedelta(days=1)), "leads"),
    "a rule that is broken": (lambda rows, user: LeadScoringRule.objects.update(condition_value="x"), "scoring/rules"),
    "a note that nobody shows": (lambda rows, user: Activity.objects.create(lead=rows["leads"], activity_type="note"),
                                 "leads"),
}  # fmt: skip


@pytest.mark.parametrize("change_name", RELATED_CHANGES)
def test_a_change_of_another_row(read_etag_and_body, rows, rep, change_name):
    change, resource = RELATED_CHANGES[change_name]
    assert_etag_follows_body(read_etag_and_body, lambda: change(rows, rep), resource)


def test_if_match_fails_after_a_change_of_the_name_or_the_day(read_etag_and_body, rows, api, admin):
    """So a client that read the follow-up before the change cannot overwrite it."""
    url = f"/api/v1/sales/follow-ups/{rows['follow-ups'].pk}"
    for change in (
        lambda: Lead.objects.update(company_name="Renamed"),
        lambda: FollowUp.objects.update(scheduled_date=NOW.date() - timedelta(days=1)),
    ):
        tag, _ = read_etag_and_body("follow-ups")
        change()
        assert read_etag_and_body("follow-ups")[0] != tag
        assert api(admin).patch(url, {"notes": "x"}, headers={"If-Match": tag}).status_code == 412


def test_a_follow_up_that_becomes_overdue_at_midnight(read_etag_and_body):
    tag, _ = read_etag_and_body("follow-ups")
    with time_machine.travel(NOW + timedelta(days=1), tick=False):
        assert read_etag_and_body("follow-ups")[0] != tag


def test_a_patch_returns_the_etag_of_a_get(read_etag_and_body, rows, api, admin):
    for resource, change in (
        ("leads", {"notes": "x"}),
        ("follow-ups", {"notes": "x"}),
        ("scoring/rules", {"points": 3}),
    ):
        response = api(admin).patch(f"/api/v1/sales/{resource}/{rows[resource].pk}", change)
        assert response["ETag"] == read_etag_and_body(resource)[0]


def test_a_patch_with_if_match_returns_the_etag_of_a_get(read_etag_and_body, rows, api, admin):
    """This holds where other parts of the response change along with the column."""
    rule = rows["scoring/rules"]
    twin = {name: getattr(rule, name) for name in ("rule_type", "condition_field", "condition_operator", "points")}
    LeadScoringRule.objects.create(rule_name="Twin", condition_value="false", **twin)
    FollowUp.objects.update(scheduled_date=NOW.date() - timedelta(days=1))
    for resource, changes in (
        ("scoring/rules", [{"condition_value": "false"}, {"is_active": False}, {"is_active": True}]),
        ("follow-ups", [{"scheduled_date": "2026-05-04"}, {"scheduled_date": "2026-05-01"}]),
        ("leads", [{"pickup_at": "2026-05-03T10:00Z"}, {"pickup_at": None}]),
    ):
        for change in changes:
            tag, _ = read_etag_and_body(resource)
            url = f"/api/v1/sales/{resource}/{rows[resource].pk}"
            response = api(admin).patch(url, change, headers={"If-Match": tag})
            assert response.status_code == 200, (resource, change)
            assert response["ETag"] == read_etag_and_body(resource)[0], (resource, change)
            assert response["ETag"] != tag
