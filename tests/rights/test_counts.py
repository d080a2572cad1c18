"""Counts include only visible rows: leads that a user may not see make no difference to any response.

Every URL that only reads is requested twice, before and after everything about invisible leads has changed, and must
return the same bytes. So nobody can find out another team's data letter by letter by asking "how many".
"""

import json
import re
from datetime import timedelta

import pytest
import time_machine
from django.core.cache import cache
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from sales.models import (
    Activity,
    FieldChange,
    FollowUp,
    Lead,
    LeadScoreHistory,
    LeadScoringRule,
    LeadTransfer,
    ScoringRun,
)
from sales.services.leads import search_index
from tests.athena.api.routes import BASE, READ_ROUTES
from tests.rights.test_admin import GET_STATUSES, make_url, rows  # noqa: F401  (a fixture)

PEOPLE_WITHOUT_ACCESS = ("owner", "colleague", "manager")  # users who may not see the leads of the other team
GUESSING_RULE = {
    "rule_name": "Guess", "rule_type": "attribute", "condition_field": "email", "condition_operator": "contains",
    "condition_value": "secret", "points": 100, "is_active": True,
}  # fmt: skip
SECOND_GUESSING_RULE = {
    "rule_name": "Won",
    **{key: GUESSING_RULE[key] for key in GUESSING_RULE if key != "rule_name"},
    "condition_value": "club",
}
API_REQUESTS = [
    *(f"get {route}" for route in READ_ROUTES),
    *(f"get {route}?count=true" for route in ("sales/leads", "sales/follow-ups", "sales/leads/call-again")),
    *(f"get sales/leads?count=true&{query}" for query in (
        "search=choir", "unplanned=true", "assigned_to=none", "min_score=50", "trip_passed=true", "status=won",
    )),
    *(f"get sales/reports/source-roi?by={by}&cohort={cohort}"
      for by in ("source", "channel", "campaign") for cohort in ("created", "trip")),
    *(f"get sales/reports/{report}" for report in (
        "speed?by=source", "losses?by=source", "losses?by=value", "source-roi?format=csv",
    )),
    "get sales/follow-ups/my-tasks?view=all",
    "get sales/follow-ups/my-tasks?view=all&user_id={helper}",
    "post sales/scoring/rules/preview",
    "post sales/scoring/recalculate-all",
    "post sales/leads",
    "post sales/leads/bulk-transfer",
]  # fmt: skip
BODIES = {
    "sales/scoring/rules/preview": {"rule": GUESSING_RULE},
    "sales/leads": {"company_name": "Secret Choir", "email": "secret@club.example", "phone": "+1 617 555 0100"},
    "sales/leads/bulk-transfer": {"lead_ids": ["{lead}", "{secret}"], "to_user_id": "{colleague}", "reason": "x",
                                  "dry_run": True},
}  # fmt: skip
CHANGING_TEXTS = re.compile(  # tokens, nonces, and ids of rows that were just created
    r'csrfmiddlewaretoken" value="[^"]+"|nonce="[^"]+"| · [0-9a-f]{32}'
    r'|"(token|url|(calculated|created|(score_)?updated)_at)": ?"[^"]+"|"id": ?\d+'
)
LIST_PAGES = [name for name in GET_STATUSES if name.endswith("_changelist")]
QUERIES = ("", "?_facets=True", "?q=choir", "?q=secret", "?o=-1", "?o=3")
PREVIEWS = {
    "sales_leadscoringrule_preview": {
        **GUESSING_RULE, "rule_name": "Try", "is_active": "on", "within_days": "", "half_life_days": "", "group": "",
    },
    "sales_assignmentrule_preview": {
        "rule_name": "All", "position": 2, "is_active": "on", "condition_1_field": "email",
        "condition_1_operator": "contains", "condition_1_value": "secret",
    },
    "sales_lead_changelist": {"action": "reassign_selected", "select_across": "1", "_selected_action": "{lead}"},
}  # fmt: skip


def travel_to_noon():
    return time_machine.travel(timezone.now().replace(hour=12, minute=0), tick=False)


@pytest.fixture(autouse=True)
def _at_noon():
    with travel_to_noon():
        yield


@pytest.fixture(scope="module", autouse=True)
def _create_more_rows(world, rows, people):  # noqa: F811
    """Create scoring runs (one waiting, one done), rules that guess at secret data, and a trip to call again about.

    The client of that trip sends an inquiry to the other team before the second request.
    """
    with travel_to_noon():
        Lead.objects.create(
            company_name="Harbor Choir", assigned_to=people["owner"], status="won", phone_normalised="+16175550100",
            pickup_at=timezone.now() - timedelta(days=135),
        )  # fmt: skip
        ScoringRun.objects.create(rule_set_version=1, state="queued", total=5)
        ScoringRun.objects.filter(pk=world.run.pk).update(total=5, processed=5, changed=2)
        for rule in (GUESSING_RULE, SECOND_GUESSING_RULE):
            LeadScoringRule.objects.create(**rule)
        LeadScoreHistory.objects.filter(pk=world.secret_timeline.score.pk).update(run=world.run)
        search_index.index_missing_leads(10)


def change_invisible_rows(world, people):
    """Change everything about the leads of the other team, add more of them, and change the counts of runs."""
    secret, stranger, helper = world.leads["secret"], people["stranger"], people["helper"]
    now = timezone.now()
    Lead.objects.filter(pk=secret.pk).update(
        company_name="Another Name", contact_name="X", email="other@band.example",
        email_normalised="other@band.example", phone="+1 617 555 0199", notes="x", status="won",
        won_at=now, closed_at=now, booked_value=4711, score=7,
        source=None, assigned_to=helper, pickup_at=now, estimated_value=99, last_activity_at=now, version=9,
    )  # fmt: skip
    for number in range(3):
        lead = Lead.objects.create(
            company_name="Secret Choir", email="secret@club.example", email_normalised="secret@club.example",
            phone="+1 617 555 0100", phone_normalised="+16175550100", assigned_to=stranger, score=90,
            source=world.source,
            status=("new", "quoted", "lost")[number], lost_reason_id="price" if number == 2 else None, campaign="c",
            closed_at=now if number == 2 else None, estimated_value=1000, pickup_at=now,
        )  # fmt: skip
        FollowUp.objects.create(lead=lead, assigned_to=stranger, follow_up_type="call", scheduled_date="2026-01-05")
        Activity.objects.create(lead=lead, activity_type="email", direction="inbound", user=stranger)
        FieldChange.objects.create(lead=lead, field="notes", old="a", new="b", by=stranger)
        LeadScoreHistory.objects.create(lead=lead, old_score=0, new_score=90, points_changed=90, run=world.run)
        LeadTransfer.objects.create(
            lead=lead, batch=world.timeline.batch, from_user=helper, to_user=stranger, transferred_by=people["admin"]
        )
    FollowUp.objects.create(lead=secret, assigned_to=helper, follow_up_type="call", scheduled_date="2026-01-06")
    FollowUp.objects.filter(pk=world.secret_follow_up.pk).update(completed=True, outcome="lost", completed_at=now)
    ScoringRun.objects.filter(pk=world.run.pk).update(total=8, processed=8, changed=6)
    search_index.index_missing_leads(10)


@pytest.fixture
def request_before_and_after(world, people, rows, browsers):  # noqa: F811
    """A function that sends requests (person, method, path, body) before and after the change and undoes writes."""
    names = {name: str(user.pk) for name, user in people.items()}
    names |= {"lead": str(world.lead.pk), "secret": str(world.leads["secret"].pk)}

    def fill_in(path, body):
        for name, pk in names.items():
            path = path.replace(f"{{{name}}}", pk)
            body = body and json.loads(json.dumps(body).replace(f'"{{{name}}}"', pk))
        return path, body

    def send_request(person, method, path, body, kind):
        cache.clear()
        path, body = fill_in(path, body)
        with transaction.atomic():
            send_request = getattr(browsers[person], method)(path, body, **kind)
            content = b"".join(send_request.streaming_content) if send_request.streaming else send_request.content
            transaction.set_rollback(True)
        return send_request.status_code, CHANGING_TEXTS.sub("", content.decode(errors="replace"))

    def request_twice(requests, **kind):
        before = [send_request(*request_line, kind) for request_line in requests]
        assert [status for status, _ in before if status >= 500] == []
        with transaction.atomic():
            change_invisible_rows(world, people)
            after = [send_request(*request_line, kind) for request_line in requests]
            transaction.set_rollback(True)
        return before, after

    return request_twice


@pytest.mark.parametrize("request_line", API_REQUESTS)
def test_a_route_responds_the_same(request_before_and_after, world, rows, request_line):  # noqa: F811
    method, _, route = request_line.partition(" ")
    keys = {"lead_id": world.lead.pk, "pk": find_row_key(route, world, rows)}
    path = BASE + re.sub(r"\{(pk|lead_id)\}", lambda name: str(keys[name[1]]), route)
    requests = [(person, method, path, BODIES.get(route)) for person in PEOPLE_WITHOUT_ACCESS]
    before, after = request_before_and_after(requests, content_type="application/json")
    assert before == after


@pytest.mark.parametrize("name", sorted(GET_STATUSES))
def test_a_page_is_the_same(request_before_and_after, rows, name):  # noqa: F811
    queries = QUERIES if name in LIST_PAGES else ("",)
    before, after = request_before_and_after(
        [(person, "get", make_url(name, rows) + query, None) for query in queries for person in PEOPLE_WITHOUT_ACCESS]
    )
    assert before == after


@pytest.mark.parametrize("name", PREVIEWS)
def test_a_preview_is_the_same(request_before_and_after, name):
    before, after = request_before_and_after(
        [(person, "post", reverse(f"admin:{name}"), PREVIEWS[name]) for person in PEOPLE_WITHOUT_ACCESS]
    )
    assert before == after


def test_runs_cannot_be_filtered_by_their_counts(browsers):
    url = reverse("admin:sales_scoringrun_changelist")
    for name in ("changed", "total", "processed"):
        assert browsers["manager"].get(url, {f"{name}__gte": 1}).status_code == 400


def test_the_tasks_of_a_team_member_are_those_of_visible_leads(browsers, people, world):
    """A follow-up of a team member for a lead of another team is visible only to those who may see the lead."""
    FollowUp.objects.filter(pk=world.helpers_follow_up.pk).update(scheduled_date="2026-01-05")
    path = f"{BASE}sales/follow-ups/my-tasks?view=all&user_id={people['helper'].pk}"
    counts = {
        person: len(browsers[person].get(path).json()) for person in ("helper", "other_manager", "company_manager")
    }
    assert counts == {"helper": 2, "other_manager": 0, "company_manager": 2}  # for the lead and for the won trip
    overdue = {
        person: "Helper" in browsers[person].get("/admin/").content.decode()
        for person in ("other_manager", "company_manager")
    }
    assert overdue == {"other_manager": False, "company_manager": True}


@pytest.mark.parametrize(
    "request_line", ["get sales/leads?count=true", "post sales/scoring/rules/preview", "get sales/scoring/runs"]
)
def test_the_responses_differ_for_an_admin(request_before_and_after, request_line):
    """Otherwise the comparison would prove nothing."""
    method, _, route = request_line.partition(" ")
    (before,), (after,) = request_before_and_after(
        [("admin", method, BASE + route, BODIES.get(route))], content_type="application/json"
    )
    assert before[0] == 200
    assert before != after


def find_row_key(route, world, rows):  # noqa: F811
    """The id of a row that the route is about."""
    if route.startswith("sales/leads/"):
        return world.lead.pk
    rows_by_resource = {
        "follow-ups": world.follow_up, "activities": world.timeline.activity, "runs": world.run,
        "sources": world.source,
        "rules": rows["sales_leadscoringrule"], "notifications": world.notification, "cadences": world.cadence,
    }  # fmt: skip
    kind = route.split("/{")[0].rpartition("/")[2]
    return rows_by_resource[kind].pk if kind in rows_by_resource else 1
