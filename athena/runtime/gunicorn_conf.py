"""How gunicorn serves Athena, with `make run` and in containers.

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

os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(settings.METRICS_DIR)  # read when the library is first imported

bind = healthcheck.format_address(*healthcheck.listen_address())
workers = environment.number("WEB_CONCURRENCY", 2, most=256)
threads = environment.number("WEB_THREADS", 8, most=256)
control_socket_disable = True
loglevel = settings.LOG_LEVEL.lower()
graceful_timeout = environment.number("WEB_GRACE_SECONDS", 5, least=0, most=3600)
# Longer than a gateway keeps an idle connection, so that it is never the server who closes one that is being used.
keepalive = 75
# Only TRUSTED_HOPS decides which proxies are believed (`athena.http.client_address`), not a request's origin.
forwarded_allow_ips = ""
forwarder_headers = ""
secure_scheme_headers: dict[str, str] = {}

_READ_SECONDS = environment.number("WEB_READ_SECONDS", 10, most=3600)


class Worker(ThreadWorker):  # type: ignore[misc]
    """Waits for no client longer than it should, and ends without cutting anybody off.

    When told to end, it answers whoever has connected by then and refuses everybody after that. A gateway takes a
    refused connection elsewhere. Left in the queue, as gunicorn has it, they would be cut off in the end with their
    requests sent, which no gateway may send again where they write.
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
        kept = super().handle(conn)
        if kept is False:  # gunicorn would wait in its main thread, for all to see, until the client hangs up
            conn.close(graceful=True)
            conn.close = lambda graceful=False: None
        return kept

    def handle_request(self, req: Any, conn: Any) -> Any:
        try:
            return super().handle_request(req, conn)
        except TimeoutError:
            self.log.info("A client did not take its answer.")
            return False


worker_class = Worker


class Logger(GunicornLogger):  # type: ignore[misc]
    """Gunicorn's own lines, in the form of all others and without secrets."""

    def setup(self, cfg: Any) -> None:
        super().setup(cfg)
        for handler in (*self.error_log.handlers, *self.access_log.handlers):
            handler.setFormatter(logs.Formatter(pretty=settings.DEBUG))


logger_class = Logger


def on_starting(server: Any) -> None:
    """Begin to count anew: the files are those of processes that are gone."""
    shutil.rmtree(settings.METRICS_DIR, ignore_errors=True)
    settings.METRICS_DIR.mkdir(parents=True)


def child_exit(server: Any, worker: Any) -> None:
    from prometheus_client import multiprocess

    multiprocess.mark_process_dead(worker.pid, str(settings.METRICS_DIR))  # type: ignore[no-untyped-call]
