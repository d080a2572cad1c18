"""What sales tells people of: a line each, and three templates in `templates/notifications/`."""

from notifications.kinds import Kind

_LEAD = "admin/sales/lead/{lead_id}/change/"
_LEADS = "admin/sales/lead/"

KINDS = (
    Kind("follow_up_due", "Reminder", "A follow-up of yours is due soon.", _LEAD),
    Kind("follow_up_overdue", "Overdue", "A follow-up of yours was not done yesterday.", _LEAD),
    Kind("daily_digest", "Daily digest", "What there is to do today, and what waits; nothing on days without.",
         "admin/sales/followup/?whose=me&state=open"),
    Kind("escalation_overdue", "Overdue in the team", "Somebody's follow-up has been overdue for days.", _LEAD),
    Kind("escalation_hot", "Hot lead waits", "Nobody has contacted a hot lead for hours.", _LEAD),
    Kind("follow_up_reassigned", "Follow-up given to you", "Somebody gave you a follow-up.", _LEAD),
    Kind("lead_assigned", "New lead", "A new lead is yours.", _LEAD),
    Kind("leads_received", "Leads given to you", "Leads moved to you, one message for all that moved.", _LEADS),
    Kind("leads_transferred", "Leads given away", "Leads of yours moved to somebody else.", _LEADS),
    Kind("leads_not_returned", "Leads that stay", "Leads given away for a time can't go back: their owner left.",
         _LEADS),
    Kind("follow_ups_received", "Follow-ups handed over", "Follow-ups of somebody who left are yours now.",
         "admin/sales/followup/?whose=me&state=open"),
    Kind("inquiry_received", "They wrote again", "Somebody whose lead is yours, or nobody's, wrote by the web site.",
         _LEAD),
    Kind("lead_unowned", "Lead without an owner", "A lead came in and nobody could be found to own it.", _LEAD),
    Kind("arrivals", "Many leads and inquiries", "More of the three above than five in ten minutes, or on one lead.",
         _LEADS),
    Kind("escalation_unowned", "Nobody takes a lead", "Leads have had no owner for hours, and nobody contacted them.",
         "admin/sales/lead/?owner=none"),
    Kind("run_failed", "Scoring failed", "A scoring run that you answer for failed.",
         "admin/sales/scoringrun/{run_id}/change/"),
)  # fmt: skip
