"""Each hostile request of the table, sent to a real server, gets the expected response and changes nothing.

The server is gunicorn as `manage.py up` starts it, since the handling of lengths, chunks and odd headers is part of the
test. It runs without a worker and beat, so that only a request can have changed a row.
"""

import pytest

from tests.hostile.client import Web
from tests.hostile.table import CASES, Case

pytestmark = pytest.mark.live


def test_the_table_is_long_enough() -> None:
    assert len(CASES) == len(set(map(repr, CASES)))
    assert len(CASES) > 400


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_hostile_request(server: Web, names, is_unchanged, case: Case) -> None:
    status, wrong = server.send(case, names)
    assert status == case.status
    assert wrong == case.wrong
    assert is_unchanged()
