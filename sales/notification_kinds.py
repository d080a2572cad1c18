"""What sales tells people of: a line each, and three templates in `templates/notifications/`. The last word of a line
says when it is no longer true."""

from notifications.kinds import Kind, never
from sales.queries.stale_messages import follow_ups, leads, stale_messages

_LEAD = "admin/sales/lead/{lead_id}/change/"
_LEADS = "admin/sales/lead/"
_MINE = "admin/sales/followup/?whose=me&state=open"

KINDS = (
    Kind("follow_up_due", "Reminder", "A follow-up of yours is due soon.", _LEAD, lapsed=follow_ups.due),
    Kind("follow_up_overdue", "Overdue", "A follow-up of yours was not done yesterday.", _LEAD,
         list_page="admin/sales/followup/?whose=me&day=overdue", lapsed=follow_ups.overdue),
    Kind("daily_digest", "Daily digest", "What there is to do today, and what waits; nothing on days without.", _MINE,
         lapsed=stale_messages.digest),
    Kind("escalation_overdue", "Overdue in the team", "Somebody's follow-up has been overdue for days.", _LEAD,
         list_page="admin/sales/followup/?day=overdue", lapsed=follow_ups.escalated),
    Kind("escalation_hot", "Hot lead waits", "Nobody has contacted a hot lead for hours.", _LEAD,
         lapsed=leads.hot),
    Kind("follow_up_reassigned", "Follow-up given to you", "Somebody gave you a follow-up.", _LEAD,
         lapsed=follow_ups.reassigned),
    Kind("lead_assigned", "New lead", "A new lead is yours.", _LEAD, lapsed=leads.assigned),
    Kind("leads_received", "Leads given to you", "Leads moved to you, one message for all that moved.", _LEADS,
         lapsed=leads.received),
    Kind("leads_transferred", "Leads given away", "Leads of yours moved to somebody else.", _LEADS,
         lapsed=leads.given_away),
    Kind("leads_not_returned", "Leads that stay", "Leads given away for a time can't go back: their owner left.",
         _LEADS, lapsed=leads.not_returned),
    Kind("follow_ups_received", "Follow-ups handed over", "Follow-ups of somebody who left are yours now.", _MINE,
         lapsed=follow_ups.handed_over),
    Kind("inquiry_received", "They wrote again", "Somebody whose lead is yours, or nobody's, wrote by the web site.",
         _LEAD, lapsed=leads.inquired),
    Kind("lead_unowned", "Lead without an owner", "A lead came in and nobody could be found to own it.", _LEAD,
         lapsed=leads.unowned),
    Kind("arrivals", "Many leads and inquiries", "More of the three above than five in ten minutes, or on one lead.",
         _LEADS, lapsed=leads.gathered),
    Kind("escalation_unowned", "Nobody takes a lead", "Leads have had no owner for hours, and nobody contacted them.",
         "admin/sales/lead/?owner=none", lapsed=leads.waiting_for_an_owner),
    Kind("run_failed", "Scoring failed", "A scoring run that you answer for failed.",
         "admin/sales/scoringrun/{run_id}/change/", lapsed=never),
)  # fmt: skip
