"""The configuration of gunicorn, which serves Athena with `make run` and in containers.

`gunicorn --config python:athena.runtime.gunicorn_conf athena.wsgi`
"""

import os
import shutil
from select import select
from typing import Any

from gunicorn.glogging import Logger as GunicornLogger
from gunicorn.workers.gthread import ThreadWorker

from athena import settings
from athena.config import environment
from athena.runtime import healthcheck, logs, request_reader

os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(
    settings.METRICS_DIR
)  # prometheus_client reads it when it is first imported

bind = healthcheck.format_address(*healthcheck.listen_address())
workers = environment.number("WEB_CONCURRENCY", 2, maximum=256)
threads = environment.number("WEB_THREADS", 8, maximum=256)
control_socket_disable = True
loglevel = settings.LOG_LEVEL.lower()
graceful_timeout = environment.number("WEB_GRACE_SECONDS", 5, minimum=0, maximum=3600)
# Longer than a gateway keeps an idle connection, so that the server never closes one that is in use.
keepalive = 75
# TRUSTED_HOPS alone decides which proxies are trusted (`athena.http.client_address`).
forwarded_allow_ips = ""
forwarder_headers = ""
secure_scheme_headers: dict[str, str] = {}

_READ_SECONDS = environment.number("WEB_READ_SECONDS", 10, maximum=3600)


class Worker(ThreadWorker):  # type: ignore[misc]
    """A thread worker that limits how long it waits for a client, and that shuts down without dropping requests.

    On shutdown it answers everyone who has connected by then and refuses new connections, which a gateway then sends
    to another server. Gunicorn's own worker leaves them in the queue and drops them after their requests were sent; a
    gateway may not send such a request again if it writes.
    """

    def set_accept_enabled(self, enabled: bool) -> None:
        super().set_accept_enabled(enabled)
        if not self.alive:
            for listener in self.sockets:
                while select([listener], [], [], 0)[0]:
                    self.accept(listener)
                listener.close()

    def handle(self, conn: Any) -> Any:
        if conn.parser is None:
            conn.parser = request_reader.TimedParser(conn.cfg, conn.sock, conn.client, _READ_SECONDS)
        keep_open = super().handle(conn)
        if keep_open is False:  # gunicorn would block its main thread until the client hangs up
            conn.close(graceful=True)
            conn.close = lambda graceful=False: None
        return keep_open

    def handle_request(self, req: Any, conn: Any) -> Any:
        try:
            return super().handle_request(req, conn)
        except TimeoutError:
            self.log.info("A client did not read its response.")
            return False


worker_class = Worker


class Logger(GunicornLogger):  # type: ignore[misc]
    """Formats gunicorn's own log lines like all others, without secrets."""

    def setup(self, cfg: Any) -> None:
        super().setup(cfg)
        for handler in (*self.error_log.handlers, *self.access_log.handlers):
            handler.setFormatter(logs.Formatter(pretty=settings.DEBUG))


logger_class = Logger


def on_starting(server: Any) -> None:
    """Reset the counters: the files belong to processes that have ended."""
    shutil.rmtree(settings.METRICS_DIR, ignore_errors=True)
    settings.METRICS_DIR.mkdir(parents=True)


def child_exit(server: Any, worker: Any) -> None:
    from prometheus_client import multiprocess

    multiprocess.mark_process_dead(worker.pid, str(settings.METRICS_DIR))  # type: ignore[no-untyped-call]
