"""What counts, counts what its reader may read: leads that they can't see make no difference to any answer.

Every address that answers by reading is asked twice, before and after everything about unseen leads has changed, and
must answer byte for byte the same. So nobody learns another team's data by asking "how many", letter by letter.
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
from tests.athena.api.routes import BASE, READS
from tests.rights.test_admin import GETS, address, rows  # noqa: F401  (a fixture)

BLIND = ("owner", "mate", "boss")  # who can't see what the other team works on
GUESS = {
    "rule_name": "Guess", "rule_type": "attribute", "condition_field": "email", "condition_operator": "contains",
    "condition_value": "secret", "points": 100, "is_active": True,
}  # fmt: skip
WON = {"rule_name": "Won", **{key: GUESS[key] for key in GUESS if key != "rule_name"}, "condition_value": "club"}
OF_THE_API = [
    *(f"get {route}" for route in READS),
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
    "sales/scoring/rules/preview": {"rule": GUESS},
    "sales/leads": {"company_name": "Secret Choir", "email": "secret@club.example", "phone": "+1 617 555 0100"},
    "sales/leads/bulk-transfer": {"lead_ids": ["{lead}", "{secret}"], "to_user_id": "{mate}", "reason": "x",
                                  "dry_run": True},
}  # fmt: skip
NEVER_THE_SAME = re.compile(  # tokens, nonces, and the keys of rows that were just made
    r'csrfmiddlewaretoken" value="[^"]+"|nonce="[^"]+"| · [0-9a-f]{32}'
    r'|"(token|url|(calculated|created|(score_)?updated)_at)": ?"[^"]+"|"id": ?\d+'
)
LISTS = [name for name in GETS if name.endswith("_changelist")]
QUERIES = ("", "?_facets=True", "?q=choir", "?q=secret", "?o=-1", "?o=3")
PREVIEWS = {
    "sales_leadscoringrule_preview": {
        **GUESS, "rule_name": "Try", "is_active": "on", "within_days": "", "half_life_days": "", "group": "",
    },
    "sales_assignmentrule_preview": {
        "rule_name": "All", "position": 2, "is_active": "on", "condition_1_field": "email",
        "condition_1_operator": "contains", "condition_1_value": "secret",
    },
    "sales_lead_changelist": {"action": "reassign_selected", "select_across": "1", "_selected_action": "{lead}"},
}  # fmt: skip


def at_noon():
    return time_machine.travel(timezone.now().replace(hour=12, minute=0), tick=False)


@pytest.fixture(autouse=True)
def _at_noon():
    with at_noon():
        yield


@pytest.fixture(scope="module", autouse=True)
def _more_rows(world, rows, people):  # noqa: F811
    """A run that "Recalculate all scores" joins, another that is done, and rules that ask what nobody may know.

    And a trip to be called again, whose client asks the other team in the second world.
    """
    with at_noon():
        Lead.objects.create(
            company_name="Harbor Choir", assigned_to=people["owner"], status="won", phone_normalised="+16175550100",
            pickup_at=timezone.now() - timedelta(days=135),
        )  # fmt: skip
        ScoringRun.objects.create(rule_set_version=1, state="queued", total=5)
        ScoringRun.objects.filter(pk=world.run.pk).update(total=5, processed=5, changed=2)
        for rule in (GUESS, WON):
            LeadScoringRule.objects.create(**rule)
        LeadScoreHistory.objects.filter(pk=world.secret.score.pk).update(run=world.run)
        search_index.index_missing_leads(10)


def change_what_is_unseen(world, people):
    """Everything about the leads of the other team, of which there are more, too; and what runs counted of all."""
    secret, far, helper = world.leads["secret"], people["far"], people["helper"]
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
            phone="+1 617 555 0100", phone_normalised="+16175550100", assigned_to=far, score=90, source=world.source,
            status=("new", "quoted", "lost")[number], lost_reason_id="price" if number == 2 else None, campaign="c",
            closed_at=now if number == 2 else None, estimated_value=1000, pickup_at=now,
        )  # fmt: skip
        FollowUp.objects.create(lead=lead, assigned_to=far, follow_up_type="call", scheduled_date="2026-01-05")
        Activity.objects.create(lead=lead, activity_type="email", direction="inbound", user=far)
        FieldChange.objects.create(lead=lead, field="notes", old="a", new="b", by=far)
        LeadScoreHistory.objects.create(lead=lead, old_score=0, new_score=90, points_changed=90, run=world.run)
        LeadTransfer.objects.create(
            lead=lead, batch=world.story.batch, from_user=helper, to_user=far, transferred_by=people["admin"]
        )
    FollowUp.objects.create(lead=secret, assigned_to=helper, follow_up_type="call", scheduled_date="2026-01-06")
    FollowUp.objects.filter(pk=world.secret_plan.pk).update(completed=True, outcome="lost", completed_at=now)
    ScoringRun.objects.filter(pk=world.run.pk).update(total=8, processed=8, changed=6)
    search_index.index_missing_leads(10)


@pytest.fixture
def ask_in_both_worlds(world, people, rows, browsers):  # noqa: F811
    """Answers requests (who, method, path, body) before and after the change; whatever they write is undone."""
    names = {name: str(user.pk) for name, user in people.items()}
    names |= {"lead": str(world.lead.pk), "secret": str(world.leads["secret"].pk)}

    def fill_in(path, body):
        for name, pk in names.items():
            path = path.replace(f"{{{name}}}", pk)
            body = body and json.loads(json.dumps(body).replace(f'"{{{name}}}"', pk))
        return path, body

    def response(who, method, path, body, kind):
        cache.clear()
        path, body = fill_in(path, body)
        with transaction.atomic():
            response = getattr(browsers[who], method)(path, body, **kind)
            content = b"".join(response.streaming_content) if response.streaming else response.content
            transaction.set_rollback(True)
        return response.status_code, NEVER_THE_SAME.sub("", content.decode(errors="replace"))

    def ask(requests, **kind):
        before = [response(*request, kind) for request in requests]
        assert [status for status, _ in before if status >= 500] == []
        with transaction.atomic():
            change_what_is_unseen(world, people)
            after = [response(*request, kind) for request in requests]
            transaction.set_rollback(True)
        return before, after

    return ask


@pytest.mark.parametrize("line", OF_THE_API)
def test_the_api(ask_in_both_worlds, world, rows, line):  # noqa: F811
    method, _, route = line.partition(" ")
    keys = {"lead_id": world.lead.pk, "pk": rows_key(route, world, rows)}
    path = BASE + re.sub(r"\{(pk|lead_id)\}", lambda name: str(keys[name[1]]), route)
    requests = [(who, method, path, BODIES.get(route)) for who in BLIND]
    before, after = ask_in_both_worlds(requests, content_type="application/json")
    assert before == after


@pytest.mark.parametrize("name", sorted(GETS))
def test_pages(ask_in_both_worlds, rows, name):  # noqa: F811
    queries = QUERIES if name in LISTS else ("",)
    before, after = ask_in_both_worlds(
        [(who, "get", address(name, rows) + query, None) for query in queries for who in BLIND]
    )
    assert before == after


@pytest.mark.parametrize("name", PREVIEWS)
def test_previews(ask_in_both_worlds, name):
    before, after = ask_in_both_worlds([(who, "post", reverse(f"admin:{name}"), PREVIEWS[name]) for who in BLIND])
    assert before == after


def test_a_run_is_not_asked_for_its_counts(browsers):
    url = reverse("admin:sales_scoringrun_changelist")
    for name in ("changed", "total", "processed"):
        assert browsers["boss"].get(url, {f"{name}__gte": 1}).status_code == 400


def test_a_colleagues_tasks_are_those_of_leads_that_one_may_read(browsers, people, world):
    """Somebody of one's team has promised something about another team's lead: that is between them."""
    FollowUp.objects.filter(pk=world.helpers.pk).update(scheduled_date="2026-01-05")
    path = f"{BASE}sales/follow-ups/my-tasks?view=all&user_id={people['helper'].pk}"
    found = {who: len(browsers[who].get(path).json()) for who in ("helper", "far_boss", "free_boss")}
    assert found == {"helper": 2, "far_boss": 0, "free_boss": 2}  # of the lead, and of the won trip
    overdue = {who: "Helper" in browsers[who].get("/admin/").content.decode() for who in ("far_boss", "free_boss")}
    assert overdue == {"far_boss": False, "free_boss": True}


@pytest.mark.parametrize(
    "line", ["get sales/leads?count=true", "post sales/scoring/rules/preview", "get sales/scoring/runs"]
)
def test_the_worlds_differ_for_who_sees_both(ask_in_both_worlds, line):
    """Or the comparison would say nothing."""
    method, _, route = line.partition(" ")
    (before,), (after,) = ask_in_both_worlds(
        [("admin", method, BASE + route, BODIES.get(route))], content_type="application/json"
    )
    assert before[0] == 200
    assert before != after


def rows_key(route, world, rows):  # noqa: F811
    """The key of a row that the route is about."""
    if route.startswith("sales/leads/"):
        return world.lead.pk
    known = {
        "follow-ups": world.plan, "activities": world.story.activity, "runs": world.run, "sources": world.source,
        "rules": rows["sales_leadscoringrule"], "notifications": world.told, "cadences": world.cadence,
    }  # fmt: skip
    kind = route.split("/{")[0].rpartition("/")[2]
    return known[kind].pk if kind in known else 1
