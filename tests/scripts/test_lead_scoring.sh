#!/usr/bin/env bash
# Scoring rules, scores and their history. Ends with status 0 only if every answer is what it should be; see api.sh.
. "$(dirname "$0")/api.sh"

echo "=== Scoring rules ==="
log_in admin
call 200 GET /sales/scoring/rules
check '{"Large Group Size": 20, "Medium Group Size": 10, "High Budget": 25, "Medium Budget": 15,
    "Responded to Email": 10, "Called Back": 15, "Requested Quote": 20, "Repeat Client": 30}.items()
    <= {rule["rule_name"]: rule["points"] for rule in a}.items()'
check '[rule["points"] for rule in a] == sorted((rule["points"] for rule in a), reverse=True)'
name="Script $$ $(date +%s)"
rule="{\"rule_name\": \"$name\", \"rule_type\": \"attribute\", \"condition_field\": \"company_name\",
    \"condition_operator\": \"is_set\", \"condition_value\": \"true\", \"points\": -7}"
call 201 POST /sales/scoring/rules "$rule"
check "a['rule_name'] == '$name' and a['points'] == -7"
id=$(value 'a["rule_id"]')
call 400 POST /sales/scoring/rules "$rule"
check 'list(a) == ["rule_name"]'
call 400 POST /sales/scoring/rules "{\"rule_name\": \"$name 2\", \"rule_type\": \"attribute\",
    \"condition_field\": \"password\", \"condition_operator\": \"equals\", \"condition_value\": \"x\", \"points\": 5}"
check '"condition_field" in a'

echo "=== Calculate a lead's score ==="
call 200 POST /sales/leads/1/calculate-score
check 'a["lead_id"] == 1 and 0 <= a["score"] <= 100'
call 200 GET /sales/leads/1/score
check "[(part['matched'], part['points']) for part in a['rules'] if part['rule_id'] == $id] == [(True, -7)]"
check 'a["raw_points"] == sum(part["points"] for part in a["rules"] if part["matched"])'
check 'a["score"] == min(100, max(0, a["raw_points"]))'
points=$(value 'a["raw_points"]')
call 200 PATCH "/sales/scoring/rules/$id" '{"points": 3}'
call 200 POST /sales/leads/1/calculate-score
call 200 GET /sales/leads/1/score
check "a['raw_points'] == $points + 10"
score=$(value 'a["score"]')

echo "=== High-score leads ==="
call 200 GET '/sales/leads/high-score?min_score=30'
check 'a and len(a) <= 20 and all(lead["score"] >= 30 for lead in a)'
check '[lead["score"] for lead in a] == sorted((lead["score"] for lead in a), reverse=True)'
check '{"id", "company_name", "contact_name", "status", "assigned_to", "next_follow_up"} <= set(a[0])'

echo "=== Score history ==="
call 200 GET /sales/leads/1/score-history
check "a['lead_id'] == 1 and a['history'][0]['new_score'] == $score"
check 'all(one["new_score"] - one["old_score"] == one["points_changed"] for one in a["history"])'
check "sum(one['points_changed'] for one in a['history']) == $score"
check '[one["changed_at"] for one in a["history"]] == sorted((one["changed_at"] for one in a["history"]), reverse=True)'

echo "=== Recalculate all scores ==="
call 204 DELETE "/sales/scoring/rules/$id"
call 202 POST /sales/scoring/recalculate-all
check 'a["message"] and a["count"] > 0'
run=$(value 'a["run_id"]')
tries=0
until
    call 200 GET "/sales/scoring/runs/$run"
    [ "$(value 'a["state"] in ("done", "stale", "failed")')" = true ]
do
    tries=$((tries + 1))
    [ $tries -lt 60 ] || fail "the run did not end"
    sleep 1
done
check 'a["state"] == "done" and a["processed"] == a["total"] > 0'
call 200 GET /sales/leads/1/score
check "a['raw_points'] == $points + 7 and $id not in [part['rule_id'] for part in a['rules']]"
log_in maria
call 403 POST /sales/scoring/recalculate-all
call 403 POST /sales/scoring/rules "$rule"

echo "Scoring: all as it should be."
