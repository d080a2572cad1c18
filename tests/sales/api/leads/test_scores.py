"""Scores, scoring rules and scoring runs over HTTP: bodies, permissions and errors."""

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from sales.models import Activity, Lead, LeadScoreHistory, LeadScoringRule, RuleSet, ScoringRun
from sales.services.scoring import scoring_runs

LEADS, SCORING = "/api/v1/sales/leads", "/api/v1/sales/scoring"
RULE = {
    "rule_name": "Wheelchairs",
    "rule_type": "attribute",
    "condition_field": "accessible_seats",
    "condition_operator": "at_least",
    "condition_value": "1",
    "points": 5,
}


def read_json(response, status=200):
    assert response.status_code == status, response.content
    return response.json() if response.content else None


def get_rule_id(name="Repeat Client") -> int:
    return LeadScoringRule.objects.get(rule_name=name).pk


def test_calculate_score_stores_and_returns_the_score(api, rep, make_lead):
    lead, cold = make_lead(assigned_to=rep, is_repeat=True), make_lead(assigned_to=rep)
    first = read_json(api(rep).post(f"{LEADS}/{lead.pk}/calculate-score"))
    lead.refresh_from_db()
    assert first.keys() == {"lead_id", "score", "updated_at"}
    assert first["lead_id"] == lead.pk
    assert first["score"] == 30
    assert lead.score == 30
    assert first["updated_at"] is not None
    assert read_json(api(rep).post(f"{LEADS}/{lead.pk}/calculate-score")) == first
    assert read_json(api(rep).post(f"{LEADS}/{cold.pk}/calculate-score")) == {
        "lead_id": cold.pk,
        "score": 0,
        "updated_at": None,
    }


def test_only_users_who_may_change_the_lead_calculate_its_score(api, rep, colleague, stranger, manager, make_lead):
    url = f"{LEADS}/{make_lead(assigned_to=rep).pk}/calculate-score"
    statuses = [api(user).post(url).status_code for user in (None, stranger, colleague, rep, manager)]
    assert statuses == [401, 404, 403, 200, 200]
    assert api(manager).post(f"{LEADS}/999/calculate-score").status_code == 404


def test_score_history_is_listed_newest_first(api, rep, stranger, make_lead):
    lead = make_lead(assigned_to=rep)
    start = timezone.now()
    for number, (old, new) in enumerate([(0, 30), (30, 10), (10, 45)]):
        LeadScoreHistory.objects.create(
            lead=lead,
            old_score=old,
            new_score=new,
            points_changed=new - old,
            reason=f"No. {number}",
            changed_at=start + timedelta(seconds=number),
        )
    body = read_json(api(rep).get(f"{LEADS}/{lead.pk}/score-history"))
    assert body["lead_id"] == lead.pk
    assert [(row["old_score"], row["new_score"], row["points_changed"], row["reason"]) for row in body["history"]] == [
        (10, 45, 35, "No. 2"),
        (30, 10, -20, "No. 1"),
        (0, 30, 30, "No. 0"),
    ]
    page = api(rep).get(f"{LEADS}/{lead.pk}/score-history?limit=2")
    assert [row["reason"] for row in page.json()["history"]] == ["No. 2", "No. 1"]
    next_url = page["Link"].split(">")[0].removeprefix("<")
    assert [row["reason"] for row in read_json(api(rep).get(next_url))["history"]] == ["No. 0"]
    assert api(stranger).get(f"{LEADS}/{lead.pk}/score-history").status_code == 404
    assert read_json(api(rep).get(f"{LEADS}/{lead.pk}/score-history?page=2"), 400).keys() == {"page"}


def test_the_score_at_the_end_of_a_day(api, rep, make_lead):
    """Days end in the company's time zone, New York: at 05:00 UTC in winter."""
    lead = make_lead(assigned_to=rep, created_at="2026-01-10T15:00:00Z")
    for old, new, at in (
        (0, 30, "2026-01-12T04:59:59Z"),
        (30, 10, "2026-01-12T05:00:00Z"),
        (10, 45, "2026-01-20T12:00:00Z"),
    ):
        LeadScoreHistory.objects.create(
            lead=lead, old_score=old, new_score=new, points_changed=new - old, reason="x", changed_at=at
        )

    def read_score_at(day):
        body = read_json(api(rep).get(f"{LEADS}/{lead.pk}/score-history?at={day}&limit=1"))
        assert [row["new_score"] for row in body["history"]] == [45]
        return body["score_at"]

    days = ("2026-01-09", "2026-01-10", "2026-01-11", "2026-01-12", "2026-01-19", "2026-01-20", "2030-01-01")
    assert [read_score_at(day) for day in days] == [None, 0, 30, 10, 10, 45, 45]
    assert read_json(api(rep).get(f"{LEADS}/{lead.pk}/score-history?at=yesterday"), 400).keys() == {"at"}


def test_the_score_lists_the_rules_and_their_points(api, rep, stranger, make_lead):
    lead = make_lead(assigned_to=rep, estimated_passengers=60, estimated_value="2500.50", score=7)
    Activity.objects.create(lead=lead, activity_type="email", direction="inbound")
    with time_machine.travel("2026-06-15T12:00:00Z", tick=False):
        explanation = read_json(api(rep).get(f"{LEADS}/{lead.pk}/score"))
    assert [
        (rule["rule_name"], rule["matched"], rule["value"], rule["points"]) for rule in explanation.pop("rules")
    ] == [
        ("Repeat Client", False, False, 30),
        ("High Budget", False, 2500.5, 25),
        ("Large Group Size", True, 60, 20),
        ("Requested Quote", False, False, 20),
        ("Medium Budget", True, 2500.5, 15),
        ("Called Back", False, False, 15),
        ("Medium Group Size", True, 60, 10),
        ("Responded to Email", True, True, 10),
    ]
    assert explanation == {
        "score": 55,
        "raw_points": 55,
        "stored_score": 7,
        "calculated_at": "2026-06-15T12:00:00+00:00",
    }
    assert api(stranger).get(f"{LEADS}/{lead.pk}/score").status_code == 404


def test_high_score_lists_open_visible_leads_best_first(api, rep, make_lead, stranger, manager):
    now = timezone.now()
    best = make_lead(assigned_to=rep, score=90, contact_name="Ann Lee", estimated_value="1200.5", status="quoted")
    hot = make_lead(assigned_to=rep, score=50, next_follow_up_date=now)
    same = make_lead(assigned_to=rep, score=50)
    warm = make_lead(assigned_to=rep, score=49)
    make_lead(assigned_to=rep, score=95, status="won")
    make_lead(assigned_to=rep, score=95, archived_at=now)
    hidden = make_lead(assigned_to=stranger, score=99)
    body = read_json(api(rep).get(f"{LEADS}/high-score"))
    assert body[0] == {
        "id": best.pk,
        "company_name": "Lincoln High School Band",
        "contact_name": "Ann Lee",
        "score": 90,
        "estimated_value": 1200.5,
        "status": "quoted",
        "assigned_to": rep.pk,
        "next_follow_up": None,
    }
    assert [(row["id"], row["estimated_value"]) for row in body] == [(best.pk, 1200.5), (same.pk, 0), (hot.pk, 0)]
    assert body[2]["next_follow_up"] is not None
    assert [row["id"] for row in read_json(api(rep).get(f"{LEADS}/high-score?min_score=49&limit=200"))][-1] == warm.pk
    assert [row["id"] for row in read_json(api(rep).get(f"{LEADS}/high-score?limit=1"))] == [best.pk]
    assert [row["id"] for row in read_json(api(stranger).get(f"{LEADS}/high-score"))] == [hidden.pk]


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("limit=0", "limit"),
        ("limit=201", "limit"),
        ("limit=ten", "limit"),
        ("min_score=hot", "min_score"),
        ("min_score=101", "min_score"),
        ("min_score=", "min_score"),
        ("min=3", "min"),
    ],
)
def test_high_score_refuses_wrong_parameters(api, rep, query, name):
    assert list(read_json(api(rep).get(f"{LEADS}/high-score?{query}"), 400)) == [name]


def test_rules_are_listed_with_the_most_points_first(api, manager, rep):
    body = read_json(api(manager).get(f"{SCORING}/rules"))
    assert [(rule["rule_name"], rule["points"]) for rule in body[:3]] == [
        ("Repeat Client", 30),
        ("High Budget", 25),
        ("Large Group Size", 20),
    ]
    assert len(body) == 8
    assert body[0].keys() == {
        "id",
        "rule_name",
        "rule_type",
        "condition_field",
        "condition_operator",
        "condition_value",
        "points",
        "is_active",
        "within_days",
        "half_life_days",
        "group",
        "version",
        "created_at",
        "updated_at",
        "problems",
        "warnings",
    }
    rule = read_json(api(manager).get(f"{SCORING}/rules/{get_rule_id()}"))
    assert rule == body[0]
    assert rule["problems"] == {}


def test_a_rule_that_plain_sql_made_invalid_lists_its_problems(api, manager):
    LeadScoringRule.objects.filter(pk=get_rule_id()).update(condition_value="perhaps")
    body = read_json(api(manager).get(f"{SCORING}/rules/{get_rule_id()}"))
    assert body["problems"] == {"condition_value": "Enter true or false."}


@pytest.mark.parametrize(
    ("is_same", "change"),
    [
        (True, {}),
        (True, {"condition_value": "1.0"}),
        (True, {"points": -5, "half_life_days": None}),
        (False, {"condition_value": "2"}),
        (False, {"condition_operator": "greater_than"}),
        (False, {"is_active": False}),
        (True, {"group": "needs"}),
    ],
)
def test_a_rule_with_the_same_condition_as_another_has_a_warning(api, manager, is_same, change):
    client = api(manager)
    first = read_json(client.post(f"{SCORING}/rules", RULE), 201)
    second = read_json(client.post(f"{SCORING}/rules", {**RULE, "rule_name": "Again", **change}), 201)
    message = f"The condition is the same as in “{RULE['rule_name']}”: a lead that matches gets the points of each."
    assert first["warnings"] == []
    assert second["warnings"] == ([{"code": "same_condition", "message": message}] if is_same else [])
    warnings_by_rule = {rule["id"]: rule["warnings"] for rule in read_json(client.get(f"{SCORING}/rules"))}
    assert bool(warnings_by_rule[first["id"]]) is is_same
    assert warnings_by_rule[second["id"]] == second["warnings"]


def test_rules_of_the_same_group_may_have_the_same_condition(api, manager):
    client = api(manager)
    read_json(client.post(f"{SCORING}/rules", RULE | {"group": "needs"}), 201)
    second = read_json(client.post(f"{SCORING}/rules", RULE | {"rule_name": "Again", "group": " Needs "}), 201)
    assert second["warnings"] == []


def test_values_of_a_condition_are_compared_without_regard_to_case_and_order(api, manager):
    client = api(manager)
    text = {"rule_type": "attribute", "condition_field": "campaign", "condition_operator": "in", "points": 1}
    read_json(client.post(f"{SCORING}/rules", text | {"rule_name": "One", "condition_value": "May, June"}), 201)
    second = read_json(client.post(f"{SCORING}/rules", text | {"rule_name": "Two", "condition_value": "JUNE,may"}), 201)
    assert [warning["code"] for warning in second["warnings"]] == ["same_condition"]


def test_a_rule_is_created_changed_and_deleted(api, manager):
    created = read_json(api(manager).post(f"{SCORING}/rules", RULE | {"group": "needs"}), 201)
    assert created["rule_id"] == created["id"]
    assert {name: created[name] for name in (*RULE, "is_active", "within_days", "group", "version")} == {
        **RULE,
        "is_active": True,
        "within_days": None,
        "group": "needs",
        "version": 1,
    }
    url = f"{SCORING}/rules/{created['id']}"
    changed = read_json(api(manager).patch(url, {"points": 8, "is_active": False}))
    assert changed["points"] == 8
    assert changed["is_active"] is False
    assert changed["version"] == 2
    assert read_json(api(manager).get(url)) == changed
    assert read_json(api(manager).patch(url, changed | {"points": 9}))["points"] == 9
    assert api(manager).delete(url).status_code == 204
    assert api(manager).get(url).status_code == 404
    assert api(manager).delete(url).status_code == 404
    assert RuleSet.objects.get().version == 5
    assert ScoringRun.objects.count() == 1


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"rule_name": "Repeat Client"}, "rule_name"),
        ({"rule_name": ""}, "rule_name"),
        ({"rule_name": "x" * 101}, "rule_name"),
        ({"rule_type": "mood"}, "rule_type"),
        ({"condition_field": "password"}, "condition_field"),
        ({"condition_operator": "like"}, "condition_operator"),
        ({"condition_operator": "contains"}, "condition_operator"),
        ({"condition_value": "many"}, "condition_value"),
        ({"condition_value": 1}, "condition_value"),
        ({"condition_value": ""}, "condition_value"),
        ({"points": 101}, "points"),
        ({"points": "5"}, "points"),
        ({"points": 1.5}, "points"),
        ({"is_active": "yes"}, "is_active"),
        ({"within_days": 0}, "within_days"),
        ({"within_days": 30}, "within_days"),
        ({"half_life_days": 3651}, "half_life_days"),
        ({"group": "g" * 51}, "group"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_a_wrong_rule_is_refused(api, manager, changes, field):
    assert list(read_json(api(manager).post(f"{SCORING}/rules", RULE | changes), 400)) == [field]
    assert LeadScoringRule.objects.count() == 8


def test_a_rule_needs_all_its_parts(api, manager):
    assert read_json(api(manager).post(f"{SCORING}/rules", {}), 400).keys() == RULE.keys()


def test_too_many_rules_are_a_conflict(api, manager):
    LeadScoringRule.objects.bulk_create(
        LeadScoringRule(**RULE | {"rule_name": f"Rule no. {number}"}) for number in range(192)
    )
    refused = read_json(api(manager).post(f"{SCORING}/rules", RULE), 409)
    assert refused["code"] == "too_many_rules"


def test_the_fields_and_operators_of_rules_are_listed(api, manager):
    fields = {(field["rule_type"], field["field"]): field for field in read_json(api(manager).get(f"{SCORING}/fields"))}
    assert fields["attribute", "trip_type"] == {
        "field": "trip_type",
        "rule_type": "attribute",
        "value_type": "choice",
        "description": "Kind of trip",
        "operators": ["equals", "not_equals", "in", "is_set"],
        "choices": [
            {"value": "one_way", "label": "One way"},
            {"value": "round_trip", "label": "Round trip"},
            {"value": "multi_day", "label": "Multi-day tour"},
            {"value": "shuttle", "label": "Shuttle"},
        ],
        "timed": False,
    }
    assert fields["activity", "quote_requested"]["timed"] is True
    assert ("engagement", "no_answer_count") in fields
    for rule in LeadScoringRule.objects.all():
        assert rule.condition_operator in fields[rule.rule_type, rule.condition_field]["operators"]


def test_recalculate_all_starts_one_run_at_a_time(api, manager, make_lead):
    leads = [make_lead(is_repeat=True) for _ in range(3)]
    first = read_json(api(manager).post(f"{SCORING}/recalculate-all"), 202)
    run = ScoringRun.objects.get()
    assert first == {"message": "Recalculating the scores of 3 leads", "count": 3, "run_id": run.pk}
    assert read_json(api(manager).post(f"{SCORING}/recalculate-all"), 202) == first
    scoring_runs.process_batches()
    assert set(Lead.objects.values_list("score", flat=True)) == {30}
    assert LeadScoreHistory.objects.filter(run=run, user=manager, reason="Bulk recalculation").count() == len(leads)
    assert read_json(api(manager).post(f"{SCORING}/recalculate-all"), 202)["run_id"] != run.pk


def test_runs_are_listed_and_read(api, manager, make_lead):
    make_lead(is_repeat=True)
    done = scoring_runs.start_run(by=manager, reason="First")
    scoring_runs.process_batches()
    queued = scoring_runs.start_run(by=None, reason="Second")
    body = read_json(api(manager).get(f"{SCORING}/runs?count=true"))
    assert [(run["id"], run["state"], run["started_by"]) for run in body["results"]] == [
        (queued.pk, "queued", None),
        (done.pk, "done", manager.pk),
    ]
    assert body["next"] is None
    assert body["previous"] is None
    assert body["count"] == 2
    run = read_json(api(manager).get(f"{SCORING}/runs/{done.pk}"))
    assert run["processed"] == 1
    assert run["total"] == 1
    assert run["changed"] == 1
    assert run["reason"] == "First"
    assert run["error"] == ""
    assert run["started_at"] <= run["finished_at"]
    assert [run["id"] for run in read_json(api(manager).get(f"{SCORING}/runs?state=done"))["results"]] == [done.pk]
    assert read_json(api(manager).get(f"{SCORING}/runs?state=lost"), 400).keys() == {"state"}
    assert api(manager).get(f"{SCORING}/runs/999").status_code == 404


def test_only_managers_and_admins_use_the_scoring_routes(api, rep, manager, admin):
    calls = [
        ("get", "rules", None),
        ("post", "rules", RULE),
        ("get", f"rules/{get_rule_id()}", None),
        ("patch", f"rules/{get_rule_id()}", {"points": 3}),
        ("delete", f"rules/{get_rule_id('Called Back')}", None),
        ("get", "fields", None),
        ("post", "recalculate-all", None),
        ("get", "runs", None),
    ]
    statuses = {
        user: [getattr(api(user), method)(f"{SCORING}/{path}", body).status_code for method, path, body in calls]
        for user in (None, rep, admin)
    }
    assert statuses == {
        None: [401] * 8,
        rep: [403] * 8,
        admin: [200, 201, 200, 200, 204, 200, 202, 200],
    }
