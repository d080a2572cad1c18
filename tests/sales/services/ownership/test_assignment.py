"""Who gets a new lead that nobody has been named for."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from athena.accounts.models import User
from notifications.models import Notification
from sales import errors
from sales.models import AssignmentRule, LeadTransfer
from sales.services.leads import leads
from sales.services.ownership import assignment


@pytest.fixture
def rule(admin):
    """A rule that asks for big groups, or whatever is given."""

    def make(*asked, to=None, team=None, **fields):
        number = AssignmentRule.objects.count() + 1
        conditions = [dict(zip(("field", "operator", "value"), each, strict=True)) for each in asked]
        values = {
            "rule_name": f"Rule {number}",
            "position": number,
            "conditions": conditions,
            "to_user": to,
            "to_team": team,
        }
        return assignment.create_rule(by=admin, values=values | fields)

    return make


BIG = ("estimated_passengers", "at_least", "40")


def come_in(by=None, **values):
    return leads.create(by=by, values={"company_name": "Band", **values}).assigned_to


def test_the_first_rule_that_matches_decides(rule, manager, rep, colleague, stranger):
    rule(BIG, ("trip_type", "in", "shuttle,multi_day"), to=rep)
    rule(BIG, to=colleague)
    rule(to=stranger, is_active=False)
    assert come_in(estimated_passengers=50, trip_type="shuttle") == rep
    assert come_in(by=manager, estimated_passengers=50) == colleague
    assert come_in(estimated_passengers=10) is None
    notifications = Notification.objects.filter(kind="lead_assigned").order_by("id")
    assert [row.recipient for row in notifications] == [rep, colleague]
    assert LeadTransfer.objects.count() == 0  # it had no owner before


def test_rules_are_tried_by_position(rule, rep, colleague):
    rule(to=rep, position=20)
    rule(to=colleague, position=10)
    assert come_in() == colleague


def test_a_lead_with_a_named_owner_goes_to_them(rule, manager, rep, colleague):
    rule(to=colleague)
    assert come_in(by=rep) == rep  # a salesperson's new lead is theirs
    assert come_in(by=manager, assigned_to=rep.pk) == rep
    assert come_in(status="won", booked_value=5) is None  # a closed one waits for nobody


def test_a_team_gets_leads_in_turn_without_people_who_are_away_full_or_inactive(
    rule, desk, manager, rep, colleague, leaver, make_user
):
    away, third = make_user("ann", team=desk), make_user("zoe", team=desk)
    User.objects.filter(pk=away.pk).update(away_until=timezone.now().date() + timedelta(days=1))
    User.objects.filter(pk=colleague.pk).update(max_open_leads=1)
    rule(team=desk)
    assert [come_in() for _ in range(5)] == [rep, colleague, third, rep, third]
    User.objects.filter(pk=away.pk).update(away_until=timezone.now().date() - timedelta(days=1))
    assert [come_in() for _ in range(4)] == [rep, away, third, rep]  # back in turn, neither first nor caught up


def test_a_rule_without_a_receiver_is_passed_over(rule, rep, colleague, other_desk):
    User.objects.filter(pk=rep.pk).update(max_open_leads=0)
    rule(to=rep)
    rule(team=other_desk)
    assert come_in() is None
    rule(to=colleague)
    assert come_in() == colleague
    User.objects.filter(pk=colleague.pk).update(is_active=False)
    assert come_in() is None


def test_a_rule_for_the_pool_ends_the_search(rule, rep):
    rule(BIG)
    rule(to=rep)
    assert (come_in(estimated_passengers=50), come_in()) == (None, rep)


def test_an_invalid_rule_of_plain_sql_matches_nothing(rule, rep, colleague):
    broken = rule(to=rep)
    for conditions in ([{"field": "password", "operator": "equals", "value": "x"}], ["x"], [{"field": 5}], [{}]):
        AssignmentRule.objects.filter(pk=broken.pk).update(conditions=conditions)
        assert come_in() is None


def test_managers_are_notified_at_once_of_each_unassigned_lead(manager, admin, rep):
    for name in ("Band", "Choir", "Club"):
        leads.create(by=None, values={"company_name": name})
    notifications = Notification.objects.order_by("pk")
    assert [(row.kind, row.recipient, row.context["lead_name"]) for row in notifications] == [
        ("lead_unowned", manager, "Band"), ("lead_unowned", manager, "Choir"), ("lead_unowned", manager, "Club"),
    ]  # fmt: skip
    assert all(row.not_before <= timezone.now() for row in notifications)


def test_without_managers_administrators_are_notified(admin, rep):
    come_in()
    assert Notification.objects.get().recipient == admin


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        (("email_count", "at_least", "1"), "condition_1"),  # a new lead has no history to ask about
        (("estimated_passengers", "contains", "4"), "condition_1"),
        (("estimated_passengers", "at_least", "many"), "condition_1"),
        (("trip_type", "in", "shuttle,rocket"), "condition_1"),
    ],
)
def test_an_invalid_condition_is_refused(rule, rep, asked, field):
    with pytest.raises(errors.Invalid) as refused:
        rule(asked, to=rep)
    assert list(refused.value.fields) == [field]
    assert AssignmentRule.objects.count() == 0


def test_a_rule_has_one_active_receiver_and_a_name_of_its_own(rule, desk, rep, leaver):
    for wrong in ({"to": rep, "team": desk}, {"to": leaver}, {"rule_name": " "}):
        with pytest.raises(errors.Invalid):
            rule(**wrong)
    rule(to=rep, rule_name="One")
    with pytest.raises(errors.Invalid):
        rule(to=rep, rule_name="One")
    with pytest.raises(IntegrityError), transaction.atomic():
        AssignmentRule.objects.update(to_team=desk)


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"rule_name": "  "}, ["rule_name"]),
        ({"rule_name": "taken"}, ["rule_name"]),
        ({"conditions": [{"field": "score", "operator": "equals", "value": "1"}]}, ["condition_1"]),
        ({"conditions": [{"field": "estimated_passengers", "operator": "equals", "value": "1"}] * 6}, ["conditions"]),
        ({"to_user": "leaver"}, ["to_user"]),
        ({"to_team": "desk"}, ["to_team"]),
        ({"created_at": None}, ["created_at"]),
    ],
    ids=["no name", "taken name", "unknown field", "too many conditions", "inactive user", "two targets", "no field"],
)
def test_a_change_is_validated_like_a_new_rule(rule, admin, rep, leaver, desk, changes, fields):
    changed, _ = rule(BIG, to=rep), rule(to=rep, rule_name="Taken")
    rows = list(AssignmentRule.objects.order_by("pk").values())
    users_and_teams = {"leaver": leaver, "desk": desk}
    changes = {
        name: users_and_teams.get(value, value) if isinstance(value, str) else value for name, value in changes.items()
    }

    with pytest.raises(errors.Invalid) as refused:
        assignment.update_rule(by=admin, rule_id=changed.pk, changes=changes)

    assert list(refused.value.fields) == fields
    assert list(AssignmentRule.objects.order_by("pk").values()) == rows


def test_a_change_can_not_activate_too_many_rules(rule, admin, rep, monkeypatch):
    monkeypatch.setattr(assignment, "MAX_ACTIVE_RULES", 1)
    rule(to=rep)
    spare = rule(to=rep, is_active=False)

    with pytest.raises(errors.TooManyRules):
        assignment.update_rule(by=admin, rule_id=spare.pk, changes={"is_active": True})

    spare.refresh_from_db()
    assert not spare.is_active


def test_a_change_and_a_deletion_leave_other_rules_alone(rule, admin, rep):
    changed, other = rule(BIG, to=rep), rule(BIG, to=rep)
    rows = list(AssignmentRule.objects.filter(pk=other.pk).values())

    assignment.update_rule(by=admin, rule_id=changed.pk, changes={"position": 9, "conditions": []})
    assignment.delete_rule(by=admin, rule_id=changed.pk)

    assert list(AssignmentRule.objects.values()) == rows


def test_only_managers_change_rules(rule, rep, manager):
    one = rule(to=rep)
    for act in (
        lambda: assignment.create_rule(by=rep, values={"rule_name": "x", "position": 1}),
        lambda: assignment.update_rule(by=rep, rule_id=one.pk, changes={"position": 1}),
        lambda: assignment.delete_rule(by=rep, rule_id=one.pk),
    ):
        with pytest.raises(errors.NotAllowed):
            act()
    with pytest.raises(errors.Invalid):
        assignment.update_rule(by=manager, rule_id=one.pk, changes={"colour": "red"})
    assert assignment.update_rule(by=manager, rule_id=one.pk, changes={"position": 7}).position == 7
    assignment.delete_rule(by=manager, rule_id=one.pk)
    with pytest.raises(errors.NotFound):
        assignment.delete_rule(by=manager, rule_id=one.pk)


def test_there_are_not_too_many_active_rules(rule, rep, monkeypatch):
    monkeypatch.setattr(assignment, "MAX_ACTIVE_RULES", 1)
    rule(to=rep)
    with pytest.raises(errors.TooManyRules):
        rule(to=rep)
    rule(to=rep, is_active=False)
