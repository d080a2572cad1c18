"""The admin reveals nothing about a row that the user may not see, not even that it exists."""

import re

import pytest
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.urls import reverse

from sales.models import FollowUp, Lead
from sales.services import activities

SECRETS = ("Secret Choir", "secret@club.example")
PEOPLE_WITHOUT_ACCESS = ("owner", "colleague", "manager")  # users who may not see the secret lead
MODELS_WITH_VISIBILITY = [
    model
    for model in admin.site._registry
    if model._meta.app_label == "sales" and hasattr(model._default_manager.all(), "visible_to")
]


@pytest.fixture
def secret_lead_pk(world):
    return world.leads["secret"].pk


def read_text(response):
    return response.content.decode()


def make_list_url(name, query=""):
    return reverse(f"admin:sales_{name}_changelist") + query


@pytest.mark.parametrize("model", MODELS_WITH_VISIBILITY)
@pytest.mark.parametrize("person", PEOPLE_WITHOUT_ACCESS)
def test_a_list_contains_the_visible_rows(people, world, rf, model, person):
    """There is an invisible row of every model; otherwise this would prove nothing."""
    request, page = rf.get("/"), admin.site._registry[model]
    request.user = people[person]
    listed_keys, visible_keys = (set(rows.values_list("pk", flat=True)) for rows in (
        page.get_queryset(request), model._default_manager.all().visible_to(people[person]),
    ))  # fmt: skip
    archived = {world.leads["archived"].pk} if model is Lead and person == "manager" else set()
    assert listed_keys == visible_keys | archived
    assert visible_keys < set(model._default_manager.values_list("pk", flat=True))


def test_no_page_has_raw_id_fields():
    """The widget of a raw id names any row; the others name only rows that may be chosen."""
    assert [page for page in admin.site._registry.values() if page.raw_id_fields] == []


@pytest.mark.parametrize("person", PEOPLE_WITHOUT_ACCESS)
@pytest.mark.parametrize("name", [*(model._meta.model_name for model in MODELS_WITH_VISIBILITY), "transferbatch"])
@pytest.mark.parametrize(
    "query", ["", "?q=secret", "?q=choir", "?all=1", "?_facets=True", "?o=-1", "?p=1", "?_popup=1"]
)
def test_lists_searches_and_facets_show_no_secret(browsers, person, name, query):
    response = browsers[person].get(make_list_url(name, query), follow=True)
    for_managers = name in ("transferbatch", "leadimport", "leadexport")
    assert response.status_code == (403 if for_managers and person != "manager" else 200)
    assert not any(secret in read_text(response) for secret in SECRETS)
    assert "Note on Secret" not in read_text(response)


@pytest.mark.parametrize("name", ["lead", "followup", "activity"])
def test_facets_count_visible_rows(browsers, people, name):
    """The counts next to the filters are those of the visible rows."""
    own_text, all_text = (
        read_text(browsers[person].get(make_list_url(name, "?_facets=True"))) for person in ("owner", "admin")
    )
    assert own_text != all_text
    if name == "lead":
        assert "New (2)" in own_text
        assert "New (4)" in all_text


LOOKUPS = [
    ("lead", "assigned_to__email__startswith=stranger"),
    ("lead", "assigned_to__password__startswith=!"),
    ("lead", "assigned_to__team__name__startswith=A"),
    ("lead", "follow_ups__notes__contains=x"),
    ("lead", "activities__notes__startswith=Note"),
    ("followup", "lead__company_name__startswith=Secret"),
    ("followup", "assigned_to__password__startswith=!"),
    ("followup", "lead__assigned_to__password__contains=!"),
    ("activity", "lead__email__startswith=secret"),
    ("activity", "user__password__startswith=!"),
    ("fieldchange", "lead__company_name__startswith=Secret"),
    ("leadtransfer", "to_user__password__startswith=!"),
    ("leadtransfer", "batch__reason__contains=Secret"),
]


@pytest.mark.parametrize(("name", "lookup"), LOOKUPS)
def test_a_list_cannot_be_filtered_by_other_tables(browsers, name, lookup):
    for person in ("owner", "manager", "admin"):
        assert browsers[person].get(make_list_url(name, f"?{lookup}")).status_code == 400


@pytest.mark.parametrize("lookup", ["password__startswith=!", "password__contains=argon2", "login_epoch__gte=0"])
def test_users_cannot_be_filtered_by_their_passwords(browsers, lookup):
    response = browsers["manager"].get(reverse("admin:accounts_user_changelist") + f"?{lookup}")
    assert response.status_code == 400 or "login_epoch" in lookup
    assert "argon2$" not in read_text(response)


REVERSE_RELATIONS = sorted(
    (model._meta.label_lower.replace(".", "_"), relation.name)
    for model in admin.site._registry
    if model._meta.app_label in ("accounts", "sales", "notifications")
    for relation in model._meta.get_fields(include_hidden=True)
    if relation.auto_created and not relation.concrete
)


@pytest.mark.parametrize(("model", "relation"), REVERSE_RELATIONS)
def test_a_list_cannot_be_filtered_by_reverse_relations(browsers, model, relation):
    """`?leads=7` in the list of sources would reveal the source of an invisible lead."""
    url, browser = reverse(f"admin:{model}_changelist"), browsers["admin"]
    queries = [{relation: 1}, {f"{relation}__gte": 1}, {f"{relation}__isnull": 0}, {f"{relation}__id__in": "1,2"}]
    assert [browser.get(url, query).status_code for query in queries] == [400] * len(queries)


@pytest.mark.parametrize("query", ["_to_field=password", "_to_field=email", "_popup=1&_to_field=login_epoch"])
def test_a_popup_returns_only_keys(browsers, query):
    for model in ("accounts_user", "sales_lead"):
        for page in ("changelist", "add"):
            assert browsers["admin"].get(reverse(f"admin:{model}_{page}") + f"?{query}").status_code == 400


def test_view_on_site_reveals_nothing(browsers, secret_lead_pk):
    kind = ContentType.objects.get_for_model(Lead).pk
    invisible, missing = (browsers["owner"].get(f"/admin/r/{kind}/{key}/") for key in (secret_lead_pk, 999_999))
    texts = [re.sub(r"404 · [0-9a-f]{32}", "", response.content.decode()) for response in (invisible, missing)]
    assert invisible.status_code == 404
    assert texts[0] == texts[1]


@pytest.mark.parametrize("person", PEOPLE_WITHOUT_ACCESS)
@pytest.mark.parametrize(("name", "field"), [("followup", "lead"), ("activity", "lead")])
def test_autocomplete_finds_visible_rows(browsers, person, name, field):
    url = f"/admin/autocomplete/?app_label=sales&model_name={name}&field_name={field}&term="
    names = {row["text"] for row in browsers[person].get(url).json()["results"]}
    assert "Harbor Choir" in names
    assert not names & {"Secret Choir", "Old Guard"}
    assert browsers[person].get(url + "secret").json()["results"] == []


def test_autocomplete_of_users_needs_the_permission_to_see_them(browsers):
    url = "/admin/autocomplete/?app_label=sales&model_name=followup&field_name=assigned_to&term="
    assert [browsers[person].get(url).status_code for person in ("owner", "manager")] == [403, 200]


@pytest.mark.parametrize("person", PEOPLE_WITHOUT_ACCESS)
@pytest.mark.parametrize("name", ["followup", "activity"])
def test_a_form_with_an_invisible_lead_does_not_name_it(browsers, person, name, secret_lead_pk):
    """In the URL (`?lead=`) and in a POST, the response is the same as for a lead that does not exist."""
    url = reverse(f"admin:sales_{name}_add")
    body = {"follow_up_type": "call", "scheduled_date": "2099-01-05", "activity_type": "note"}
    counts = FollowUp.objects.count(), Lead.objects.count()
    prefilled = browsers[person].get(f"{url}?lead={secret_lead_pk}")
    posted, missing = (read_text(browsers[person].post(url, body | {"lead": key})) for key in (secret_lead_pk, 999_999))
    assert prefilled.status_code == 200
    for page in (read_text(prefilled), posted):
        assert not any(secret in page for secret in SECRETS)
    assert "Select a valid choice" in posted
    assert "Select a valid choice" in missing
    assert (FollowUp.objects.count(), Lead.objects.count()) == counts


@pytest.mark.parametrize("person", PEOPLE_WITHOUT_ACCESS)
def test_pages_of_invisible_rows_look_like_missing_rows(browsers, person, world, secret_lead_pk):
    rows = {
        "lead": secret_lead_pk, "followup": world.secret_follow_up.pk, "activity": world.secret_timeline.activity.pk,
        "fieldchange": world.secret_timeline.change.pk, "leadscorehistory": world.secret_timeline.score.pk,
        "leadtransfer": world.secret_timeline.transfer.pk,
    }  # fmt: skip
    for name, key in rows.items():
        for page in ("change", "history", "delete"):
            for tail in ("", "?_popup=1", "?_to_field=id"):
                invisible, missing = (
                    browsers[person].get(reverse(f"admin:sales_{name}_{page}", args=[row_key]) + tail)
                    for row_key in (key, 999_999)
                )
                assert invisible.status_code == missing.status_code
                assert invisible.headers.get("Location") == missing.headers.get("Location")
                assert invisible.status_code in (302, 403)


@pytest.mark.parametrize("person", PEOPLE_WITHOUT_ACCESS)
@pytest.mark.parametrize(
    ("name", "action"),
    [("lead", "archive_selected"), ("lead", "reassign_selected"), ("followup", "cancel_selected")],
)
def test_actions_change_only_visible_rows(browsers, person, people, world, secret_lead_pk, name, action):
    key = {"lead": secret_lead_pk, "followup": world.secret_follow_up.pk}[name]
    body = {"action": action, "_selected_action": key, "select_across": "0", "step": "confirm", "reason": "x",
            "to_user": people["owner"].pk}  # fmt: skip
    for select_across in ("0", "1"):
        response = browsers[person].post(
            make_list_url(name, "?q=secret"), body | {"select_across": select_across}, follow=True
        )
        assert not any(secret in read_text(response) for secret in SECRETS)
    lead, follow_up = Lead.objects.get(pk=secret_lead_pk), FollowUp.objects.get(pk=world.secret_follow_up.pk)
    assert lead.assigned_to == people["stranger"]
    assert lead.archived_at is None
    assert follow_up.cancelled_at is None


def test_recent_actions_do_not_reveal_a_lead_that_became_invisible(browsers, people, world):
    """The index lists recent actions of the user, but no lead that the user may no longer see."""
    lead = world.lead
    LogEntry.objects.create(
        user=people["colleague"], content_type=ContentType.objects.get_for_model(Lead), object_id=str(lead.pk),
        object_repr="Harbor Choir", action_flag=2,
    )  # fmt: skip
    Lead.objects.filter(pk=lead.pk).update(assigned_to=people["stranger"])
    FollowUp.objects.filter(lead=lead).delete()
    assert "Harbor Choir" not in read_text(browsers["colleague"].get("/admin/"))
    for page in ("change", "history"):
        assert browsers["colleague"].get(reverse(f"admin:sales_lead_{page}", args=[lead.pk])).status_code == 302


def test_a_transfer_batch_counts_visible_leads(browsers, world, people):
    world.secret_timeline.transfer.batch = world.timeline.batch
    world.secret_timeline.transfer.save()
    for person, count in (("manager", 1), ("company_manager", 2)):
        assert f'<td class="field-leads">{count}</td>' in read_text(
            browsers[person].get(make_list_url("transferbatch"))
        )


def test_the_page_of_a_lead_shows_only_its_own_timeline(browsers, world, people):
    activities.log(by=people["stranger"], lead_id=world.leads["secret"].pk, activity_type="note", notes="Only for us")
    page = read_text(browsers["owner"].get(reverse("admin:sales_lead_change", args=[world.lead.pk])))
    assert "Note on Harbor Choir" in page
    assert "Only for us" not in page


@pytest.mark.parametrize(
    "query", ["?owner={stranger}", "?owner=none", "?archived=yes", "?plan=unplanned", "?score_band=hot"]
)
def test_filters_list_only_visible_rows(browsers, people, query):
    page = read_text(
        browsers["owner"].get(make_list_url("lead", query.format(stranger=people["stranger"].pk)), follow=True)
    )
    assert not any(name in page for name in ("Secret Choir", "Orphan Tours", "Old Guard"))
    assert "Othermanager" not in page
