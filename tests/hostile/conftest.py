"""The server that hostile requests go to, which the tests of this folder share."""

import pytest

from tests.hostile.client import Web, web


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory):
    with web(tmp_path_factory.mktemp("hostile")) as started:
        yield started


@pytest.fixture(scope="session")
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


@pytest.fixture(scope="session")
def kept(server: Web, names):
    """Says whether the database is as it was when this was last asked."""
    last = server.fingerprint()

    def same() -> bool:
        nonlocal last
        was, last = last, server.fingerprint()
        return was == last

    return same
