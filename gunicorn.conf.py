"""Configures the web server of `make run` and of the container. The environment sets the number of workers."""

import atexit
import gc
import os
import resource
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from observability import variables
from web import logs, malloc, metrics_folder, shared_memory

env = variables.read()

wsgi_app = "observability.wsgi"
bind = env.BIND
workers = env.WEB_WORKERS
worker_class = "web.worker.Worker"
threads = env.WEB_THREADS
# Above this the connection that has waited longest for a request is closed. Each takes a file; others are left for
# databases, the cache and counts.
worker_connections = max(threads + 1, min(1000, resource.getrlimit(resource.RLIMIT_NOFILE)[0] - 200))
timeout = 30
graceful_timeout = 20
keepalive = 30
# The most that gunicorn allows: four filters may have 256 characters each. A longer URL gets a 414.
limit_request_line = 8190
# No header tells the server whether a request is https, or which part of the path belongs to a proxy: BEHIND_PROXY
# alone decides that. Otherwise gunicorn believes the headers of a proxy on this machine.
secure_scheme_headers: dict[str, str] = {}
forwarder_headers = ""
# Heartbeats are files in memory: a worker must not be killed because a disk is slow.
worker_tmp_dir = str(shared_memory.FOLDER) if shared_memory.has_room() else None
# With it a thread would wait until the client has read a file.
sendfile = False
accesslog = None
logconfig_dict = logs.logging_config(env.LOG_LEVEL, env.LOG_JSON, env.ENVIRONMENT == "production")
control_socket_disable = True
# Python's default is 5 ms: a thread that has its result from the database waits this long for each thread that parses,
# and meanwhile others wait for its row locks. With this value four clients store a third more spans a second.
sys.setswitchinterval(0.0005)
malloc.give_memory_back()

# Workers write their counts here, and /metrics adds them up. Only this user may open the folder, and nobody can make it
# before. The master's process id is in its name: a reload keeps it, and an upgrade that starts a second master gets
# another one. prometheus-client reads the variable when it is imported, so it is set here, before.
metrics_directory = Path(os.environ.get("PROMETHEUS_MULTIPROC_DIR", ""))
if not metrics_folder.is_of_this_process(metrics_directory):
    metrics_directory = metrics_folder.make(Path(worker_tmp_dir or tempfile.gettempdir()))
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(metrics_directory)


def on_starting(server: Any) -> None:
    if worker_tmp_dir is None and shared_memory.FOLDER.is_dir():
        server.log.warning(shared_memory.warning(tempfile.gettempdir()))


def pre_fork(server: Any, worker: Any) -> None:
    # The garbage collector of a worker writes into all objects that it looks at: the pages would no longer be shared.
    gc.freeze()


def post_worker_init(worker: Any) -> None:
    # What was loaded stays: the garbage collector does not look at it again.
    gc.freeze()


def child_exit(server: Any, worker: Any) -> None:
    from prometheus_client import multiprocess

    multiprocess.mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]


def remove_metrics(master: int = os.getpid()) -> None:
    # Workers inherit this function.
    if os.getpid() == master:
        shutil.rmtree(metrics_directory, ignore_errors=True)


# Also where the start fails, which gunicorn has no hook for.
atexit.register(remove_metrics)
