"""How gunicorn serves Athena (`gunicorn --config python:athena.web athena.wsgi`), here and in containers."""

import os
import shutil
from select import select
from typing import Any

from gunicorn.workers.gthread import ThreadWorker

from athena import env, probe, settings

os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(settings.METRICS_DIR)  # read when the library is first imported

bind = probe.authority(*probe.address())
workers = env.number("WEB_CONCURRENCY", 2, most=256)
threads = env.number("WEB_THREADS", 8, most=256)
control_socket_disable = True
loglevel = settings.LOG_LEVEL.lower()
graceful_timeout = env.number("WEB_GRACE_SECONDS", 5, least=0, most=3600)
# Longer than a gateway keeps an idle connection, so that it is never the server who closes one that is being used.
keepalive = 75


class Worker(ThreadWorker):  # type: ignore[misc]
    """When told to end, answers whoever has connected by then and refuses everybody after that.

    A gateway takes a refused connection elsewhere. Left in the queue, as gunicorn has it, they would be cut off in the
    end with their requests sent, which no gateway may send again where they write.
    """

    def set_accept_enabled(self, enabled: bool) -> None:
        super().set_accept_enabled(enabled)
        if not self.alive:
            for listener in self.sockets:
                while select([listener], [], [], 0)[0]:
                    self.accept(listener)
                listener.close()


worker_class = Worker


def on_starting(server: Any) -> None:
    """Begin to count anew: the files are those of processes that are gone."""
    shutil.rmtree(settings.METRICS_DIR, ignore_errors=True)
    settings.METRICS_DIR.mkdir(parents=True)


def child_exit(server: Any, worker: Any) -> None:
    from prometheus_client import multiprocess

    multiprocess.mark_process_dead(worker.pid, str(settings.METRICS_DIR))  # type: ignore[no-untyped-call]
