"""Contexts of notifications, as the services write them: at least one for each kind, to render its templates."""

from typing import Any

FOLLOW_UP = {
    "lead_id": 7,
    "lead_name": "Lincoln High School Band",
    "follow_up_type": "call",
    "when": "Tue 24 Nov 2026, 10:00 EST",
    "phone": "+1 617 555 0142",
    "email": "wei@lincoln.example",
    "notes": "Ask for the number of instruments.",
}
OVERDUE = [
    {
        "follow_up_id": number,
        "reminder_no": 1,
        "lead_id": number,
        "lead_name": f"Band {number}",
        "follow_up_type": "call",
        "when": f"Mon {number} Nov 2026",
    }
    for number in (2, 9)
]
LEADS = [{"id": 7, "name": "Lincoln High School Band"}, {"id": 8, "name": "Diocesan Youth Choir"}]
DIGEST_LINE = {"lead_id": 7, "lead_name": "Lincoln High School Band", "detail": "call at 10:00"}
ARRIVAL_LINES = [
    {"lead_id": 7, "lead_name": "Lincoln High School Band", "what": "lead_assigned", "count": 1},
    {"lead_id": 8, "lead_name": "Diocesan Youth Choir", "what": "lead_unowned", "count": 1},
    {"lead_id": 9, "lead_name": "Granite State Biosciences", "what": "inquiry_received", "count": 1},
    {"lead_id": 10, "lead_name": "New England Nurses", "what": "inquiry_received", "count": 3},
]
HOT_LEAD = {
    "lead_id": 7,
    "lead_name": "Lincoln High School Band",
    "score": 72,
    "hours": 4,
    "phone": "+1 617 555 0142",
    "email": "wei@lincoln.example",
    "assignee": "Tom",
}
INQUIRY = {
    "lead_id": 7,
    "lead_name": "Lincoln High School Band",
    "form_name": "Website",
    "said": "We need a second bus.\nPassengers: 90",
    "is_cut": False,
    "is_unowned": False,
}
TRANSFER = {"by_name": "Grace", "until": "5 May 2027", "reason": "Vacation", "count": 2, "leads": LEADS}

# By kind and the case that the context stands for.
EXAMPLES: dict[tuple[str, str], dict[str, Any]] = {
    ("test_email", "one"): {},
    ("follow_up_due", "one"): FOLLOW_UP,
    ("follow_up_due", "without contact and notes"): FOLLOW_UP | {"phone": "", "email": "", "notes": ""},
    ("follow_up_overdue", "one"): FOLLOW_UP,
    ("follow_up_overdue", "one left"): {"count": 1, "follow_ups": OVERDUE[:1]},
    ("follow_up_overdue", "more than are listed"): {"count": 5, "follow_ups": OVERDUE},
    ("daily_digest", "two sections"): {
        "day": "Tuesday, 24 November 2026",
        "sections": [
            {"name": "today", "short": "today", "title": "Today", "count": 1, "more": 0, "lines": [DIGEST_LINE]},
            {"name": "hot", "short": "hot", "title": "Hot leads", "count": 3, "more": 2, "lines": [DIGEST_LINE]},
        ],
    },
    ("escalation_overdue", "one"): FOLLOW_UP | {"assignee": "Tom", "days": 1},
    ("escalation_overdue", "several"): {"count": 2, "follow_ups": [row | {"assignee": "Tom"} for row in OVERDUE]},
    ("escalation_hot", "owned"): HOT_LEAD,
    ("escalation_hot", "unassigned"): HOT_LEAD | {"hours": 1, "assignee": "", "phone": ""},
    ("follow_up_reassigned", "one"): FOLLOW_UP | {"by_name": "Grace"},
    ("lead_assigned", "one"): {"lead_id": 7, "lead_name": "Lincoln High School Band", "by_name": "Grace"},
    ("leads_received", "temporary"): TRANSFER | {"from_names": ["Maria", "Tom"]},
    ("leads_received", "one"): TRANSFER
    | {"from_names": [], "until": None, "reason": "", "count": 1, "leads": LEADS[:1]},
    ("leads_transferred", "temporary"): TRANSFER | {"to_name": "Tom", "count": 5},
    ("leads_transferred", "one"): TRANSFER | {"to_name": "nobody", "until": None, "count": 1, "leads": LEADS[:1]},
    ("leads_not_returned", "one"): {"count": 1, "until": "5 May 2027", "batch_id": 3, "leads": LEADS[:1]},
    ("leads_not_returned", "two"): {"count": 2, "until": "5 May 2027", "batch_id": 3, "leads": LEADS},
    ("follow_ups_received", "one"): {"count": 1, "by_name": "Grace", "from_name": "Tom", "reason": ""},
    ("follow_ups_received", "two"): {"count": 2, "by_name": "Grace", "from_name": "Tom", "reason": "Left"},
    ("inquiry_received", "own lead"): INQUIRY,
    ("inquiry_received", "unassigned lead, long text"): INQUIRY | {"is_cut": True, "is_unowned": True},
    ("lead_unowned", "one"): {"lead_id": 7, "lead_name": "Lincoln High School Band"},
    ("arrivals", "all sorts"): {"count": 8, "lines": ARRIVAL_LINES, "more": 2},
    ("arrivals", "one"): {"count": 1, "lines": ARRIVAL_LINES[:1], "more": 0},
    ("escalation_unowned", "one"): {"count": 1, "hours": 4, "leads": LEADS[:1]},
    ("escalation_unowned", "one that is not listed"): {"count": 1, "hours": 1, "leads": []},
    ("escalation_unowned", "two"): {"count": 2, "hours": 4, "leads": LEADS},
    ("run_failed", "one"): {"run_id": 3, "error": "ZeroDivisionError: division by zero"},
}
