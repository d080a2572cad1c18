"""The pages of the admin, for tests that look at each of them."""

from collections.abc import Iterator

from django.contrib import admin
from django.urls import URLPattern, URLResolver

from sales.reports.registry import REPORTS

# What a model's admin has by itself; `{pk}` is a row that its list shows.
OF_A_MODEL = {
    "changelist": "/admin/{app}/{model}/",
    "add": "/admin/{app}/{model}/add/",
    "change": "/admin/{app}/{model}/{pk}/change/",
    "delete": "/admin/{app}/{model}/{pk}/delete/",
    "history": "/admin/{app}/{model}/{pk}/history/",
}
# Every other page, by the name of its address.
OTHERS = {
    "index": ["/admin/"],
    "login": ["/admin/login/"],
    "password_change": ["/admin/password_change/"],
    "password_change_done": ["/admin/password_change/done/"],
    "app_list": ["/admin/sales/"],
    "accounts_user_handover": ["/admin/accounts/user/3/handover/"],
    "auth_user_password_change": ["/admin/accounts/user/3/password/"],
    "sales_followup_calendar": ["/admin/sales/followup/calendar/"],
    "sales_followup_complete": ["/admin/sales/followup/{open_follow_up}/complete/"],
    "sales_lead_duplicates": ["/admin/sales/lead/duplicates/"],
    "sales_lead_merge": ["/admin/sales/lead/merge/?id=1&id=2&keep=1", "/admin/sales/lead/merge/?id=1&id=2&id=3&keep=2"],
    "sales_lead_timeline": ["/admin/sales/lead/1/timeline/"],
    "sales_leadscoringrule_matches": ["/admin/sales/leadscoringrule/matches/"],
    "sales_sourcespend_upload": ["/admin/sales/sourcespend/upload/"],
    "report": [f"/admin/reports/{slug}/" for slug in REPORTS],
}
# Pages that answer a POST, which test_layout.py sends, and addresses that have no page.
ANSWERS_TO_POST = {"sales_assignmentrule_preview", "sales_leadscoringrule_preview"}
WITHOUT_A_PAGE = {
    *("logout", "autocomplete", "jsi18n", "view_on_site"),
    *("notifications_notification_open", "notifications_notification_read_all", "notifications_delivery_test"),
    *("notifications_delivery_retry", "sales_followup_snooze", "sales_leadimport_template", "sales_leadimport_wrong"),
    *("sales_leadimport_start", "sales_leadimport_discard", "sales_leadimport_undo", "sales_lead_export_csv"),
    *("sales_lead_export_xlsx", "sales_lead_stop_cadence", "sales_lead_repeat", "sales_lead_not_duplicate"),
    *("accounts_user_put_first_steps_away", "sales_leadscoringrule_switch", "sales_scoringrun_start"),
    *("report_former_address", "sales_transferbatch_undo", "sales_leadimport_sheet", "sales_leadimport_notation"),
}


def names_of_models() -> dict[str, str]:
    """The addresses that each model's admin has by itself, by name; `{pk}` is yet to be filled in."""
    return {
        f"{model._meta.app_label}_{model._meta.model_name}_{page}": address.format(
            app=model._meta.app_label, model=model._meta.model_name, pk="{pk}"
        )
        for model in admin.site._registry
        for page, address in OF_A_MODEL.items()
    }


def all_names(patterns: list[URLPattern | URLResolver] | None = None) -> Iterator[str]:
    """The name of every address of the admin."""
    for pattern in admin.site.get_urls() if patterns is None else patterns:
        if isinstance(pattern, URLResolver):
            yield from all_names(pattern.url_patterns)
        elif pattern.name:
            yield pattern.name
