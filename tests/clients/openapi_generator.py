"""A salesperson's work through the client that openapi-generator makes (its Python folder is on PYTHONPATH).

python openapi_generator.py http://localhost:8080
"""

import sys
from datetime import date, timedelta

import athena_client as made
from athena_client.exceptions import ApiException


def status_of(call):
    """Of a call that is not answered with what it asks for."""
    try:
        call()
    except ApiException as error:
        return error.status
    return 200


host = made.Configuration(host=sys.argv[1])
body = made.LoginBody(email="maria@example.com", password="maria123")
login = made.AuthApi(made.ApiClient(host)).auth_login_create(body)
sales = made.SalesApi(made.ApiClient(made.Configuration(host=sys.argv[1], access_token=login.access_token)))

page = sales.sales_leads_list(status=["new", "contacted"], limit=5, created_before="2100-01-01", count=True)
assert 0 < len(page.results) <= page.count, page
assert sales.sales_follow_ups_my_tasks_list(view="all")

lead = sales.sales_leads_create(
    new_lead_body=made.NewLeadBody(company_name="Made by a client", notes=None, estimated_passengers=40)
)
assert (lead.company_name, lead.status) == ("Made by a client", "new"), lead
read = sales.sales_leads_retrieve_with_http_info(lead.id)
tag = read.headers["ETag"]
changed = sales.sales_leads_partial_update(lead.id, if_match=tag, patched_lead_body=made.PatchedLeadBody(notes="Hello"))
assert changed.notes == "Hello", changed
assert status_of(lambda: sales.sales_leads_retrieve(lead.id, if_none_match="*")) == 304
assert status_of(lambda: sales.sales_leads_destroy(lead.id)) == 403
assert status_of(lambda: sales.sales_leads_partial_update(lead.id, if_match=tag)) == 412

plan = sales.sales_follow_ups_create(
    new_follow_up_body=made.NewFollowUpBody(
        lead_id=lead.id, follow_up_type="call", scheduled_date=date.today() + timedelta(1), notes=None
    )
)
assert plan.outcome is None, plan
done = sales.sales_follow_ups_complete_create(
    plan.id, completion_body=made.CompletionBody(outcome="voicemail", schedule_next=True, next_follow_up_days=3)
)
assert (done.completed, done.next_follow_up_id is None) == (True, False), done
assert sales.sales_leads_timeline_list(lead.id).results

given = sales.sales_leads_transfer_create(lead.id, to_user_id=3, reason="By the query")
assert given.transferred_to == 3, given
assert sales.sales_transfers_undo_create(given.batch_id).lead_ids == [lead.id]
again = sales.sales_leads_transfer_create(lead.id, transfer_body=made.TransferBody(to_user_id=3, reason="By the body"))
assert sales.sales_transfers_undo_create(again.batch_id).new_owner == login.user.id
sys.stdout.write("done\n")
