"""No URL of a list or a row makes a page fail, and no pattern from a URL reaches the database."""

import pytest
from django.contrib import admin
from django.contrib.messages.storage.cookie import CookieStorage
from django.core.exceptions import BadRequest, PermissionDenied, SuspiciousOperation
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from athena.admin import list_lookups

LONG = "9" * 45
VERY_LONG = "9" * 5000
MODELS = {f"{model._meta.app_label}_{model._meta.model_name}": model for model in admin.site._registry}
PAGES = list(MODELS)
COLUMNS = {
    (f"{model._meta.app_label}_{model._meta.model_name}", field.name): model
    for model in admin.site._registry
    for field in model._meta.fields
}
REFUSED_LOOKUPS = (  # for every column
    "regex=^(a%2B)%2B$", "iregex=(", "contains=a", "icontains=a", "startswith=a", "istartswith=a", "endswith=a",
    "iendswith=a", "iexact=a", "range=1", "range=1,2", "date=2026-01-01", "week_day=1", "hour=1",
    "year__gte=1", "length=1", "unaccent=a", "search=a", "trigram_similar=a", "0=1", "key=1", "isnull__exact=1",
    "exact__regex=a", "in__contains=1",
)  # fmt: skip
VALUES = (
    "", "1", "-1", "0", "²", "٣", "abc", "%00", "%ED%A0%80", "%FF", "NaN", "Infinity", "1e999999", "-0", "1_0", "true",
    "2026-13-45", "0001-01-01", "9999-12-31", "9999-12-31T23:59:59Z", "0001-01-01T00:00:00%2B14:00", LONG, VERY_LONG,
    "{}", "[]", "'", "a" * 10_000,
)  # fmt: skip
SHORT_VALUES = ("", "x", "%00", LONG, "9999-12-31T23:59:59Z", ",1")
COMPARISONS = ("", "__in", "__isnull", "__gte", "__lt")
FIRST_COLUMN_BY_TYPE = {
    type(model._meta.get_field(name)): (page, name) for (page, name), model in reversed(COLUMNS.items())
}
QUERIES = (
    "p=9999999", "p=-1", "p=0", "p=x", f"p={LONG}", "p=²", "o=x", "o=-", "o=1.1.1", "o=" + ".".join(["1"] * 3000),
    f"o={LONG}", "o=-99", "o=%00", "q=%00", "q=" + "x" * 60_000, "q=" + "a+" * 5_000, "q=%25%25_", "q=\\", "q='\"",
    "all=", "all=1", "_facets=True", "_popup=1", "_popup=x", "_to_field=nothing", "e=1", "e=1&nonsense=1", "nonsense=1",
    "nonsense__regex=(", "pk__regex=(", "pk__in=" + ",".join(map(str, range(5000))), "id__in=", "id__in=,,",
    "id=1&id=2",
    "&".join(f"id={number}" for number in range(900)), f"pk={LONG}", "pk__gte=1", "day=9999-12-31", "day=0001-01-01",
    "day=2026-W99", "day=2026-W00", "day=9999-W53", "day=%00", "whose=%00", f"whose={LONG}", f"whose={'0' * 30}1",
    "whose=²",
    f"owner={LONG}", "owner=%00", "owner=x", "plan=%00", "view=%00", "archived=%00", "kind=%00", "read=%00",
    "state=%00",
    "score_band=%00", "month__year=9999", "month__year=99999", "month__year=0", "month__year=2026&month__month=13",
    "month__year=2026&month__month=2&month__day=31", "month__year=²", f"month__year={VERY_LONG}", "month__day=5",
    "start_time__year=9999", "start_time__year=2026&start_time__month=0", "task=%00", "source__id__exact=%00",
    f"source__id__exact={LONG}", "lost_reason__name__exact=%00", "month__year=2026&month__year=2027",
)  # fmt: skip


@pytest.fixture
def browser(browsers):
    """The browser of the administrator, who has every permission."""
    return browsers["admin"]


@pytest.fixture
def get_status(browser, world):
    """A function that requests a list with a query string and returns the status."""
    return lambda page, query: browser.get(f"{reverse(f'admin:{page}_changelist')}?{query}").status_code


@pytest.fixture
def get_status_without_page(people, world, rf):
    """Like `get_status`, but reads the rows of the list without rendering the page, which is faster."""

    def get_status(page, query):
        request = rf.get("/", QUERY_STRING=query)
        request.user, request._messages = people["admin"], CookieStorage(request)
        try:
            response = admin.site._registry[MODELS[page]].changelist_view(request)
        except (SuspiciousOperation, BadRequest):
            return 400
        except PermissionDenied:
            return 403
        if "cl" in (getattr(response, "context_data", None) or {}):
            list(response.context_data["cl"].result_list)
        return response.status_code

    return get_status


@pytest.mark.parametrize("page", PAGES)
def test_a_list_refuses_other_lookups_than_comparisons(get_status_without_page, page):
    get_status = get_status_without_page
    if get_status(page, "") == 403:  # nobody may open this page
        return
    if page == "notifications_preference":  # this page is not a list
        return
    queries = [f"{name}__{query}" for model_page, name in COLUMNS if model_page == page for query in REFUSED_LOOKUPS]
    with CaptureQueriesContext(connection) as statements:
        responses = {query: get_status(page, query) for query in queries}
    assert {query: status for query, status in responses.items() if status != 400} == {}
    hierarchy = admin.site._registry[MODELS[page]].date_hierarchy
    datetime_columns = [
        name for model_page, name in COLUMNS if model_page == page and name.endswith("_at") and name != hierarchy
    ]
    assert {get_status(page, f"{name}__year=99999") for name in datetime_columns} <= {400}
    assert [
        statement["sql"]
        for statement in statements
        if "REGEXP" in statement["sql"].upper() or " ~ " in statement["sql"]
    ] == []


@pytest.mark.parametrize("page", PAGES)
def test_any_column_may_be_compared_with_any_short_value(get_status_without_page, page):
    queries = [
        f"{name}{comparison}={value}"
        for model_page, name in COLUMNS
        if model_page == page
        for comparison in ("", "__in", "__gte")
        for value in SHORT_VALUES
    ]
    assert [query for query in queries if get_status_without_page(page, query) >= 500] == []


@pytest.mark.parametrize("kind", FIRST_COLUMN_BY_TYPE)
@pytest.mark.parametrize("comparison", COMPARISONS)
def test_a_type_of_column_may_be_compared_with_any_value(get_status, kind, comparison):
    page, name = FIRST_COLUMN_BY_TYPE[kind]
    queries = [f"{name}{comparison}={value}" for value in VALUES]
    assert [query for query in queries if get_status(page, query) >= 500] == []


@pytest.mark.parametrize("page", PAGES)
def test_no_query_string_makes_a_list_fail(get_status, page):
    assert [query for query in QUERIES if get_status(page, query) >= 500] == []


def test_a_search_for_too_many_words_is_refused(browser, world):
    """Each word adds a condition on every row, perhaps of joined tables."""
    words = " ".join(["a"] * (list_lookups.MAX_WORDS + 1))
    for page in [page for page in PAGES if admin.site._registry[MODELS[page]].search_fields]:
        url = reverse(f"admin:{page}_changelist")
        with CaptureQueriesContext(connection) as statements:
            response = browser.get(url, {"q": words})
        assert "Search for at most 20 words." in response.content.decode()
        assert max(statement["sql"].upper().count("LIKE") for statement in statements) <= 1
        assert "Search for at most" not in browser.get(url, {"q": words[2:]}).content.decode()
    query = {"app_label": "sales", "model_name": "followup", "field_name": "lead", "term": words}
    assert browser.get("/admin/autocomplete/", query).status_code == 400


KEYS = (
    "0",
    "-1",
    "²",
    "٣",
    "1_5F0",
    "+1",
    "%201",
    "abc",
    "%00",
    "'",
    LONG,
    VERY_LONG,
    "0" * 40 + "1",
    "9223372036854775808",
)


@pytest.mark.parametrize("page", PAGES)
def test_no_key_makes_the_page_of_a_row_fail(browser, world, page):
    base = reverse(f"admin:{page}_changelist")
    for key in KEYS:
        for tail in ("change/", "history/", "delete/", ""):
            assert browser.get(f"{base}{key}/{tail}").status_code in (302, 400, 403, 404), (key, tail)
    for action in ("delete_selected", *admin.site._registry[MODELS[page]].actions):
        for key in ("0", "²", "abc", LONG):
            body = {"action": action, "_selected_action": key}
            assert browser.post(base, body).status_code < 500, (key, action)


@pytest.mark.parametrize("key", [*KEYS, "", "1,2"])
def test_no_key_makes_another_page_fail(browser, world, key):
    for address in (
        "lead/merge/?id={0}&id={0}&keep={0}", "followup/add/?lead={0}&assigned_to={0}", "activity/add/?lead={0}",
        "lead/add/?source={0}&pickup_at={0}&estimated_value={0}&lost_reason={0}&status={0}&is_repeat={0}&email={0}",
        "assignmentrule/add/?to_user={0}&to_team={0}", "leadscoringrule/add/?points={0}",
        "leadimport/add/?x={0}",
        "followup/{0}/complete/", "followup/{0}/snooze/", "lead/{0}/timeline/?before={0}&kind={0}", "lead/{0}/repeat/",
        "lead/{0}/stop-cadence/", "transferbatch/{0}/undo/", "leadimport/{0}/start/", "leadscoringrule/{0}/switch/",
    ):  # fmt: skip
        for method in (browser.get, browser.post):
            assert method("/admin/sales/" + address.format(key)).status_code < 500, address
            report = f"/admin/reports/speed/?person={key}&team={key}&start_date={key}&by={key}"
            assert method(report).status_code < 500, report
    rows = {"lead": key, "receivers": key, "assigned_to": key, "source": key, "cadence": key, "to_user": key,
            "lost_reason": key, "lead_id": key, "other_id": key, "step": "confirm", "id": key, "minutes": key,
            "is_active": key, "duplicates": key, "interval": key, "team": key}  # fmt: skip
    for address in (
        "sales/followup/add/", "sales/activity/add/", "sales/lead/add/", "sales/assignmentrule/add/",
        f"sales/assignmentrule/preview/?rule={key}", f"sales/leadscoringrule/preview/?rule={key}",
        "sales/sourcespend/add/", "sales/lead/merge/", "sales/lead/not-duplicate/", "accounts/user/add/",
        "django_celery_beat/periodictask/add/", f"sales/followup/{world.follow_up.pk}/complete/",
        f"sales/lead/?action=x&{key}",
    ):  # fmt: skip
        assert browser.post(f"/admin/{address}", rows).status_code < 500, address
    body = {"action": "reassign_selected", "_selected_action": world.lead.pk, **rows}
    assert browser.post(reverse("admin:sales_lead_changelist"), body).status_code < 500
    body["action"] = "cadence_selected"
    assert browser.post(reverse("admin:sales_lead_changelist"), body).status_code < 500


@pytest.mark.parametrize("term", ["%00", "x" * 60_000, "a+" * 5_000, "%ED%A0%80", "\\", "%25"])
def test_no_term_makes_autocomplete_fail(browser, world, term):
    for model, field in (("followup", "lead"), ("followup", "assigned_to"), ("lead", "assigned_to"), ("x", "y")):
        for page in ("1", "0", "x", LONG, "²"):
            query = f"app_label=sales&model_name={model}&field_name={field}&term={term}&page={page}"
            assert browser.get(f"/admin/autocomplete/?{query}").status_code < 500
