"""The server for hostile requests, which the tests of this folder share."""

import pytest

from tests.hostile.client import Web, start_web


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory):
    with start_web(tmp_path_factory.mktemp("hostile")) as started:
        yield started


@pytest.fixture(scope="session")
def names(server: Web):
    """Ids, tokens and a cursor that exist, by the name that stands for them in the cases."""
    login = server.call("POST", "/auth/login", {"email": "admin@example.com", "password": "admin123"})
    token = login["access_token"]

    def find_first_id(path: str):
        return server.call("GET", path, token=token)["results"][0]["id"]

    page = server.call("GET", "/sales/leads?limit=1", token=token)
    return {
        "token": token,
        "refresh": login["refresh_token"],
        "user": str(login["user"]["id"]),
        "lead": str(find_first_id("/sales/leads?status=new&limit=1")),
        "follow_up": str(find_first_id("/sales/follow-ups?state=open&limit=1")),
        "source": str(find_first_id("/sales/sources?limit=1")),
        "cursor": page["next"].partition("cursor=")[2].partition("&")[0],
    }


@pytest.fixture(scope="session")
def is_unchanged(server: Web, names):
    """A function that returns whether the database is unchanged since the last call."""
    fingerprint = server.fingerprint()

    def is_unchanged() -> bool:
        nonlocal fingerprint
        previous, fingerprint = fingerprint, server.fingerprint()
        return previous == fingerprint

    return is_unchanged
