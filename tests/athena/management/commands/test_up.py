"""What `manage.py up` says when it is ready; the rest is in `tests/test_up.py`."""

from io import StringIO

from athena.management.commands.up import Command


def said():
    out = StringIO()
    Command(stdout=out)._announce()
    return out.getvalue()


def test_the_way_in_is_said_until_there_is_somebody(make_user):
    assert "There are no users yet. Create the first administrator in another terminal: make admin" in said()
    make_user("ada")
    assert "Nobody can log in" not in said()
