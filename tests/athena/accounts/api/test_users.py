"""`/users`: the users who can own leads."""

import pytest

URL = "/api/v1/users"


def list_names(response):
    """The full names in a list of users."""
    assert response.status_code == 200, response.content
    return [row["full_name"] for row in response.json()["results"]]


def test_every_user_may_read_all_users(api, rep, colleague, stranger, manager, admin, leaver, desk):
    assert list_names(api(rep).get(URL)) == ["Admin", "Gone", "Manager", "Maria", "Otto", "Tom"]
    row = api(rep).get(f"{URL}/{rep.pk}").json()
    assert row == api(rep).get(f"{URL}?search=maria").json()["results"][0]
    assert row == {
        "id": rep.pk, "full_name": "Maria", "email": "maria@example.com", "role": "rep", "team": desk.pk,
        "team_name": "Charter desk", "is_active": True,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("query", "expected_names"),
    [
        ("role=manager", ["Manager"]),
        ("role=manager&role=admin", ["Admin", "Manager"]),
        ("team=none", ["Admin"]),
        ("is_active=false", ["Gone"]),
        ("search=MAR", ["Maria"]),
        ("search=tom@", ["Tom"]),
        ("search=%25", []),
        ("search=_", []),
        ("ordering=-full_name&is_active=true&role=rep", ["Tom", "Otto", "Maria"]),
    ],
)
def test_filters_and_search(api, rep, colleague, stranger, manager, admin, leaver, query, expected_names):
    assert list_names(api(rep).get(f"{URL}?{query}")) == expected_names


def test_the_team_filter(api, rep, stranger, other_desk):
    assert list_names(api(rep).get(f"{URL}?team={other_desk.pk}")) == ["Otto"]


@pytest.mark.parametrize("query", ["role=boss", "team=x", "is_active=1", "search=", "colour=red", "ordering=role"])
def test_an_invalid_parameter_is_named(api, rep, query):
    response = api(rep).get(f"{URL}?{query}")
    assert response.status_code == 400
    assert list(response.json()) == [query.split("=")[0]]


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_users_are_changed_only_in_the_admin(api, admin, method):
    assert getattr(api(admin), method)(URL).status_code == 405
    assert getattr(api(admin), method)(f"{URL}/{admin.pk}").status_code == 405
