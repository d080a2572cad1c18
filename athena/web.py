"""How gunicorn serves Athena (`gunicorn --config python:athena.web athena.wsgi`), here and in containers."""

import os
import shutil
from typing import Any

import environ

from athena import probe, settings

env = environ.Env()

os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(settings.METRICS_DIR)  # read when the library is first imported

bind = probe.authority(*probe.address())
workers = env.int("WEB_CONCURRENCY", default=2)
threads = env.int("WEB_THREADS", default=8)
worker_class = "gthread"
control_socket_disable = True
loglevel = settings.LOG_LEVEL.lower()
graceful_timeout = env.int("WEB_GRACE_SECONDS", default=5)
# Longer than a gateway keeps an idle connection, so that it is never the server who closes one that is being used.
keepalive = 75


def on_starting(server: Any) -> None:
    """Begin to count anew: the files are those of processes that are gone."""
    shutil.rmtree(settings.METRICS_DIR, ignore_errors=True)
    settings.METRICS_DIR.mkdir(parents=True)


def child_exit(server: Any, worker: Any) -> None:
    from prometheus_client import multiprocess

    multiprocess.mark_process_dead(worker.pid, str(settings.METRICS_DIR))  # type: ignore[no-untyped-call]
