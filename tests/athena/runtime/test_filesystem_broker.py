"""The broker in files: a message is there whole, or not at all."""

from queue import Empty

import pytest
from kombu import Connection
from kombu.transport import filesystem
from structlog.testing import capture_logs

from athena.runtime import filesystem_broker

QUEUE = "celery"
MESSAGE = {"body": "e30=", "headers": {"task": "sales.tick"}}


@pytest.fixture
def open_channel(tmp_path):
    """Opens a channel of a transport, on the same folders each time."""
    for name in ("queue", "control"):
        (tmp_path / name).mkdir()
    folders = {f"data_folder_{way}": str(tmp_path / "queue") for way in ("in", "out")}
    options = folders | {"control_folder": str(tmp_path / "control")}

    def start(transport):
        return Connection("localhost", transport=transport, transport_options=options).channel()

    return start


def read_while_it_is_written(channel, module, monkeypatch):
    """What a reader gets who comes when the message is being written."""
    found = []

    def written(payload):
        try:
            found.append(channel._get(QUEUE))
        except (Empty, ValueError, OSError) as error:
            found.append(type(error))
        return "{}"

    monkeypatch.setattr(module, "dumps", written)
    channel._put(QUEUE, MESSAGE)
    return found


def test_a_reader_sees_nothing_of_what_is_being_written(open_channel, monkeypatch):
    channel = open_channel(filesystem_broker.Transport)
    assert read_while_it_is_written(channel, filesystem_broker, monkeypatch) == [Empty]
    assert channel._get(QUEUE) == {}


def test_control_a_reader_of_kombus_own_fails(open_channel, monkeypatch):
    (error,) = read_while_it_is_written(open_channel(filesystem.Transport), filesystem, monkeypatch)
    assert issubclass(error, ValueError)


@pytest.mark.parametrize("left", ["", '{"body": "e3'])
def test_what_a_killed_writer_left_is_dropped_and_the_next_is_read(open_channel, tmp_path, left):
    (tmp_path / "queue" / f"0_left.{QUEUE}.msg").write_text(left)
    channel = open_channel(filesystem_broker.Transport)
    channel._put(QUEUE, MESSAGE)
    with capture_logs() as lines:
        assert channel._get(QUEUE) == MESSAGE
    assert [line["event"] for line in lines] == ["message_unreadable"]
    with pytest.raises(Empty):
        channel._get(QUEUE)
    assert list((tmp_path / "queue").iterdir()) == []


def test_a_table_that_is_being_written_is_read_again(open_channel, tmp_path, monkeypatch):
    table = tmp_path / "control" / "celery.exchange"
    table.write_text("")
    monkeypatch.setattr(filesystem_broker.time, "sleep", lambda seconds: table.write_text('[["celery", "", "celery"]]'))
    assert open_channel(filesystem_broker.Transport).get_table("celery") == [("celery", "", "celery")]
