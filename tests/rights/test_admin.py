"""Who may open and who may change what on every page of the admin."""

import pytest
from django.contrib import admin
from django.contrib.contenttypes.models import ContentType
from django.urls import reverse
from django_celery_beat.models import CrontabSchedule, IntervalSchedule, PeriodicTask

from athena.accounts.models import Team, User
from notifications.models import Preference
from sales.models import AssignmentRule, LeadScoringRule, LostReason
from sales.reports.registry import REPORTS
from sales.services import periodic_tasks
from sales.services.ownership import handovers
from tests.rights.conftest import PEOPLE, create_won_trip, read_all_rows, run_and_undo, statuses_by_person
from tests.rights.forms import RereadableFile, untouched

#             nobody owner colleague stranger helper manager other_manager company_manager admin leaver
EVERYBODY = "302 200 200 200 200 200 200 200 200 302"
MANAGERS = "302 403 403 403 403 200 200 200 200 302"
ADMINS = "302 403 403 403 403 403 403 403 200 302"
NEVER = "302 403 403 403 403 403 403 403 403 302"
LEAD = (
    "302 200 200 302 200 200 302 200 200 302"  # 302: to the index for those who may not see it, as if it did not exist
)
LEADS_BATCH = "302 403 403 403 403 200 302 200 200 302"
LEADS_PAIR = "302 403 403 403 403 200 404 200 200 302"
FILE_OWNER = "302 403 403 403 403 200 302 302 200 302"  # the owner of the file and administrators
OWN_ROW = "302 200 302 302 302 302 302 302 302 302"
REDIRECT = "302 302 302 302 302 302 302 302 302 302"
POST_ONLY = "302 405 405 405 405 405 405 405 405 302"
POST_FOR_MANAGERS = "302 403 403 403 403 405 405 405 405 302"

# The status of a GET for: the list, the page for a new row, and the page, the history and the delete page of a row.
MODELS = {
    "accounts_team": (MANAGERS, ADMINS, MANAGERS, MANAGERS, ADMINS),
    "accounts_user": (MANAGERS, ADMINS, MANAGERS, MANAGERS, NEVER),
    "django_celery_beat_clockedschedule": (NEVER, NEVER, NEVER, REDIRECT, NEVER),
    "django_celery_beat_crontabschedule": (MANAGERS, ADMINS, MANAGERS, MANAGERS, ADMINS),
    "django_celery_beat_intervalschedule": (MANAGERS, ADMINS, MANAGERS, MANAGERS, ADMINS),
    "django_celery_beat_periodictask": (MANAGERS, ADMINS, MANAGERS, MANAGERS, ADMINS),
    "django_celery_beat_solarschedule": (NEVER, NEVER, NEVER, REDIRECT, NEVER),
    "notifications_delivery": (
        MANAGERS,
        NEVER,
        LEADS_BATCH,
        LEADS_BATCH.replace("403 403 403 403", "302 302 302 302"),
        NEVER,
    ),
    "notifications_notification": (EVERYBODY, NEVER, OWN_ROW, OWN_ROW, NEVER),
    "notifications_preference": (EVERYBODY, NEVER, OWN_ROW, OWN_ROW, NEVER),
    "sales_activity": (EVERYBODY, EVERYBODY, LEAD, LEAD, NEVER),
    "sales_cadence": (EVERYBODY, MANAGERS, EVERYBODY, EVERYBODY, NEVER),
    "sales_fieldchange": (EVERYBODY, NEVER, LEAD, LEAD, NEVER),
    "sales_assignmentrule": (MANAGERS, MANAGERS, MANAGERS, MANAGERS, MANAGERS),
    "sales_followup": (EVERYBODY, EVERYBODY, LEAD, LEAD, NEVER),
    "sales_intakeform": (MANAGERS, MANAGERS, MANAGERS, MANAGERS, NEVER),
    "sales_lead": (EVERYBODY, EVERYBODY, LEAD, LEAD, NEVER),
    "sales_leadexport": (MANAGERS, NEVER, FILE_OWNER, FILE_OWNER.replace("403", "302"), NEVER),
    "sales_leadimport": (MANAGERS, MANAGERS, FILE_OWNER, FILE_OWNER.replace("403", "302"), NEVER),
    "sales_leadscorehistory": (EVERYBODY, NEVER, LEAD, LEAD, NEVER),
    "sales_leadscoringrule": (MANAGERS, MANAGERS, MANAGERS, MANAGERS, MANAGERS),
    "sales_leadsource": (EVERYBODY, MANAGERS, EVERYBODY, EVERYBODY, NEVER),
    "sales_leadtransfer": (EVERYBODY, NEVER, LEAD, LEAD, NEVER),
    "sales_lostreason": (EVERYBODY, MANAGERS, EVERYBODY, EVERYBODY, NEVER),
    "sales_privacyrequest": (ADMINS, NEVER, ADMINS, ADMINS, NEVER),
    "sales_scoringrun": (MANAGERS, NEVER, MANAGERS, MANAGERS, NEVER),
    "sales_sourcespend": (MANAGERS, MANAGERS, MANAGERS, MANAGERS, MANAGERS),
    "sales_transferbatch": (
        MANAGERS,
        NEVER,
        LEADS_BATCH,
        LEADS_BATCH.replace("403 403 403 403", "403 403 302 403"),
        NEVER,
    ),
}
OTHER_PAGES = {
    "index": EVERYBODY,
    "login": "200 302 302 302 302 302 302 302 302 200",
    "logout": "302 405 405 405 405 405 405 405 405 302",
    "password_change": EVERYBODY,
    "password_change_done": EVERYBODY,
    "autocomplete": EVERYBODY,
    "jsi18n": EVERYBODY,
    "view_on_site": "302 404 404 404 404 404 404 404 404 302",
    "app_list": "302 200 200 200 200 200 200 200 200 302",
    "auth_user_password_change": ADMINS,
    "sales_followup_calendar": EVERYBODY,
    "sales_followup_snooze": POST_ONLY,
    "sales_lead_stop_cadence": POST_ONLY,
    "sales_lead_repeat": POST_ONLY,
    "accounts_user_handover": ADMINS,
    "sales_assignmentrule_preview": POST_FOR_MANAGERS.replace("403", "405"),
    "sales_followup_complete": LEAD.replace("302", "404").replace("404", "302", 1)[:-3] + "302",
    "sales_lead_timeline": LEAD.replace("302", "404").replace("404", "302", 1)[:-3] + "302",
    "sales_lead_duplicates": MANAGERS,
    "sales_lead_merge": LEADS_PAIR,
    "sales_lead_not_duplicate": POST_FOR_MANAGERS.replace("403", "405"),
    "sales_lead_export_csv": POST_FOR_MANAGERS.replace("403", "405"),
    "sales_lead_export_xlsx": POST_FOR_MANAGERS.replace("403", "405"),
    "sales_leadimport_discard": POST_FOR_MANAGERS.replace("403", "405"),
    "sales_leadimport_notation": POST_FOR_MANAGERS.replace("403", "405"),
    "sales_leadimport_sheet": POST_FOR_MANAGERS.replace("403", "405"),
    "sales_leadimport_start": POST_FOR_MANAGERS.replace("403", "405"),
    "sales_leadimport_template": MANAGERS,
    "sales_leadimport_undo": POST_FOR_MANAGERS.replace("403", "405"),
    "sales_leadimport_wrong": FILE_OWNER.replace("200 302 302 200", "200 404 404 200"),
    "accounts_user_put_first_steps_away": POST_ONLY,
    "notifications_delivery_retry": POST_ONLY,
    "notifications_delivery_test": POST_ONLY,
    "notifications_notification_open": POST_ONLY,
    "notifications_notification_read_all": POST_ONLY,
    "sales_leadscoringrule_matches": MANAGERS,
    "sales_leadscoringrule_preview": POST_FOR_MANAGERS.replace("403", "405"),
    "sales_leadscoringrule_switch": POST_FOR_MANAGERS.replace("403", "405"),
    **{f"report_{slug}": MANAGERS for slug in REPORTS},
    "report_former_address": "302 301 301 301 301 301 301 301 301 302",
    "sales_scoringrun_start": POST_FOR_MANAGERS.replace("403", "405"),
    "sales_sourcespend_upload": MANAGERS,
    "sales_transferbatch_undo": POST_FOR_MANAGERS.replace("403", "405"),
    "nothing": "302 404 404 404 404 404 404 404 404 302",
}
PAGES = ("changelist", "add", "change", "history", "delete")
GET_STATUSES = {
    f"{model}_{page}": cells for model, row in MODELS.items() for page, cells in zip(PAGES, row, strict=True)
}
GET_STATUSES |= OTHER_PAGES | {f"{model}_shortcut": REDIRECT for model in MODELS}

# Who changes rows with a POST. On all other pages nobody does.
MANAGER_NAMES, ADMIN_NAMES = frozenset({"manager", "other_manager", "company_manager", "admin"}), frozenset({"admin"})
LEAD_MANAGERS = {"manager", "company_manager", "admin"}
USERS = frozenset(PEOPLE) - {"nobody", "leaver"}
WRITERS = {
    "accounts_team_add": ADMIN_NAMES, "accounts_team_change": ADMIN_NAMES, "accounts_team_changelist": ADMIN_NAMES,
    "accounts_team_delete": ADMIN_NAMES,
    "accounts_user_add": ADMIN_NAMES, "accounts_user_change": ADMIN_NAMES, "auth_user_password_change": ADMIN_NAMES,
    "django_celery_beat_crontabschedule_add": ADMIN_NAMES, "django_celery_beat_crontabschedule_change": ADMIN_NAMES,
    "django_celery_beat_crontabschedule_delete": ADMIN_NAMES, "django_celery_beat_intervalschedule_add": ADMIN_NAMES,
    "django_celery_beat_intervalschedule_change": ADMIN_NAMES,
    "django_celery_beat_intervalschedule_delete": ADMIN_NAMES,
    "django_celery_beat_periodictask_add": ADMIN_NAMES, "django_celery_beat_periodictask_change": ADMIN_NAMES,
    "django_celery_beat_periodictask_delete": ADMIN_NAMES, "django_celery_beat_periodictask_changelist": ADMIN_NAMES,
    "django_celery_beat_crontabschedule_changelist": ADMIN_NAMES,
    "django_celery_beat_intervalschedule_changelist": ADMIN_NAMES,
    "notifications_delivery_changelist": LEAD_MANAGERS, "notifications_delivery_retry": LEAD_MANAGERS,
    "notifications_delivery_test": MANAGER_NAMES, "accounts_user_put_first_steps_away": MANAGER_NAMES,
    "notifications_notification_changelist": {"owner"}, "notifications_notification_open": {"owner"},
    "notifications_notification_read_all": {"owner", "stranger"}, "notifications_preference_changelist": USERS,
    "sales_activity_add": {"owner", *LEAD_MANAGERS}, "sales_activity_change": {"owner", *LEAD_MANAGERS},
    "sales_assignmentrule_add": MANAGER_NAMES, "sales_assignmentrule_change": MANAGER_NAMES,
    "sales_assignmentrule_delete": MANAGER_NAMES,
    "sales_assignmentrule_changelist": MANAGER_NAMES, "accounts_user_handover": ADMIN_NAMES,
    "sales_cadence_add": MANAGER_NAMES, "sales_cadence_change": MANAGER_NAMES,
    "sales_followup_calendar": USERS, "sales_followup_snooze": {"owner", *LEAD_MANAGERS},
    "sales_lead_stop_cadence": {"owner", *LEAD_MANAGERS}, "sales_lead_repeat": {"owner", *LEAD_MANAGERS},
    "sales_followup_add": {"owner", *LEAD_MANAGERS}, "sales_followup_change": {"owner", *LEAD_MANAGERS},
    "sales_followup_complete": {"owner"}, "sales_followup_changelist": {"owner", *LEAD_MANAGERS},
    "sales_intakeform_add": MANAGER_NAMES, "sales_intakeform_change": MANAGER_NAMES,
    "sales_lead_merge": LEAD_MANAGERS, "sales_lead_not_duplicate": {"owner", "colleague", *LEAD_MANAGERS},
    "sales_lead_add": USERS, "sales_lead_change": {"owner", *LEAD_MANAGERS}, "sales_lead_changelist": LEAD_MANAGERS,
    "sales_lead_export_csv": MANAGER_NAMES, "sales_lead_export_xlsx": MANAGER_NAMES,
    "sales_leadimport_add": MANAGER_NAMES,
    "sales_leadimport_start": {"manager", "admin"}, "sales_leadimport_discard": {"manager", "admin"},
    "sales_leadimport_notation": {"manager", "admin"}, "sales_leadimport_sheet": {"manager", "admin"},
    "sales_leadscoringrule_add": MANAGER_NAMES, "sales_leadscoringrule_change": MANAGER_NAMES,
    "sales_leadscoringrule_delete": MANAGER_NAMES,
    "sales_leadscoringrule_changelist": MANAGER_NAMES, "sales_leadscoringrule_switch": MANAGER_NAMES,
    "sales_leadsource_add": MANAGER_NAMES, "sales_leadsource_change": MANAGER_NAMES,
    "sales_lostreason_add": MANAGER_NAMES, "sales_lostreason_change": MANAGER_NAMES,
    "sales_scoringrun_start": MANAGER_NAMES, "sales_transferbatch_undo": ADMIN_NAMES,
    "sales_sourcespend_add": MANAGER_NAMES, "sales_sourcespend_change": MANAGER_NAMES,
    "sales_sourcespend_delete": MANAGER_NAMES,
    "sales_sourcespend_changelist": MANAGER_NAMES, "sales_sourcespend_upload": MANAGER_NAMES,
}  # fmt: skip


@pytest.fixture(scope="module")
def rows(world, people):
    """A row of each model; rows that belong to a lead are about the owner's lead."""
    periodic_tasks.install()
    Preference.objects.create(kind="x", channel="email", wanted=False, user=people["owner"])
    story = world.timeline
    return {
        "accounts_team": Team.objects.create(name="Empty"), "accounts_user": people["colleague"],
        "django_celery_beat_crontabschedule": CrontabSchedule.objects.get(),
        "django_celery_beat_intervalschedule": IntervalSchedule.objects.get(),
        "django_celery_beat_periodictask": PeriodicTask.objects.first(),
        "notifications_delivery": world.delivery, "notifications_notification": world.notification,
        "notifications_preference": Preference.objects.get(),
        "sales_assignmentrule": AssignmentRule.objects.create(rule_name="All", position=1, to_user=people["owner"]),
        "sales_intakeform": world.form, "sales_colleagues": world.leads["colleagues"],
        "sales_activity": story.activity, "sales_cadence": world.cadence,
        "sales_fieldchange": story.change, "sales_followup": world.follow_up,
        "sales_lead": world.lead, "won": create_won_trip(people),
        "sales_leadscorehistory": story.score, "sales_leadtransfer": story.transfer,
        "sales_leadexport": world.export, "sales_leadimport": world.lead_import, "sales_privacyrequest": world.privacy,
        "sales_leadscoringrule": LeadScoringRule.objects.get(rule_name="Repeat Client"),
        "sales_leadsource": world.source, "sales_lostreason": LostReason.objects.first(), "sales_scoringrun": world.run,
        "sales_sourcespend": world.spend, "sales_transferbatch": story.batch,
    }  # fmt: skip


@pytest.fixture(autouse=True)
def _deactivate_leaver(browsers, people):
    """Deactivate the leaver, who has logged in before."""
    User.objects.filter(pk=people["leaver"].pk).update(is_active=False)


def make_url(name, rows):
    model, _, page = name.rpartition("_")
    pk = rows[model].pk if model in rows else 1
    if page == "shortcut":
        return f"/admin/{model[::-1].replace('_', '/', 1)[::-1]}/{pk}/"
    if page in ("change", "history", "delete") and model in MODELS:
        return reverse(f"admin:{name}", args=[pk])
    if model == "report" and page in REPORTS:
        return reverse("admin:report", args=[page])
    match name:
        case "report_former_address":
            return reverse(f"admin:{name}", args=["speed"])
        case "app_list":
            return reverse("admin:app_list", args=["sales"])
        case "view_on_site":
            return f"/admin/r/{ContentType.objects.get_for_model(type(rows['sales_lead'])).pk}/{rows['sales_lead'].pk}/"
        case "autocomplete":
            return "/admin/autocomplete/?app_label=sales&model_name=followup&field_name=lead&term="
        case "nothing":
            return "/admin/nothing/"
        case "auth_user_password_change":
            return reverse(f"admin:{name}", args=[rows["accounts_user"].pk])
        case "sales_lead_timeline":
            return reverse(f"admin:{name}", args=[rows["sales_lead"].pk])
        case "sales_lead_merge":
            return f"{reverse('admin:sales_lead_merge')}?id={rows['sales_lead'].pk}&id={rows['sales_colleagues'].pk}"
        case "notifications_delivery_retry" | "notifications_notification_open":
            return reverse(f"admin:{name}", args=[rows[model].pk])
        case (
            "sales_followup_complete" | "sales_followup_snooze" | "sales_transferbatch_undo" | "accounts_user_handover"
        ):
            return reverse(f"admin:{name}", args=[rows[model].pk])
        case (
            "sales_leadimport_start" | "sales_leadimport_discard" | "sales_leadimport_undo" | "sales_leadimport_wrong"
            | "sales_leadimport_notation" | "sales_leadimport_sheet"
        ):  # fmt: skip
            return reverse(f"admin:{name}", args=[rows[model].pk])
        case "sales_lead_stop_cadence":
            return reverse(f"admin:{name}", args=[rows["sales_lead"].pk])
        case "sales_leadscoringrule_switch":
            return reverse(f"admin:{name}", args=[rows[model].pk])
        case "sales_lead_repeat":
            return reverse(f"admin:{name}", args=[rows["won"].pk])
    return reverse(f"admin:{name}")


def test_the_tables_contain_every_url():
    def list_patterns(patterns):
        for pattern in patterns:
            if hasattr(pattern, "url_patterns"):
                yield from list_patterns(pattern.url_patterns)
            else:
                yield pattern.name, str(pattern.pattern)

    results = list(list_patterns(admin.site.get_urls()))
    addresses = {name for name, _ in results if name} - {"report"} | {f"report_{slug}" for slug in REPORTS}
    assert addresses == {name for name in GET_STATUSES if name != "nothing"} - {f"{model}_shortcut" for model in MODELS}
    assert sorted(pattern for name, pattern in results if not name) == ["(?P<url>.*)$"] + ["<path:object_id>/"] * len(
        MODELS
    )


@pytest.mark.parametrize("name", GET_STATUSES)
def test_who_may_open_a_page(browsers, rows, name):
    url = make_url(name, rows)
    rows_before = read_all_rows()
    results = {
        person: run_and_undo(rows_before, lambda person=person: browsers[person].get(url).status_code)
        for person in PEOPLE
    }
    assert {person: status for person, (status, _) in results.items()} == statuses_by_person(GET_STATUSES[name])
    assert [person for person, (_, has_written) in results.items() if has_written] == []


def make_form_data(name, rows, browser):
    """The form data that a user with permission would send to this page."""
    model, _, page = name.rpartition("_")
    lead = rows["sales_lead"].pk
    rule = {
        "rule_name": "New", "rule_type": "attribute", "condition_field": "is_repeat", "condition_operator": "equals",
        "condition_value": "true", "points": 1,
    }  # fmt: skip
    inline = {"periodictask_set-TOTAL_FORMS": "0", "periodictask_set-INITIAL_FORMS": "0"}
    password = {"password1": "a long new secret", "password2": "a long new secret", "usable_password": "true"}
    new_values = {
        "accounts_team": {"name": "New"},
        "accounts_user": {"email": "new@example.com", "full_name": "New", "role": "rep", "time_zone": "UTC"} | password,
        "auth_user_password": password,
        "django_celery_beat_crontabschedule": {
            "minute": "1", "hour": "1", "day_of_week": "*", "day_of_month": "*", "month_of_year": "*",
            "timezone": "UTC", **inline,
        },
        "django_celery_beat_intervalschedule": {"every": "7", "period": "days", **inline},
        "django_celery_beat_periodictask": {
            "name": "New", "regtask": "sales.tick", "task": "sales.tick", "args": "[]", "kwargs": "{}", "headers": "{}",
            "interval": rows["django_celery_beat_intervalschedule"].pk, "crontab": "", "enabled": "on",
        },
        "sales_cadence": {
            "name": "New", "is_active": "on", "steps-TOTAL_FORMS": "1", "steps-INITIAL_FORMS": "0",
            "steps-0-day": "0", "steps-0-follow_up_type": "call",
        },
        "sales_assignmentrule": {"rule_name": "New", "position": "2"},
        "sales_activity": {"lead": lead, "activity_type": "note", "notes": "New"},
        "sales_followup": {"lead": lead, "follow_up_type": "call", "scheduled_date": "2099-02-05", "notes": "New"},
        "sales_intakeform": {"name": "New", "is_active": "on"},
        "sales_lead": {"company_name": "New", "status": "new"},
        "sales_leadimport": {"file": RereadableFile(b"Company\nNew\n")},
        "sales_leadscoringrule": rule,
        "sales_leadsource": {"name": "New", "channel": "ads", "cost_model": "none"},
        "sales_lostreason": {"name": "new", "label": "New"},
        "sales_sourcespend": {"source": rows["sales_leadsource"].pk, "month": "2026-02-01", "amount": "5"},
    }  # fmt: skip
    changes = {"sales_activity": {"notes": "Corrected"}, "sales_cadence": {"name": "New"},
               "sales_lead": {"notes": "New"}, "django_celery_beat_periodictask": {"description": "New"},
               "sales_leadscoringrule": {"points": "2"}, "sales_lostreason": {"label": "New"},
               "accounts_user": {"full_name": "New"}}  # fmt: skip
    actions = {
        "notifications_delivery": "retry_selected", "notifications_notification": "mark_selected",
        "sales_lead": "archive_selected", "sales_followup": "cancel_selected",
        "sales_assignmentrule": "delete_selected",
        "sales_leadscoringrule": "delete_selected", "sales_sourcespend": "delete_selected",
        "django_celery_beat_periodictask": "disable_tasks",
    }  # fmt: skip
    match page:
        case "add":
            return new_values.get(model, {})
        case "change" if model in MODELS:
            page = browser.get(make_url(name, rows)).content.decode()
            return untouched(page) | changes.get(model, new_values.get(model, {}))
        case "delete":
            return {"post": "yes"}
        case "changelist" if model == "notifications_preference":
            return {"reminder_minutes": "5", "digest_hour": "6"}
        case "changelist":
            key = rows[model].pk if model in rows else 1
            return {
                "action": actions.get(model, "delete_selected"),
                "_selected_action": key,
                "post": "yes",
                "step": "confirm",
            }
        case "complete":
            return {"outcome": "successful", "next_follow_up_days": "3"}
        case "snooze":
            return {"minutes": "30"}
        case "calendar" | "repeat":
            return {}
        case "switch":
            return {"is_active": "off"}
        case "cadence" if name == "sales_lead_stop_cadence":
            return {}
        case "preview":
            return rule if "scoring" in model else new_values[model]
        case "handover":
            receivers = [rows["sales_assignmentrule"].to_user_id]
            planned = handovers.plan(by=None, user_id=rows["accounts_user"].pk, receivers=receivers)
            return {"step": "confirm", "receivers": receivers, "way": "in_turn", "expected": planned.fingerprint}
        case "upload":
            return {"step": "save", "text": "month,source,campaign,amount\n2026-02,Fair,,5"}
        case "merge":
            return {"id": [lead, rows["sales_colleagues"].pk], "keep": lead}
        case "duplicate":
            return {"lead_id": lead, "other_id": rows["sales_colleagues"].pk}
        case "start":
            return {"duplicates": "skip"}
        case "undo" if name == "sales_leadimport_undo":
            return {"post": "yes"}  # the page of a transfer batch shows by itself what would happen
        case "sheet":
            return {"sheet": "February"}
        case "notation":
            return {"pickup_at": "day"}
    return password


IMPORT_STEPS = ("start", "discard", "undo", "sheet", "notation")
# The status of a POST where it differs from that of a GET. Whoever may not open a page may not post to it either.
POST_STATUSES = GET_STATUSES | {
    "sales_followup_snooze": "302 302 403 404 403 302 404 302 302 302",
    "sales_lead_stop_cadence": "302 302 403 404 403 302 404 302 302 302",
    "sales_lead_repeat": "302 302 403 404 403 302 404 302 302 302",
    "sales_assignmentrule_preview": MANAGERS,
    "notifications_delivery_retry": "302 403 403 403 403 302 404 302 302 302",
    "notifications_delivery_test": "302 403 403 403 403 302 302 302 302 302",
    "accounts_user_put_first_steps_away": "302 403 403 403 403 302 302 302 302 302",
    "notifications_notification_open": "302 302 404 404 404 404 404 404 404 302",
    "sales_leadscoringrule_preview": MANAGERS,
    "sales_leadscoringrule_switch": "302 403 403 403 403 302 302 302 302 302",
    "sales_scoringrun_start": "302 403 403 403 403 302 302 302 302 302",
    "sales_lead_not_duplicate": "302 302 302 404 404 302 404 302 302 302",
    "sales_transferbatch_undo": "302 403 403 403 403 302 404 302 302 302",
    **{f"sales_lead_export_{name}": MANAGERS for name in ("csv", "xlsx")},
    **{f"sales_leadimport_{step}": GET_STATUSES["sales_leadimport_wrong"] for step in IMPORT_STEPS},
}
OWN_ACCOUNT_PAGES = (
    "login",
    "logout",
    "password_change",
    "index",
)  # the account of the user: see tests/athena/accounts


@pytest.mark.parametrize("name", [name for name in GET_STATUSES if name not in OWN_ACCOUNT_PAGES])
def test_who_may_post_to_a_page(browsers, rows, name):
    body, url = make_form_data(name, rows, browsers["admin"]), make_url(name, rows)
    rows_before = read_all_rows()
    results = {
        person: run_and_undo(rows_before, lambda person=person: browsers[person].post(url, body).status_code)
        for person in PEOPLE
    }
    assert {person for person, (_, has_written) in results.items() if has_written} == WRITERS.get(name, set())
    assert {status for status, _ in results.values()} <= {200, 301, 302, 403, 404, 405}
    refused = {
        person: status for person, status in statuses_by_person(POST_STATUSES[name]).items() if status in (403, 404)
    }
    assert {person: results[person][0] for person in refused} == refused


# The actions that a list offers, and to whom. Django refuses all others.
ACTIONS = {
    ("notifications_delivery", MANAGER_NAMES): {"retry_selected"},
    ("notifications_notification", USERS): {"mark_selected"},
    ("sales_lead", USERS): {"cadence_selected", "repeat_selected"},
    ("sales_lead", MANAGER_NAMES): {"reassign_selected", "merge_selected", "archive_selected", "restore_selected"},
    ("sales_followup", USERS): {"cancel_selected"},
    ("sales_leadscoringrule", MANAGER_NAMES): {"delete_selected"},
    ("sales_assignmentrule", MANAGER_NAMES): {"delete_selected"},
    ("sales_sourcespend", MANAGER_NAMES): {"delete_selected"},
    ("accounts_team", ADMIN_NAMES): {"delete_selected"},
    ("django_celery_beat_crontabschedule", ADMIN_NAMES): {"delete_selected"},
    ("django_celery_beat_intervalschedule", ADMIN_NAMES): {"delete_selected"},
    ("django_celery_beat_periodictask", ADMIN_NAMES): {
        "delete_selected", "enable_tasks", "disable_tasks", "toggle_tasks", "run_tasks"
    },
}  # fmt: skip


@pytest.mark.parametrize("model", MODELS)
def test_who_is_offered_which_actions(browsers, rows, model):
    def list_offered_actions(person):
        form = (browsers[person].get(reverse(f"admin:{model}_changelist")).context or {}).get("action_form")
        return {name for name, _ in form.fields["action"].choices if name} if form else set()

    allowed = {
        person: {
            name for (of, receivers), names in ACTIONS.items() if of == model and person in receivers for name in names
        }
        for person in PEOPLE
    }
    assert {person: list_offered_actions(person) for person in PEOPLE} == allowed
