"""How the product is served, by `make run` and in the container alike; the environment says how many workers."""

import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from web import logs

wsgi_app = "observability.wsgi"
bind = os.environ.get("BIND", "127.0.0.1:8000")
# Without REDIS_URL the cache is the process's memory: then one process, or workers would disagree.
workers = int(os.environ.get("WEB_WORKERS", "1"))
worker_class = "web.worker.Worker"
threads = int(os.environ.get("WEB_THREADS", "24"))
timeout = 30
graceful_timeout = 20
keepalive = 30
# The longest there is: four filters of 512 characters each may be asked for. Beyond it 414, as openapi.json says.
limit_request_line = 8190
# Nobody's headers say for the server whether it is https, or which part of the path is not ours: that is settled by
# BEHIND_PROXY alone, also where the proxy runs on this machine, whose word gunicorn would take.
secure_scheme_headers: dict[str, str] = {}
forwarder_headers = ""
# Heartbeats in memory: a worker must not be killed because a disk was slow.
worker_tmp_dir = "/dev/shm" if os.path.isdir("/dev/shm") else None  # noqa: S108, PTH112
accesslog = None
logconfig_dict = logs.config(
    os.environ.get("LOG_LEVEL", ""), os.environ.get("LOG_JSON", ""), os.environ.get("ENVIRONMENT") == "production"
)
control_socket_disable = True
# A thread that has its answer from the database otherwise waits up to 5 ms for each thread that is parsing, while it
# holds the lock that the others wait for: a third more spans a second with four clients.
sys.setswitchinterval(0.0005)

# Where the workers keep their counts, for /metrics to add up. By the master's id: a reload keeps it, an upgrade that
# starts a second master gets its own. prometheus-client looks when it is imported, so this comes before.
metrics_directory = Path(worker_tmp_dir or tempfile.gettempdir()) / f"observability-metrics-{os.getpid()}"
if os.environ.get("PROMETHEUS_MULTIPROC_DIR") != str(metrics_directory):
    shutil.rmtree(metrics_directory, ignore_errors=True)
    metrics_directory.mkdir(mode=0o700)
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(metrics_directory)


def child_exit(server: Any, worker: Any) -> None:
    from prometheus_client import multiprocess

    multiprocess.mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]


def on_exit(server: Any) -> None:
    shutil.rmtree(metrics_directory, ignore_errors=True)
