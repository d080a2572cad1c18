#!/usr/bin/env bash
# Follow-ups from planning to report. Ends with status 0 only if every answer is what it should be; see api.sh.
. "$(dirname "$0")/api.sh"

echo "=== Create a follow-up ==="
call 401 GET /sales/follow-ups/my-tasks
log_in admin
call 201 POST /sales/follow-ups '{"lead_id": 1, "follow_up_type": "call", "scheduled_date": "2026-02-05",
    "scheduled_time": "10:00:00", "notes": "Call to discuss charter quote"}'
check 'a["lead_id"] == 1 and a["follow_up_type"] == "call" and a["assigned_to"] == 1'
check 'a["scheduled_date"] == "2026-02-05" and a["scheduled_time"] == "10:00:00"'
check 'a["completed"] is False and a["outcome"] is None and a["is_overdue"] is True'
late=$(value 'a["id"]')
call 201 POST /sales/follow-ups "{\"lead_id\": 1, \"follow_up_type\": \"meeting\", \"scheduled_date\": \"$(day 30)\"}"
planned=$(value 'a["id"]')
call 400 POST /sales/follow-ups '{"lead_id": 1, "follow_up_type": "fax", "scheduled_date": "2026-02-05"}'
check 'list(a) == ["follow_up_type"]'
call 404 POST /sales/follow-ups '{"lead_id": 999999999, "follow_up_type": "call", "scheduled_date": "2026-02-05"}'

echo "=== My tasks ==="
call 200 GET /sales/follow-ups/my-tasks
check "$planned in [task['id'] for task in a] and $late not in [task['id'] for task in a]"
check 'not any(task["is_overdue"] for task in a)'
call 200 GET '/sales/follow-ups/my-tasks?overdue=true'
check "$late in [task['id'] for task in a] and $planned not in [task['id'] for task in a]"
call 200 GET '/sales/follow-ups/my-tasks?view=all'
check "{$late, $planned} <= {task['id'] for task in a}"
check '[task["scheduled_date"] for task in a] == sorted(task["scheduled_date"] for task in a)'
call 200 GET '/sales/follow-ups/my-tasks?date=2026-02-05'
check "$late in [task['id'] for task in a] and {task['scheduled_date'] for task in a} == {'2026-02-05'}"

echo "=== The lead's follow-ups ==="
call 200 GET /sales/follow-ups/lead/1
check "{$late, $planned} <= {one['id'] for one in a} and {one['lead_id'] for one in a} == {1}"
check '[one["scheduled_date"] for one in a] == sorted((one["scheduled_date"] for one in a), reverse=True)'
call 200 GET /sales/leads/1
count=$(value 'a["follow_up_count"]')

echo "=== Complete ==="
call 200 GET '/sales/reports/follow-up-performance?start_date=2026-01-01'
before=$(value 'a["completed"]')
call 200 POST "/sales/follow-ups/$late/complete" '{"outcome": "successful", "schedule_next": true,
    "notes": "Client interested, sending quote", "next_follow_up_days": 3}'
check "a['follow_up_id'] == $late and a['completed'] is True and a['outcome'] == 'successful'"
next=$(value 'a["next_follow_up_id"]')
call 409 POST "/sales/follow-ups/$late/complete" '{"outcome": "successful"}'
check 'a["code"] == "follow_up_closed"'
call 200 GET "/sales/follow-ups/$late"
check 'a["notes"] == "Call to discuss charter quote" and a["outcome_notes"] == "Client interested, sending quote"'
call 200 GET "/sales/follow-ups/$next"
check "'$(day 2)' <= a['scheduled_date'] <= '$(day 9)' and a['assigned_to'] == 1 and not a['completed']"
check "__import__('datetime').date.fromisoformat(a['scheduled_date']).weekday() < 5"  # it is moved to a working day
call 200 GET /sales/leads/1
check "a['follow_up_count'] == $count + 1 and a['next_follow_up_date'] is not None"
call 200 GET /sales/leads/1/activities
check "any(one['follow_up_id'] == $late and one['activity_type'] == 'call' for one in a['results'])"

echo "=== Performance report ==="
call 200 GET '/sales/reports/follow-up-performance?start_date=2026-01-01'
check "a['completed'] == $before + 1 and a['total_follow_ups'] == a['completed'] + a['pending']"
check 'a["outcomes"]["successful"] >= 1 and a["pending"] >= a["overdue"]'
check 'a["completion_rate"] == round(100 * a["completed"] / a["total_follow_ups"], 2)'

echo "=== Reschedule and cancel ==="
call 200 PATCH "/sales/follow-ups/$planned" "{\"scheduled_date\": \"$(day 31)\"}"
check "a['scheduled_date'] == '$(day 31)'"
call 204 DELETE "/sales/follow-ups/$planned"
call 204 DELETE "/sales/follow-ups/$next"
call 409 POST "/sales/follow-ups/$planned/complete" '{"outcome": "successful"}'
call 200 GET '/sales/follow-ups/my-tasks'
check "not {$next, $planned} & {task['id'] for task in a}"

echo "Follow-ups: all as it should be."
