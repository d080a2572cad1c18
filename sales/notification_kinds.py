"""What sales tells people of: a line each, and three templates in `templates/notifications/`. The last word of a line
says when it is no longer true."""

from notifications.kinds import Kind, never_stale
from sales.queries.stale_messages import follow_ups, leads, stale_messages

_LEAD = "admin/sales/lead/{lead_id}/change/"
_LEADS = "admin/sales/lead/"
_MINE = "admin/sales/followup/?whose=me&state=open"

KINDS = (
    Kind("follow_up_due", "Reminder", "A follow-up of yours is due soon.", _LEAD,
         find_stale=follow_ups.find_stale_reminders),
    Kind("follow_up_overdue", "Overdue", "A follow-up of yours was not done yesterday.", _LEAD,
         list_page="admin/sales/followup/?whose=me&day=overdue", find_stale=follow_ups.find_stale_overdue_notices),
    Kind("daily_digest", "Daily digest", "What there is to do today, and what waits; nothing on days without.", _MINE,
         find_stale=stale_messages.find_stale_digests),
    Kind("escalation_overdue", "Overdue in the team", "Somebody's follow-up has been overdue for days.", _LEAD,
         list_page="admin/sales/followup/?day=overdue", find_stale=follow_ups.find_stale_escalations),
    Kind("escalation_hot", "Hot lead waits", "Nobody has contacted a hot lead for hours.", _LEAD,
         find_stale=leads.find_stale_hot_leads),
    Kind("follow_up_reassigned", "Follow-up given to you", "Somebody gave you a follow-up.", _LEAD,
         find_stale=follow_ups.find_stale_reassignments),
    Kind("lead_assigned", "New lead", "A new lead is yours.", _LEAD, find_stale=leads.find_stale_new_leads),
    Kind("leads_received", "Leads given to you", "Leads moved to you, one message for all that moved.", _LEADS,
         find_stale=leads.find_stale_received_leads),
    Kind("leads_transferred", "Leads given away", "Leads of yours moved to somebody else.", _LEADS,
         find_stale=leads.find_stale_given_away_leads),
    Kind("leads_not_returned", "Leads that stay", "Leads given away for a time can't go back: their owner left.",
         _LEADS, find_stale=leads.find_stale_unreturned_leads),
    Kind("follow_ups_received", "Follow-ups handed over", "Follow-ups of somebody who left are yours now.", _MINE,
         find_stale=follow_ups.find_stale_handovers),
    Kind("inquiry_received", "They wrote again", "Somebody whose lead is yours, or nobody's, wrote by the web site.",
         _LEAD, find_stale=leads.find_stale_inquiries),
    Kind("lead_unowned", "Lead without an owner", "A lead came in and nobody could be found to own it.", _LEAD,
         find_stale=leads.find_stale_unassigned_leads),
    Kind("arrivals", "Many leads and inquiries", "More of the three above than five in ten minutes, or on one lead.",
         _LEADS, find_stale=leads.find_stale_arrivals),
    Kind("escalation_unowned", "Nobody takes a lead", "Leads have had no owner for hours, and nobody contacted them.",
         "admin/sales/lead/?owner=none", find_stale=leads.find_stale_unassigned_escalations),
    Kind("run_failed", "Scoring failed", "A scoring run that you answer for failed.",
         "admin/sales/scoringrun/{run_id}/change/", find_stale=never_stale),
)  # fmt: skip
