"""A salesperson's work through the client that openapi-python-client makes (its folder is on PYTHONPATH).

python openapi_python_client.py http://localhost:8080
"""

import sys
from datetime import date, timedelta

from athena_client import AuthenticatedClient, Client, models
from athena_client.api.auth import auth_login_create
from athena_client.api.sales import (
    sales_follow_ups_complete_create,
    sales_follow_ups_create,
    sales_follow_ups_my_tasks_list,
    sales_leads_create,
    sales_leads_list,
    sales_leads_partial_update,
    sales_leads_retrieve,
    sales_leads_timeline_list,
    sales_leads_transfer_create,
    sales_transfers_undo_create,
)

nobody = Client(base_url=sys.argv[1])
body = models.LoginBody(email="maria@example.com", password="maria123")
login = auth_login_create.sync(client=nobody, body=body)
client = AuthenticatedClient(base_url=sys.argv[1], token=login.access_token)

page = sales_leads_list.sync(
    client=client, status=[models.SalesLeadsListStatusItem.NEW], limit=5, created_before="2100-01-01", count=True
)
assert 0 < len(page.results) <= page.count, page
assert sales_follow_ups_my_tasks_list.sync(client=client, view=models.SalesFollowUpsMyTasksListView.ALL)

new = models.NewLeadBody(company_name="Made by a client", notes=None, estimated_passengers=40)
lead = sales_leads_create.sync(client=client, body=new)
assert (lead.company_name, lead.status) == ("Made by a client", "new"), lead
tag = sales_leads_retrieve.sync_detailed(lead.id, client=client).headers["ETag"]
assert sales_leads_retrieve.sync_detailed(lead.id, client=client, if_none_match=tag).status_code == 304
change = models.PatchedLeadBody(notes="Hello")
assert sales_leads_partial_update.sync(lead.id, client=client, body=change, if_match=tag).notes == "Hello"
assert sales_leads_partial_update.sync_detailed(lead.id, client=client, body=change, if_match=tag).status_code == 412

plan = sales_follow_ups_create.sync(
    client=client,
    body=models.NewFollowUpBody(
        lead_id=lead.id,
        follow_up_type=models.FollowUpType.CALL,
        scheduled_date=date.today() + timedelta(1),
        notes=None,
    ),
)
assert plan.outcome is None, plan
done = sales_follow_ups_complete_create.sync(
    plan.id,
    client=client,
    body=models.CompletionBody(outcome=models.OutcomeEnum.VOICEMAIL, schedule_next=True, next_follow_up_days=3),
)
assert (done.completed, done.next_follow_up_id is None) == (True, False), done
assert sales_leads_timeline_list.sync(lead.id, client=client).results

given = sales_leads_transfer_create.sync(lead.id, client=client, to_user_id=3, reason="By the query")
assert given.transferred_to == 3, given
assert sales_transfers_undo_create.sync(given.batch_id, client=client).lead_ids == [lead.id]
again = sales_leads_transfer_create.sync(
    lead.id, client=client, body=models.TransferBody(to_user_id=3, reason="By the body")
)
assert sales_transfers_undo_create.sync(again.batch_id, client=client).new_owner == login.user.id
sys.stdout.write("done\n")
