"""The names of all Celery tasks, as they are on the broker, in the schedule and in the metrics.

Services publish a task by its name, because they may not import the task, which imports them.
"""

TICK = "sales.tick"
REMIND = "sales.remind"
REMIND_OVERDUE = "sales.remind_overdue"
ESCALATE = "sales.escalate"
SEND_DIGESTS = "sales.digest"
FILL_DERIVED_COLUMNS = "sales.fill_derived"
RUN_SCORING = "sales.score"
IMPORT_LEADS = "sales.import_leads"
RETURN_LEADS = "sales.give_back"
DELIVER = "notifications.deliver"

RESCORE_NIGHTLY = "sales.rescore_nightly"
REPEAT_TRIPS_NIGHTLY = "sales.call_again_nightly"
FORGET_IMPORTS = "sales.forget_imports"
CLEAN_UP = "athena.clean_up"

# What the tick publishes every minute, since each of these may have work that is due.
DUE_EVERY_TICK = (
    REMIND,
    REMIND_OVERDUE,
    ESCALATE,
    SEND_DIGESTS,
    FILL_DERIVED_COLUMNS,
    RUN_SCORING,
    IMPORT_LEADS,
    RETURN_LEADS,
    DELIVER,
)
