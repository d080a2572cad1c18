"""Sends the cases of the table unchanged, over a socket to a server or directly into the application."""

import hashlib
import http.client
import json
import os
import socket
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

import psycopg2
from django.apps import apps
from django.db import transaction
from django.test import Client

from athena.runtime import supervisor
from tests.hostile.table import Case, find_error
from tests.live import ROOT, prepared_engine, wait_for
from tests.servers import free_port

BASE = "/api/v1"
TABLES = sorted(
    model._meta.db_table
    for model in apps.get_models()
    if model._meta.app_label in ("accounts", "notifications", "sales") and model.__name__ != "FailedLogin"
)
Names = dict[str, str]
Result = tuple[int, str]


def fill_in(text: str, names: Names) -> str:
    """Replace each `$name` by its value."""
    for name in sorted(names, key=len, reverse=True):
        text = text.replace(f"${name}", names[name])
    return text


def fill_in_bytes(body: bytes, names: Names) -> bytes:
    return fill_in(body.decode("latin-1"), names).encode("latin-1")


@dataclass
class Web:
    """A web process as `manage.py up` starts it, without a worker and beat, which would also write."""

    port: int
    connect: Callable[[], Any]

    def request(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> tuple[int, bytes]:
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)) as connection:
            connection.putrequest(method, path, skip_host="Host" in headers, skip_accept_encoding=True)
            for name, value in headers.items():
                connection.putheader(name, value.encode("latin-1"))
            if body or method in ("POST", "PUT", "PATCH"):
                connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body)
            response = connection.getresponse()
            return response.status, response.read()

    def send(self, case: Case, names: Names) -> Result:
        headers = {name: fill_in(value, names) for name, value in case.headers.items()}
        status, text = self.request(
            case.method, BASE + fill_in(case.path, names), fill_in_bytes(case.body, names), headers
        )
        return status, find_error(json.loads(text or "null"))

    def call(self, method: str, path: str, body: object = None, token: str = "") -> Any:
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        status, text = self.request(method, BASE + path, b"" if body is None else json.dumps(body).encode(), headers)
        assert status < 300, text
        return json.loads(text)

    def fingerprint(self) -> str:
        """A hash of all rows that Athena stores, except the counters of failed logins and requests."""
        digest = hashlib.sha256()
        with closing(self.connect()) as connection, closing(connection.cursor()) as cursor:
            for table in TABLES:
                cursor.execute(f"SELECT * FROM {table} ORDER BY 1")
                digest.update(repr((table, cursor.fetchall())).encode())
        return digest.hexdigest()


@contextmanager
def start_web(var_dir: Path, **settings: str) -> Iterator[Web]:
    port = free_port()
    with prepared_engine(var_dir, with_demo=True, with_static_files=True) as engine:
        env = os.environ | engine | {"VAR_DIR": str(var_dir), "PORT": str(port), "WEB_CONCURRENCY": "1", "DEMO": "1"}
        env |= {"THROTTLE_PUBLIC": "none", "THROTTLE_USER": "none", "LOG_LEVEL": "WARNING"} | settings
        with mock.patch.dict(os.environ, env):
            command = supervisor.commands()["web"]
        with (var_dir / "web.log").open("wb") as log:
            process = subprocess.Popen(command, cwd=ROOT, env=env, stdout=log, stderr=log, start_new_session=True)
        try:
            wait_for(lambda: process.poll() is not None or _is_up(port), "the web process answering")
            url = engine.get("DATABASE_URL")
            yield Web(port, lambda: psycopg2.connect(url) if url else sqlite3.connect(var_dir / "athena.sqlite3"))
            assert process.poll() is None, (var_dir / "web.log").read_text()
        finally:
            process.terminate()
            process.wait(30)


def _is_up(port: int) -> bool:
    try:
        with urlopen(Request(f"http://127.0.0.1:{port}/healthz"), timeout=5):
            return True
    except HTTPError:
        return True
    except URLError:
        return False


def send_inside(case: Case, names: Names) -> Result:
    """Like `Web.send`, but without a server. Whatever the request wrote is undone."""
    headers = {name: fill_in(value, names) for name, value in case.headers.items()}
    content_type = headers.pop("Content-Type")
    path = BASE + fill_in(case.path, names)
    with transaction.atomic():
        response = Client(raise_request_exception=False).generic(
            case.method, path, fill_in_bytes(case.body, names), content_type, headers=headers
        )
        transaction.set_rollback(True)
    return response.status_code, find_error(json.loads(response.content or "null"))


def send_raw(port: int, request: bytes) -> tuple[int, dict[str, str], bytes]:
    """Send the bytes and close the sending side. Returns the status, the headers and the body of the response."""
    with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        with suppress(OSError):  # the server may respond before everything is sent
            connection.sendall(request)
            connection.shutdown(socket.SHUT_WR)
        response = http.client.HTTPResponse(connection)
        response.begin()
        return response.status, dict(response.getheaders()), response.read()
