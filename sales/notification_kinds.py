"""The kinds of notifications about sales. Each has three templates in `templates/notifications/`."""

from notifications.kinds import Kind, never_stale
from sales.queries.stale_messages import follow_ups, leads, stale_messages

_LEAD = "admin/sales/lead/{lead_id}/change/"
_LEADS = "admin/sales/lead/"
_MY_FOLLOW_UPS = "admin/sales/followup/?whose=me&state=open"

KINDS = (
    Kind(
        "follow_up_due",
        "Reminder",
        "A follow-up of yours is due soon.",
        _LEAD,
        find_stale=follow_ups.find_stale_reminders,
    ),
    Kind(
        "follow_up_overdue",
        "Overdue follow-ups",
        "You did not complete a follow-up by its date.",
        _LEAD,
        list_page="admin/sales/followup/?whose=me&day=overdue",
        find_stale=follow_ups.find_stale_overdue_notices,
    ),
    Kind(
        "daily_digest",
        "Daily digest",
        "What you have to do today and what is waiting. Nothing comes on days without tasks.",
        _MY_FOLLOW_UPS,
        find_stale=stale_messages.find_stale_digests,
    ),
    Kind(
        "escalation_overdue",
        "Overdue in your team",
        "Follow-ups in your team have been overdue for days.",
        _LEAD,
        list_page="admin/sales/followup/?day=overdue",
        find_stale=follow_ups.find_stale_escalations,
    ),
    Kind(
        "escalation_hot",
        "Hot lead waiting",
        "Nobody has contacted a hot lead for hours.",
        _LEAD,
        find_stale=leads.find_stale_hot_leads,
    ),
    Kind(
        "follow_up_reassigned",
        "Follow-up assigned to you",
        "Somebody assigned a follow-up to you.",
        _LEAD,
        find_stale=follow_ups.find_stale_reassignments,
    ),
    Kind(
        "lead_assigned",
        "New lead",
        "Somebody made you the owner of a new lead.",
        _LEAD,
        find_stale=leads.find_stale_new_leads,
    ),
    Kind(
        "leads_received",
        "Leads transferred to you",
        "You are the new owner of leads. There is one notification for each transfer.",
        _LEADS,
        find_stale=leads.find_stale_received_leads,
    ),
    Kind(
        "leads_transferred",
        "Leads transferred from you",
        "Leads of yours have a new owner. There is one notification for each transfer.",
        _LEADS,
        find_stale=leads.find_stale_given_away_leads,
    ),
    Kind(
        "leads_not_returned",
        "Leads not returned",
        "Leads could not be returned after a temporary transfer because their former owner has left.",
        _LEADS,
        find_stale=leads.find_stale_unreturned_leads,
    ),
    Kind(
        "follow_ups_received",
        "Follow-ups handed over to you",
        "You took over the follow-ups of somebody who left.",
        _MY_FOLLOW_UPS,
        find_stale=follow_ups.find_stale_handovers,
    ),
    Kind(
        "inquiry_received",
        "Another inquiry",
        "A client sent another inquiry about an open lead that is yours or unassigned.",
        _LEAD,
        find_stale=leads.find_stale_inquiries,
    ),
    Kind(
        "lead_unowned",
        "Unassigned lead",
        "A lead came in, and no assignment rule found an owner.",
        _LEAD,
        find_stale=leads.find_stale_unassigned_leads,
    ),
    Kind(
        "arrivals",
        "Many leads and inquiries",
        "More than five new leads and inquiries came in within ten minutes, or several about one lead.",
        _LEADS,
        find_stale=leads.find_stale_arrivals,
    ),
    Kind(
        "escalation_unowned",
        "Unassigned leads waiting",
        "Leads have had no owner for hours, and nobody has contacted them.",
        "admin/sales/lead/?owner=none",
        find_stale=leads.find_stale_unassigned_escalations,
    ),
    Kind(
        "run_failed",
        "Scoring run failed",
        "A scoring run that you are responsible for failed.",
        "admin/sales/scoringrun/{run_id}/change/",
        find_stale=never_stale,
    ),
)
