"""An ETag changes whenever anything in the answer does, and only then: whatever changes, in whichever table."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.db import models, transaction

from sales.models import Activity, FollowUp, Lead, LeadScoringRule, LeadSource

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
ROWS = {"leads": Lead, "follow-ups": FollowUp, "scoring/rules": LeadScoringRule}
KEYS = {"id", "lead", "activity", "repeat_of", "merged_into", "score_raw", "archived_at"}  # tied to rows, or not shown
OTHER = {  # a value that no row of the test has, by the kind of its column
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
CHOICES = {  # what constraints let these columns be
    "status": "contacted", "follow_up_type": "email", "outcome": "voicemail", "rule_type": "engagement",
    "condition_operator": "equals", "lost_reason": "price",
}  # fmt: skip


@pytest.fixture(autouse=True)
def frozen():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def rows(make_lead, rep):
    lead = make_lead(assigned_to=rep, pickup_at=NOW + timedelta(days=90), source=LeadSource.objects.create(name="Fair"))
    FollowUp.objects.create(lead=lead, assigned_to=rep, follow_up_type="call", scheduled_date=NOW.date())
    return {"leads": lead, "follow-ups": FollowUp.objects.get(), "scoring/rules": LeadScoringRule.objects.first()}


@pytest.fixture
def look(api, admin, rows):
    def read(resource):
        response = api(admin).get(f"/api/v1/sales/{resource}/{rows[resource].pk}")
        return response["ETag"], response.content

    return read


COLUMNS = [
    (resource, field.name)
    for resource, model in ROWS.items()
    for field in model._meta.concrete_fields
    if field.name not in KEYS and not (field.many_to_one and field.name not in ("assigned_to", "source", "lost_reason"))
]


@pytest.mark.parametrize(("resource", "name"), COLUMNS)
def test_every_column(look, rows, colleague, resource, name):
    row = rows[resource]
    field = row._meta.get_field(name)
    people = {"assigned_to": colleague.pk, "source": LeadSource.objects.create(name="Web").pk}
    kind = next((kind for kind in OTHER if isinstance(field, kind)), None)
    value = {**people, **CHOICES}.get(name) or OTHER[kind](getattr(row, name))
    same_then_other(look, lambda: type(row).objects.filter(pk=row.pk).update(**{**held(name), name: value}), resource)


def held(name):
    """What a constraint wants to change with a column."""
    done = {"completed": True, "completed_at": NOW, "outcome": "successful"}
    return {"return_at": {"pickup_at": None}, **dict.fromkeys(done, done)}.get(name, {})


def same_then_other(look, change, *resources):
    """The tag is other exactly where the answer is."""
    for resource in resources:
        (tag, body), (again, _) = look(resource), look(resource)
        assert tag == again
        with transaction.atomic():
            change()
            after, new_body = look(resource)
            assert (after == tag) == (new_body == body)
            transaction.set_rollback(True)
        assert look(resource) == (tag, body)


RELATED = {  # a change of another row that a GET answers with, and of which
    "the lead's name": (lambda rows, who: Lead.objects.update(company_name="Renamed"), "follow-ups"),
    "the lead's contact": (lambda rows, who: Lead.objects.update(company_name="", contact_name="Ann"), "follow-ups"),
    "the assignee's day": (lambda rows, who: type(who).objects.update(time_zone="Pacific/Kiritimati"), "follow-ups"),
    "the trip's warnings": (lambda rows, who: Lead.objects.update(pickup_at=NOW - timedelta(days=1)), "leads"),
    "a rule that is broken": (lambda rows, who: LeadScoringRule.objects.update(condition_value="x"), "scoring/rules"),
    "a note that nobody shows": (lambda rows, who: Activity.objects.create(lead=rows["leads"], activity_type="note"),
                                 "leads"),
}  # fmt: skip


@pytest.mark.parametrize("what", RELATED)
def test_what_the_answer_takes_from_elsewhere(look, rows, rep, what):
    change, resource = RELATED[what]
    same_then_other(look, lambda: change(rows, rep), resource)


def test_a_name_and_a_day_are_in_the_answer(look, rows, api, admin):
    """And so what was read before they changed is not written over."""
    url = f"/api/v1/sales/follow-ups/{rows['follow-ups'].pk}"
    for change in (
        lambda: Lead.objects.update(company_name="Renamed"),
        lambda: FollowUp.objects.update(scheduled_date=NOW.date() - timedelta(days=1)),
    ):
        tag, _ = look("follow-ups")
        change()
        assert look("follow-ups")[0] != tag
        assert api(admin).patch(url, {"notes": "x"}, headers={"If-Match": tag}).status_code == 412


def test_a_follow_up_that_becomes_overdue_at_midnight(look):
    tag, _ = look("follow-ups")
    with time_machine.travel(NOW + timedelta(days=1), tick=False):
        assert look("follow-ups")[0] != tag


def test_what_a_change_answers_is_what_get_answers(look, rows, api, admin):
    for resource, change in (
        ("leads", {"notes": "x"}),
        ("follow-ups", {"notes": "x"}),
        ("scoring/rules", {"points": 3}),
    ):
        response = api(admin).patch(f"/api/v1/sales/{resource}/{rows[resource].pk}", change)
        assert response["ETag"] == look(resource)[0]


def test_so_it_is_of_a_change_on_a_condition(look, rows, api, admin):
    """Also where what the answer takes from elsewhere changes with it."""
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
            tag, _ = look(resource)
            url = f"/api/v1/sales/{resource}/{rows[resource].pk}"
            response = api(admin).patch(url, change, headers={"If-Match": tag})
            assert response.status_code == 200, (resource, change)
            assert response["ETag"] == look(resource)[0], (resource, change)
            assert response["ETag"] != tag
