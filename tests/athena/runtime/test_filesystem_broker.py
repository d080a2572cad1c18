"""The file-system broker: a reader sees a whole message or none."""

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
    """A function that opens a channel of a given transport, always on the same folders."""
    for name in ("queue", "control"):
        (tmp_path / name).mkdir()
    folders = {f"data_folder_{direction}": str(tmp_path / "queue") for direction in ("in", "out")}
    options = folders | {"control_folder": str(tmp_path / "control")}

    def open_with(transport):
        return Connection("localhost", transport=transport, transport_options=options).channel()

    return open_with


def read_during_write(channel, module, monkeypatch):
    """Write a message and read in the middle of it. Returns what the reader got, or the class of its error."""
    results = []

    def read_first(payload):
        try:
            results.append(channel._get(QUEUE))
        except (Empty, ValueError, OSError) as error:
            results.append(type(error))
        return "{}"

    monkeypatch.setattr(module, "dumps", read_first)
    channel._put(QUEUE, MESSAGE)
    return results


def test_a_reader_does_not_see_a_message_that_is_being_written(open_channel, monkeypatch):
    channel = open_channel(filesystem_broker.Transport)
    assert read_during_write(channel, filesystem_broker, monkeypatch) == [Empty]
    assert channel._get(QUEUE) == {}


def test_with_the_transport_of_kombu_such_a_reader_fails(open_channel, monkeypatch):
    (error,) = read_during_write(open_channel(filesystem.Transport), filesystem, monkeypatch)
    assert issubclass(error, ValueError)


@pytest.mark.parametrize("unfinished", ["", '{"body": "e3'])
def test_an_unfinished_message_is_dropped_and_the_next_one_is_read(open_channel, tmp_path, unfinished):
    (tmp_path / "queue" / f"0_unfinished.{QUEUE}.msg").write_text(unfinished)
    channel = open_channel(filesystem_broker.Transport)
    channel._put(QUEUE, MESSAGE)
    with capture_logs() as log_entries:
        assert channel._get(QUEUE) == MESSAGE
    assert [entry["event"] for entry in log_entries] == ["message_unreadable"]
    with pytest.raises(Empty):
        channel._get(QUEUE)
    assert list((tmp_path / "queue").iterdir()) == []


def test_a_table_that_is_being_written_is_read_again(open_channel, tmp_path, monkeypatch):
    table = tmp_path / "control" / "celery.exchange"
    table.write_text("")
    monkeypatch.setattr(filesystem_broker.time, "sleep", lambda seconds: table.write_text('[["celery", "", "celery"]]'))
    assert open_channel(filesystem_broker.Transport).get_table("celery") == [("celery", "", "celery")]
