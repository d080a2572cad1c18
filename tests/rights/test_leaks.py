"""What the admin lets through beside its pages: nothing of a row that one can't see, nor that it is there."""

import re

import pytest
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.urls import reverse

from sales.models import FollowUp, Lead
from sales.services import activities

SECRETS = ("Secret Choir", "secret@club.example")
BLIND = ("owner", "mate", "boss")  # those who can't see the secret lead
PRIVATE = [
    model
    for model in admin.site._registry
    if model._meta.app_label == "sales" and hasattr(model._default_manager.all(), "visible_to")
]


@pytest.fixture
def pk(world):
    return world.leads["secret"].pk


def text_of(response):
    return response.content.decode()


def listed(name, query=""):
    return reverse(f"admin:sales_{name}_changelist") + query


@pytest.mark.parametrize("model", PRIVATE)
@pytest.mark.parametrize("who", BLIND)
def test_a_page_holds_the_rows_that_one_sees(people, world, rf, model, who):
    """Of every kind there is a row to be hidden, or this would say nothing."""
    request, page = rf.get("/"), admin.site._registry[model]
    request.user = people[who]
    found, seen = (set(rows.values_list("pk", flat=True)) for rows in (
        page.get_queryset(request), model._default_manager.all().visible_to(people[who]),
    ))  # fmt: skip
    archived = {world.leads["archived"].pk} if model is Lead and who == "boss" else set()
    assert found == seen | archived
    assert seen < set(model._default_manager.values_list("pk", flat=True))


def test_no_field_shows_whatever_row_it_is_given():
    """A raw key's widget names any row; the others name what may be chosen."""
    assert [page for page in admin.site._registry.values() if page.raw_id_fields] == []


@pytest.mark.parametrize("who", BLIND)
@pytest.mark.parametrize("name", [*(model._meta.model_name for model in PRIVATE), "transferbatch"])
@pytest.mark.parametrize(
    "query", ["", "?q=secret", "?q=choir", "?all=1", "?_facets=True", "?o=-1", "?p=1", "?_popup=1"]
)
def test_lists_searches_and_facets(browsers, who, name, query):
    response = browsers[who].get(listed(name, query), follow=True)
    for_managers = name in ("transferbatch", "leadimport", "leadexport")
    assert response.status_code == (403 if for_managers and who != "boss" else 200)
    assert not any(secret in text_of(response) for secret in SECRETS)
    assert "Note on Secret" not in text_of(response)


@pytest.mark.parametrize("name", ["lead", "followup", "activity"])
def test_facets_count_what_one_sees(browsers, people, name):
    """The counts beside the filters are those of one's own rows."""
    mine, all_rows = (text_of(browsers[who].get(listed(name, "?_facets=True"))) for who in ("owner", "admin"))
    assert mine != all_rows
    if name == "lead":
        assert "New (2)" in mine
        assert "New (4)" in all_rows


LOOKUPS = [
    ("lead", "assigned_to__email__startswith=far"),
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
def test_a_list_is_not_asked_about_other_tables(browsers, name, lookup):
    for who in ("owner", "boss", "admin"):
        assert browsers[who].get(listed(name, f"?{lookup}")).status_code == 400


@pytest.mark.parametrize("lookup", ["password__startswith=!", "password__contains=argon2", "login_epoch__gte=0"])
def test_accounts_are_not_asked_for_their_passwords(browsers, lookup):
    response = browsers["boss"].get(reverse("admin:accounts_user_changelist") + f"?{lookup}")
    assert response.status_code == 400 or "login_epoch" in lookup
    assert "argon2$" not in text_of(response)


BACKWARDS = sorted(
    (model._meta.label_lower.replace(".", "_"), relation.name)
    for model in admin.site._registry
    if model._meta.app_label in ("accounts", "sales", "notifications")
    for relation in model._meta.get_fields(include_hidden=True)
    if relation.auto_created and not relation.concrete
)


@pytest.mark.parametrize(("model", "relation"), BACKWARDS)
def test_a_list_is_not_asked_which_rows_point_at_it(browsers, model, relation):
    """`?leads=7` of the sources would say where a lead comes from that one can't see."""
    url, browser = reverse(f"admin:{model}_changelist"), browsers["admin"]
    asked = [{relation: 1}, {f"{relation}__gte": 1}, {f"{relation}__isnull": 0}, {f"{relation}__id__in": "1,2"}]
    assert [browser.get(url, query).status_code for query in asked] == [400] * len(asked)


@pytest.mark.parametrize("query", ["_to_field=password", "_to_field=email", "_popup=1&_to_field=login_epoch"])
def test_a_popup_gives_back_keys_alone(browsers, query):
    for model in ("accounts_user", "sales_lead"):
        for page in ("changelist", "add"):
            assert browsers["admin"].get(reverse(f"admin:{model}_{page}") + f"?{query}").status_code == 400


def test_the_way_to_the_site_says_nothing(browsers, pk):
    kind = ContentType.objects.get_for_model(Lead).pk
    unseen, nowhere = (browsers["owner"].get(f"/admin/r/{kind}/{key}/") for key in (pk, 999_999))
    texts = [re.sub(r"404 · [0-9a-f]{32}", "", response.content.decode()) for response in (unseen, nowhere)]
    assert unseen.status_code == 404
    assert texts[0] == texts[1]


@pytest.mark.parametrize("who", BLIND)
@pytest.mark.parametrize(("name", "field"), [("followup", "lead"), ("activity", "lead")])
def test_autocomplete_finds_what_one_sees(browsers, who, name, field):
    url = f"/admin/autocomplete/?app_label=sales&model_name={name}&field_name={field}&term="
    names = {row["text"] for row in browsers[who].get(url).json()["results"]}
    assert "Harbor Choir" in names
    assert not names & {"Secret Choir", "Old Guard"}
    assert browsers[who].get(url + "secret").json()["results"] == []


def test_autocomplete_of_accounts_is_for_those_who_read_them(browsers):
    url = "/admin/autocomplete/?app_label=sales&model_name=followup&field_name=assigned_to&term="
    assert [browsers[who].get(url).status_code for who in ("owner", "boss")] == [403, 200]


@pytest.mark.parametrize("who", BLIND)
@pytest.mark.parametrize("name", ["followup", "activity"])
def test_a_form_that_is_given_an_unseen_lead_does_not_name_it(browsers, who, name, pk):
    """In the address (`?lead=`), and posted: the answer is the same as for a lead that is not there."""
    url = reverse(f"admin:sales_{name}_add")
    body = {"follow_up_type": "call", "scheduled_date": "2099-01-05", "activity_type": "note"}
    counts = FollowUp.objects.count(), Lead.objects.count()
    given = browsers[who].get(f"{url}?lead={pk}")
    posted, nowhere = (text_of(browsers[who].post(url, body | {"lead": key})) for key in (pk, 999_999))
    assert given.status_code == 200
    for page in (text_of(given), posted):
        assert not any(secret in page for secret in SECRETS)
    assert "Select a valid choice" in posted
    assert "Select a valid choice" in nowhere
    assert (FollowUp.objects.count(), Lead.objects.count()) == counts


@pytest.mark.parametrize("who", BLIND)
def test_pages_of_unseen_rows_are_as_those_of_none(browsers, who, world, pk):
    rows = {
        "lead": pk, "followup": world.secret_plan.pk, "activity": world.secret.activity.pk,
        "fieldchange": world.secret.change.pk, "leadscorehistory": world.secret.score.pk,
        "leadtransfer": world.secret.transfer.pk,
    }  # fmt: skip
    for name, key in rows.items():
        for page in ("change", "history", "delete"):
            for tail in ("", "?_popup=1", "?_to_field=id"):
                unseen, nowhere = (
                    browsers[who].get(reverse(f"admin:sales_{name}_{page}", args=[each]) + tail)
                    for each in (key, 999_999)
                )
                assert unseen.status_code == nowhere.status_code
                assert unseen.headers.get("Location") == nowhere.headers.get("Location")
                assert unseen.status_code in (302, 403)


@pytest.mark.parametrize("who", BLIND)
@pytest.mark.parametrize(
    ("name", "action"),
    [("lead", "archive_selected"), ("lead", "reassign_selected"), ("followup", "cancel_selected")],
)
def test_actions_reach_only_what_one_sees(browsers, who, people, world, pk, name, action):
    key = {"lead": pk, "followup": world.secret_plan.pk}[name]
    body = {"action": action, "_selected_action": key, "select_across": "0", "step": "confirm", "reason": "x",
            "to_user": people["owner"].pk}  # fmt: skip
    for across in ("0", "1"):
        response = browsers[who].post(listed(name, "?q=secret"), body | {"select_across": across}, follow=True)
        assert not any(secret in text_of(response) for secret in SECRETS)
    lead, plan = Lead.objects.get(pk=pk), FollowUp.objects.get(pk=world.secret_plan.pk)
    assert lead.assigned_to == people["far"]
    assert lead.archived_at is None
    assert plan.cancelled_at is None


def test_what_one_did_to_a_lead_is_no_door_to_it_later(browsers, people, world):
    """The index lists one's own last actions: of a lead that has gone elsewhere, no page any more."""
    lead = world.lead
    LogEntry.objects.create(
        user=people["mate"], content_type=ContentType.objects.get_for_model(Lead), object_id=str(lead.pk),
        object_repr="Harbor Choir", action_flag=2,
    )  # fmt: skip
    Lead.objects.filter(pk=lead.pk).update(assigned_to=people["far"])
    FollowUp.objects.filter(lead=lead).delete()
    assert "Harbor Choir" not in text_of(browsers["mate"].get("/admin/"))
    for page in ("change", "history"):
        assert browsers["mate"].get(reverse(f"admin:sales_lead_{page}", args=[lead.pk])).status_code == 302


def test_a_batch_counts_the_leads_that_one_sees(browsers, world, people):
    world.secret.transfer.batch = world.story.batch
    world.secret.transfer.save()
    for who, count in (("boss", 1), ("free_boss", 2)):
        assert f'<td class="field-leads">{count}</td>' in text_of(browsers[who].get(listed("transferbatch")))


def test_a_leads_page_shows_its_own_story_alone(browsers, world, people):
    activities.log(by=people["far"], lead_id=world.leads["secret"].pk, activity_type="note", notes="Only for us")
    page = text_of(browsers["owner"].get(reverse("admin:sales_lead_change", args=[world.lead.pk])))
    assert "Note on Harbor Choir" in page
    assert "Only for us" not in page


@pytest.mark.parametrize(
    "query", ["?owner={far}", "?owner=none", "?archived=yes", "?plan=unplanned", "?score_band=hot"]
)
def test_filters_stay_within_what_one_sees(browsers, people, query):
    page = text_of(browsers["owner"].get(listed("lead", query.format(far=people["far"].pk)), follow=True))
    assert not any(name in page for name in ("Secret Choir", "Orphan Tours", "Old Guard"))
    assert "Farboss" not in page
