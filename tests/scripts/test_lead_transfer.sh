#!/usr/bin/env bash
# Transfers of one lead and of many. Ends with status 0 only if every answer is what it should be; see api.sh.
. "$(dirname "$0")/api.sh"

echo "=== Transfer one lead ==="
log_in admin
call 200 GET /sales/leads/1
to=$(value '4 if a["assigned_to"] == 2 else 2')
from=$(value 'a["assigned_to"]')
call 200 GET /sales/leads/1/transfer-history
count=$(value 'a["transfer_count"]')
call 200 POST "/sales/leads/1/transfer?to_user_id=$to&reason=Reassignment%20due%20to%20territory%20change"
check "a['lead_id'] == 1 and a['transferred_to'] == $to"
transfer=$(value 'a["transfer_id"]')
call 200 GET /sales/leads/1
check "a['assigned_to'] == $to"
call 200 POST /sales/leads/1/transfer "{\"to_user_id\": $to}"
check 'a["transfer_id"] is None'
call 200 GET /sales/leads/1/activities
check 'a["results"][0]["activity_type"] == "transfer" and a["results"][0]["user_id"] == 1'

echo "=== The follow-ups move along ==="
log_in admin
call 201 POST /sales/follow-ups "{\"lead_id\": 1, \"follow_up_type\": \"call\", \"scheduled_date\": \"$(day 30)\",
    \"assigned_to\": $to}"
follow_up=$(value 'a["id"]')
call 200 POST /sales/leads/1/transfer '{"to_user_id": 5, "reason": "Holiday", "notes": "Back in two weeks"}'
check "a['transferred_to'] == 5 and a['transfer_id'] > $transfer"
call 200 GET "/sales/follow-ups/$follow_up"
check 'a["assigned_to"] == 5'
call 204 DELETE "/sales/follow-ups/$follow_up"

echo "=== Who may be given a lead ==="
call 400 POST '/sales/leads/1/transfer?to_user_id=6'
call 404 POST '/sales/leads/1/transfer?to_user_id=999999999'
call 404 POST '/sales/leads/999999999/transfer?to_user_id=2'

echo "=== Transfer many leads ==="
call 200 POST /sales/leads/bulk-transfer '{"lead_ids": [2, 3, 4], "to_user_id": 5, "reason": "Start anew"}'
call 200 POST /sales/leads/bulk-transfer '{"lead_ids": [2, 3, 4, 4, 999999999], "to_user_id": 3,
    "reason": "Load balancing"}'
check 'a["transferred_count"] == 3 and sorted(a["lead_ids"]) == [2, 3, 4] and a["new_owner"] == 3'
check '[(one["lead_id"], one["code"]) for one in a["skipped"]] == [(999999999, "not_found")]'
call 200 POST /sales/leads/bulk-transfer '{"lead_ids": [2, 3, 4], "to_user_id": 3, "reason": "Load balancing"}'
check 'a["transferred_count"] == 0 and {one["code"] for one in a["skipped"]} == {"already_owner"}'
call 400 POST /sales/leads/bulk-transfer '{"lead_ids": [2, 3, 4], "to_user_id": 2}'
check 'list(a) == ["reason"]'
log_in maria
call 403 POST /sales/leads/bulk-transfer '{"lead_ids": [2, 3, 4], "to_user_id": 3, "reason": "Not mine to do"}'

echo "=== Transfer history ==="
log_in admin
call 200 GET /sales/leads/1/transfer-history
check "a['lead_id'] == 1 and a['transfer_count'] == len(a['transfers']) == $count + 2"
check "[(one['from_user_id'], one['to_user_id']) for one in a['transfers'][:2]] == [($to, 5), (${from/null/None}, $to)]"
check 'a["transfers"][0]["reason"] == "Holiday" and a["transfers"][0]["notes"] == "Back in two weeks"'
check 'a["transfers"][1]["reason"] == "Reassignment due to territory change"'
check '{one["transferred_by"] for one in a["transfers"][:2]} == {1}'

echo "Transfers: all as it should be."
