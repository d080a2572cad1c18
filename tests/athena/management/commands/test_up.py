"""What `manage.py up` prints when Athena is ready. The other tests of it are in `tests/test_up.py`."""

from io import StringIO

from athena.management.commands.up import Command


def read_announcement():
    out = StringIO()
    Command(stdout=out)._announce()
    return out.getvalue()


def test_the_first_administrator_is_explained_until_there_is_a_user(make_user):
    assert (
        "There are no users yet. Create the first administrator in another terminal: make admin" in read_announcement()
    )
    make_user("ada")
    assert "Nobody can log in" not in read_announcement()
