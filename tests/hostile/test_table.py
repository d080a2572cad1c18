"""The table of hostile requests, against a real server: each gets the answer that it should, and changes nothing.

The server is gunicorn as `manage.py up` starts it, since what HTTP itself does with lengths, chunks and odd headers is
half of the matter. It runs alone, without worker and beat, so that a changed row can only be a request's doing.
"""

import pytest

from tests.hostile.client import Web
from tests.hostile.table import CASES, Case

pytestmark = pytest.mark.live


def test_the_table_is_long_enough() -> None:
    assert len(CASES) == len(set(map(repr, CASES)))
    assert len(CASES) > 400


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_hostile_request(server: Web, names, kept, case: Case) -> None:
    found = server.send(case, names)
    assert (*found, kept()) == (case.status, case.wrong, True)
