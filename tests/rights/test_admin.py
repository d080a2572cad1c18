"""Every address of the admin, for everybody: who opens it, and who writes there."""

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
from tests.rights.conftest import PEOPLE, columns, every_row, undone, won_trip
from tests.rights.forms import FileAgain, untouched

#             nobody owner mate far helper boss far_boss free_boss admin gone
EVERYBODY = "302 200 200 200 200 200 200 200 200 302"
MANAGERS = "302 403 403 403 403 200 200 200 200 302"
ADMINS = "302 403 403 403 403 403 403 403 200 302"
NEVER = "302 403 403 403 403 403 403 403 403 302"
LEAD = (
    "302 200 200 302 200 200 302 200 200 302"  # 302 for those who can't see it: to the index, as if it were not there
)
LEADS_BATCH = "302 403 403 403 403 200 302 200 200 302"
LEADS_PAIR = "302 403 403 403 403 200 404 200 200 302"
FILE = "302 403 403 403 403 200 302 302 200 302"  # whose it is, and the administrators
OWN = "302 200 302 302 302 302 302 302 302 302"
REDIRECT = "302 302 302 302 302 302 302 302 302 302"
POST_ONLY = "302 405 405 405 405 405 405 405 405 302"
CLOSED = "302 403 403 403 403 405 405 405 405 302"

# What GET answers: the list, the page for a new row, and of a row its page, its history and the page to delete it.
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
    "notifications_notification": (EVERYBODY, NEVER, OWN, OWN, NEVER),
    "notifications_preference": (EVERYBODY, NEVER, OWN, OWN, NEVER),
    "sales_activity": (EVERYBODY, EVERYBODY, LEAD, LEAD, NEVER),
    "sales_cadence": (EVERYBODY, MANAGERS, EVERYBODY, EVERYBODY, NEVER),
    "sales_fieldchange": (EVERYBODY, NEVER, LEAD, LEAD, NEVER),
    "sales_assignmentrule": (MANAGERS, MANAGERS, MANAGERS, MANAGERS, MANAGERS),
    "sales_followup": (EVERYBODY, EVERYBODY, LEAD, LEAD, NEVER),
    "sales_intakeform": (MANAGERS, MANAGERS, MANAGERS, MANAGERS, NEVER),
    "sales_lead": (EVERYBODY, EVERYBODY, LEAD, LEAD, NEVER),
    "sales_leadexport": (MANAGERS, NEVER, FILE, FILE.replace("403", "302"), NEVER),
    "sales_leadimport": (MANAGERS, MANAGERS, FILE, FILE.replace("403", "302"), NEVER),
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
OTHERS = {
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
    "sales_assignmentrule_preview": CLOSED.replace("403", "405"),
    "sales_followup_complete": LEAD.replace("302", "404").replace("404", "302", 1)[:-3] + "302",
    "sales_lead_timeline": LEAD.replace("302", "404").replace("404", "302", 1)[:-3] + "302",
    "sales_lead_duplicates": MANAGERS,
    "sales_lead_merge": LEADS_PAIR,
    "sales_lead_not_duplicate": CLOSED.replace("403", "405"),
    "sales_lead_export_csv": CLOSED.replace("403", "405"),
    "sales_lead_export_xlsx": CLOSED.replace("403", "405"),
    "sales_leadimport_discard": CLOSED.replace("403", "405"),
    "sales_leadimport_notation": CLOSED.replace("403", "405"),
    "sales_leadimport_sheet": CLOSED.replace("403", "405"),
    "sales_leadimport_start": CLOSED.replace("403", "405"),
    "sales_leadimport_template": MANAGERS,
    "sales_leadimport_undo": CLOSED.replace("403", "405"),
    "sales_leadimport_wrong": FILE.replace("200 302 302 200", "200 404 404 200"),
    "accounts_user_put_first_steps_away": POST_ONLY,
    "notifications_delivery_retry": POST_ONLY,
    "notifications_delivery_test": POST_ONLY,
    "notifications_notification_open": POST_ONLY,
    "notifications_notification_read_all": POST_ONLY,
    "sales_leadscoringrule_matches": MANAGERS,
    "sales_leadscoringrule_preview": CLOSED.replace("403", "405"),
    "sales_leadscoringrule_switch": CLOSED.replace("403", "405"),
    **{f"report_{slug}": MANAGERS for slug in REPORTS},
    "report_former_address": "302 301 301 301 301 301 301 301 301 302",
    "sales_scoringrun_start": CLOSED.replace("403", "405"),
    "sales_sourcespend_upload": MANAGERS,
    "sales_transferbatch_undo": CLOSED.replace("403", "405"),
    "nothing": "302 404 404 404 404 404 404 404 404 302",
}
PAGES = ("changelist", "add", "change", "history", "delete")
GETS = {f"{model}_{page}": cells for model, row in MODELS.items() for page, cells in zip(PAGES, row, strict=True)}
GETS |= OTHERS | {f"{model}_shortcut": REDIRECT for model in MODELS}

# Who writes with POST; nobody anywhere else.
M, A = frozenset({"boss", "far_boss", "free_boss", "admin"}), frozenset({"admin"})
IN_SCOPE = {"boss", "free_boss", "admin"}
ALL = frozenset(PEOPLE) - {"nobody", "gone"}
WRITERS = {
    "accounts_team_add": A, "accounts_team_change": A, "accounts_team_changelist": A, "accounts_team_delete": A,
    "accounts_user_add": A, "accounts_user_change": A, "auth_user_password_change": A,
    "django_celery_beat_crontabschedule_add": A, "django_celery_beat_crontabschedule_change": A,
    "django_celery_beat_crontabschedule_delete": A, "django_celery_beat_intervalschedule_add": A,
    "django_celery_beat_intervalschedule_change": A, "django_celery_beat_intervalschedule_delete": A,
    "django_celery_beat_periodictask_add": A, "django_celery_beat_periodictask_change": A,
    "django_celery_beat_periodictask_delete": A, "django_celery_beat_periodictask_changelist": A,
    "django_celery_beat_crontabschedule_changelist": A, "django_celery_beat_intervalschedule_changelist": A,
    "notifications_delivery_changelist": IN_SCOPE, "notifications_delivery_retry": IN_SCOPE,
    "notifications_delivery_test": M, "accounts_user_put_first_steps_away": M,
    "notifications_notification_changelist": {"owner"}, "notifications_notification_open": {"owner"},
    "notifications_notification_read_all": {"owner", "far"}, "notifications_preference_changelist": ALL,
    "sales_activity_add": {"owner", *IN_SCOPE}, "sales_activity_change": {"owner", *IN_SCOPE},
    "sales_assignmentrule_add": M, "sales_assignmentrule_change": M, "sales_assignmentrule_delete": M,
    "sales_assignmentrule_changelist": M, "accounts_user_handover": A,
    "sales_cadence_add": M, "sales_cadence_change": M,
    "sales_followup_calendar": ALL, "sales_followup_snooze": {"owner", *IN_SCOPE},
    "sales_lead_stop_cadence": {"owner", *IN_SCOPE}, "sales_lead_repeat": {"owner", *IN_SCOPE},
    "sales_followup_add": {"owner", *IN_SCOPE}, "sales_followup_change": {"owner", *IN_SCOPE},
    "sales_followup_complete": {"owner"}, "sales_followup_changelist": {"owner", *IN_SCOPE},
    "sales_intakeform_add": M, "sales_intakeform_change": M,
    "sales_lead_merge": IN_SCOPE, "sales_lead_not_duplicate": {"owner", "mate", *IN_SCOPE},
    "sales_lead_add": ALL, "sales_lead_change": {"owner", *IN_SCOPE}, "sales_lead_changelist": IN_SCOPE,
    "sales_lead_export_csv": M, "sales_lead_export_xlsx": M,
    "sales_leadimport_add": M,
    "sales_leadimport_start": {"boss", "admin"}, "sales_leadimport_discard": {"boss", "admin"},
    "sales_leadimport_notation": {"boss", "admin"}, "sales_leadimport_sheet": {"boss", "admin"},
    "sales_leadscoringrule_add": M, "sales_leadscoringrule_change": M, "sales_leadscoringrule_delete": M,
    "sales_leadscoringrule_changelist": M, "sales_leadscoringrule_switch": M,
    "sales_leadsource_add": M, "sales_leadsource_change": M, "sales_lostreason_add": M, "sales_lostreason_change": M,
    "sales_scoringrun_start": M, "sales_transferbatch_undo": A,
    "sales_sourcespend_add": M, "sales_sourcespend_change": M, "sales_sourcespend_delete": M,
    "sales_sourcespend_changelist": M, "sales_sourcespend_upload": M,
}  # fmt: skip


@pytest.fixture(scope="module")
def rows(world, people):
    """A row of each model, about the owner's lead where it is about a lead."""
    periodic_tasks.install()
    Preference.objects.create(kind="x", channel="email", wanted=False, user=people["owner"])
    story = world.story
    return {
        "accounts_team": Team.objects.create(name="Empty"), "accounts_user": people["mate"],
        "django_celery_beat_crontabschedule": CrontabSchedule.objects.get(),
        "django_celery_beat_intervalschedule": IntervalSchedule.objects.get(),
        "django_celery_beat_periodictask": PeriodicTask.objects.first(),
        "notifications_delivery": world.delivery, "notifications_notification": world.told,
        "notifications_preference": Preference.objects.get(),
        "sales_assignmentrule": AssignmentRule.objects.create(rule_name="All", position=1, to_user=people["owner"]),
        "sales_intakeform": world.form, "sales_mates": world.leads["mates"],
        "sales_activity": story.activity, "sales_cadence": world.cadence,
        "sales_fieldchange": story.change, "sales_followup": world.plan,
        "sales_lead": world.lead, "won": won_trip(people),
        "sales_leadscorehistory": story.score, "sales_leadtransfer": story.transfer,
        "sales_leadexport": world.export, "sales_leadimport": world.file, "sales_privacyrequest": world.privacy,
        "sales_leadscoringrule": LeadScoringRule.objects.get(rule_name="Repeat Client"),
        "sales_leadsource": world.source, "sales_lostreason": LostReason.objects.first(), "sales_scoringrun": world.run,
        "sales_sourcespend": world.spend, "sales_transferbatch": story.batch,
    }  # fmt: skip


@pytest.fixture(autouse=True)
def _gone(browsers, people):
    """The one who is gone has logged in before."""
    User.objects.filter(pk=people["gone"].pk).update(is_active=False)


def address(name, rows):
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
            return f"{reverse('admin:sales_lead_merge')}?id={rows['sales_lead'].pk}&id={rows['sales_mates'].pk}"
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


def test_every_address_has_a_line():
    def named(patterns):
        for pattern in patterns:
            if hasattr(pattern, "url_patterns"):
                yield from named(pattern.url_patterns)
            else:
                yield pattern.name, str(pattern.pattern)

    found = list(named(admin.site.get_urls()))
    addresses = {name for name, _ in found if name} - {"report"} | {f"report_{slug}" for slug in REPORTS}
    assert addresses == {name for name in GETS if name != "nothing"} - {f"{model}_shortcut" for model in MODELS}
    assert sorted(pattern for name, pattern in found if not name) == ["(?P<url>.*)$"] + ["<path:object_id>/"] * len(
        MODELS
    )


@pytest.mark.parametrize("name", GETS)
def test_who_opens_it(browsers, rows, name):
    url = address(name, rows)
    before = every_row()
    found = {who: undone(before, lambda who=who: browsers[who].get(url).status_code) for who in PEOPLE}
    assert {who: status for who, (status, _) in found.items()} == columns(GETS[name])
    assert [who for who, (_, wrote) in found.items() if wrote] == []


def sent(name, rows, browser):
    """What somebody who may would send."""
    model, _, page = name.rpartition("_")
    lead = rows["sales_lead"].pk
    rule = {
        "rule_name": "New", "rule_type": "attribute", "condition_field": "is_repeat", "condition_operator": "equals",
        "condition_value": "true", "points": 1,
    }  # fmt: skip
    inline = {"periodictask_set-TOTAL_FORMS": "0", "periodictask_set-INITIAL_FORMS": "0"}
    password = {"password1": "a long new secret", "password2": "a long new secret", "usable_password": "true"}
    new = {
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
        "sales_leadimport": {"file": FileAgain(b"Company\nNew\n")},
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
            return new.get(model, {})
        case "change" if model in MODELS:
            page = browser.get(address(name, rows)).content.decode()
            return untouched(page) | changes.get(model, new.get(model, {}))
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
            return rule if "scoring" in model else new[model]
        case "handover":
            to = [rows["sales_assignmentrule"].to_user_id]
            planned = handovers.plan(by=None, user_id=rows["accounts_user"].pk, receivers=to)
            return {"step": "confirm", "receivers": to, "way": "in_turn", "expected": planned.fingerprint}
        case "upload":
            return {"step": "save", "text": "month,source,campaign,amount\n2026-02,Fair,,5"}
        case "merge":
            return {"id": [lead, rows["sales_mates"].pk], "keep": lead}
        case "duplicate":
            return {"lead_id": lead, "other_id": rows["sales_mates"].pk}
        case "start":
            return {"duplicates": "skip"}
        case "undo" if name == "sales_leadimport_undo":
            return {"post": "yes"}  # (a batch of transfers says on its own page what would happen)
        case "sheet":
            return {"sheet": "February"}
        case "notation":
            return {"pickup_at": "day"}
    return password


IMPORT_STEPS = ("start", "discard", "undo", "sheet", "notation")
# What POST answers where GET is no question; who is refused a page is refused by POST, too.
POSTS = GETS | {
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
    **{f"sales_leadimport_{step}": GETS["sales_leadimport_wrong"] for step in IMPORT_STEPS},
}
UNTOUCHED = ("login", "logout", "password_change", "index")  # one's own affairs: tests/athena/accounts


@pytest.mark.parametrize("name", [name for name in GETS if name not in UNTOUCHED])
def test_who_writes_there(browsers, rows, name):
    body, url = sent(name, rows, browsers["admin"]), address(name, rows)
    before = every_row()
    found = {who: undone(before, lambda who=who: browsers[who].post(url, body).status_code) for who in PEOPLE}
    assert {who for who, (_, wrote) in found.items() if wrote} == WRITERS.get(name, set())
    assert {status for status, _ in found.values()} <= {200, 301, 302, 403, 404, 405}
    refused = {who: status for who, status in columns(POSTS[name]).items() if status in (403, 404)}
    assert {who: found[who][0] for who in refused} == refused


# The actions that a list offers, and to whom; nothing else and to nobody else (Django refuses what it does not offer).
ACTIONS = {
    ("notifications_delivery", M): {"retry_selected"},
    ("notifications_notification", ALL): {"mark_selected"},
    ("sales_lead", ALL): {"cadence_selected", "repeat_selected"},
    ("sales_lead", M): {"reassign_selected", "merge_selected", "archive_selected", "restore_selected"},
    ("sales_followup", ALL): {"cancel_selected"},
    ("sales_leadscoringrule", M): {"delete_selected"},
    ("sales_assignmentrule", M): {"delete_selected"},
    ("sales_sourcespend", M): {"delete_selected"},
    ("accounts_team", A): {"delete_selected"},
    ("django_celery_beat_crontabschedule", A): {"delete_selected"},
    ("django_celery_beat_intervalschedule", A): {"delete_selected"},
    ("django_celery_beat_periodictask", A): {
        "delete_selected", "enable_tasks", "disable_tasks", "toggle_tasks", "run_tasks"
    },
}  # fmt: skip


@pytest.mark.parametrize("model", MODELS)
def test_who_is_offered_which_actions(browsers, rows, model):
    def offered(who):
        form = (browsers[who].get(reverse(f"admin:{model}_changelist")).context or {}).get("action_form")
        return {name for name, _ in form.fields["action"].choices if name} if form else set()

    allowed = {
        who: {name for (of, to), names in ACTIONS.items() if of == model and who in to for name in names}
        for who in PEOPLE
    }
    assert {who: offered(who) for who in PEOPLE} == allowed
