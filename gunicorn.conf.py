"""How the product is served, by `make run` and in the container alike; the environment says how many workers."""

import os
import sys

wsgi_app = "observability.wsgi"
bind = os.environ.get("BIND", "127.0.0.1:8000")
# Without REDIS_URL the cache is the process's memory: then one process, or workers would disagree.
workers = int(os.environ.get("WEB_WORKERS", "1"))
worker_class = "gthread"
threads = int(os.environ.get("WEB_THREADS", "16"))
timeout = 30
graceful_timeout = 20
keepalive = 30
# Heartbeats in memory: a worker must not be killed because a disk was slow.
worker_tmp_dir = "/dev/shm" if os.path.isdir("/dev/shm") else None  # noqa: S108, PTH112
accesslog = None
loglevel = os.environ.get("LOG_LEVEL", "warning").lower()
control_socket_disable = True
# A thread that has its answer from the database otherwise waits up to 5 ms for each thread that is parsing, while it
# holds the lock that the others wait for: a third more spans a second with four clients.
sys.setswitchinterval(0.0005)
