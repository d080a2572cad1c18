"""The table of hostile requests, against a real server: each gets the answer that it should, and changes nothing.

The server is gunicorn as `manage.py up` starts it, since what HTTP itself does with lengths, chunks and odd headers is
half of the matter. It runs alone, without worker and beat, so that a changed row can only be a request's doing.
"""

import pytest

from tests.hostile.client import Web, web
from tests.hostile.table import CASES, Case

pytestmark = pytest.mark.live


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory):
    with web(tmp_path_factory.mktemp("hostile")) as started:
        yield started


@pytest.fixture(scope="module")
def names(server: Web):
    login = server.call("POST", "/auth/login", {"email": "admin@example.com", "password": "admin123"})
    token = login["access_token"]

    def first(path: str):
        return server.call("GET", path, token=token)["results"][0]["id"]

    page = server.call("GET", "/sales/leads?limit=1", token=token)
    return {
        "token": token,
        "refresh": login["refresh_token"],
        "user": str(login["user"]["id"]),
        "lead": str(first("/sales/leads?status=new&limit=1")),
        "follow_up": str(first("/sales/follow-ups?state=open&limit=1")),
        "source": str(first("/sales/sources?limit=1")),
        "cursor": page["next"].partition("cursor=")[2].partition("&")[0],
    }


@pytest.fixture(scope="module")
def kept(server: Web, names):
    """Says whether the database is as it was when this was last asked."""
    last = server.fingerprint()

    def same() -> bool:
        nonlocal last
        was, last = last, server.fingerprint()
        return was == last

    return same


def test_the_table_is_long_enough() -> None:
    assert len(CASES) == len(set(map(repr, CASES)))
    assert len(CASES) > 400


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_hostile_request(server: Web, names, kept, case: Case) -> None:
    found = server.send(case, names)
    assert (*found, kept()) == (case.status, case.wrong, True)
