"""What sales tells people of: a line each, and three templates in `templates/notifications/`."""

from notifications.kinds import Kind

_LEAD = "admin/sales/lead/{lead_id}/change/"
_LEADS = "admin/sales/lead/"

KINDS = (
    Kind("follow_up_due", "Reminder", "A follow-up of yours is due soon.", _LEAD),
    Kind("follow_up_reassigned", "Follow-up given to you", "Somebody gave you a follow-up.", _LEAD),
    Kind("lead_assigned", "New lead", "A new lead is yours.", _LEAD),
    Kind("leads_received", "Leads given to you", "Leads moved to you, one message for all that moved.", _LEADS),
    Kind("leads_transferred", "Leads given away", "Leads of yours moved to somebody else.", _LEADS),
    Kind("lead_unowned", "Lead without an owner", "A lead came in and nobody could be found to own it.", _LEAD),
    Kind("run_failed", "Scoring failed", "A scoring run that you answer for failed.",
         "admin/sales/scoringrun/{run_id}/change/"),
)  # fmt: skip
