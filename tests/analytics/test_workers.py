"""Four worker processes on one Redis and the same databases."""

import http.client
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from threading import Semaphore
from typing import Any
from uuid import UUID

import pytest
from django.db import connections
from django.test import Client

from budgets.models import Budget
from tests.factories import UserFactory, WorkspaceFactory
from tests.redis_server import RedisServer
from tests.servers import database_url, free_port
from tests.tenant import a_row
from traces import writer

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")

ROOT = Path(__file__).resolve().parents[2]
OPEN = UUID("00000000-0000-0000-0000-00000000000a")
BACKEND = "django.contrib.auth.backends.ModelBackend"
BUDGET, OVERVIEW = "/api/v1/cost/budget", "/api/v1/cost/overview?range=30d"


class Worker:
    def __init__(self, redis: RedisServer) -> None:
        self.port = free_port()
        environment = os.environ | {
            "BIND": f"127.0.0.1:{self.port}",
            "WEB_WORKERS": "1",
            "DATABASE_URL": database_url("default"),
            "ANALYTICS_DATABASE_URL": database_url("analytics"),
            "REDIS_URL": redis.url,
            "OPEN_WORKSPACE_IDS": str(OPEN),
            "DJANGO_SETTINGS_MODULE": "observability.settings",
        }
        self.process = subprocess.Popen([sys.executable, "-m", "gunicorn"], cwd=ROOT, env=environment)

    def until_it_serves(self) -> None:
        for _ in range(600):
            assert self.process.poll() is None
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.05)
        raise AssertionError("the worker did not start")

    def ask(self, path: str, method: str = "GET", body: Any = None) -> http.client.HTTPResponse:
        headers = {"X-Workspace-ID": str(OPEN), "Content-Type": "application/json"}
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        connection.request(method, path, None if body is None else json.dumps(body), headers)
        response = connection.getresponse()
        response.content = response.read()  # type: ignore[attr-defined]
        connection.close()
        return response

    def answer(self, path: str) -> Any:
        response = self.ask(path)
        assert response.status == 200
        return json.loads(response.content)  # type: ignore[attr-defined]


@pytest.fixture(scope="module")
def started(django_db_setup: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Worker]]:
    with ExitStack() as stack:
        redis = RedisServer(tmp_path_factory.mktemp("redis"))
        stack.callback(redis.stop)
        workers = [Worker(redis) for _ in range(4)]
        stack.callback(stop, workers)
        for worker in workers:
            worker.until_it_serves()
        yield workers


def stop(workers: list[Worker]) -> None:
    for worker in workers:
        worker.process.terminate()
    for worker in workers:
        worker.process.wait()


@pytest.fixture
def workers(started: list[Worker]) -> list[Worker]:
    WorkspaceFactory(id=OPEN)
    return started


def limits(workers: list[Worker]) -> list[float]:
    return [
        limit
        for worker in workers
        for limit in (worker.answer(BUDGET)["monthly_limit_usd"], worker.answer(OVERVIEW)["budget_limit_usd"])
    ]


def test_a_new_budget_is_effective_in_every_worker_at_once(workers: list[Worker]) -> None:
    Budget.objects.create(is_workspace_budget=True, workspace_id=OPEN, amount_usd=1000)
    assert limits(workers) == [1000.0] * 8
    for number, worker in enumerate(workers):
        response = worker.ask(BUDGET, "PUT", {"monthly_limit_usd": 2000 + number})
        assert response.status == 200
        assert limits(workers) == [2000.0 + number] * 8

    admin = Client()
    admin.force_login(UserFactory(is_staff=True, is_superuser=True), backend=BACKEND)
    budget = Budget.objects.get(workspace_id=OPEN)
    form = {"amount_usd": "7", "alert_threshold_percentage": "80"}
    inline = {"changes-TOTAL_FORMS": 0, "changes-INITIAL_FORMS": 0}
    assert admin.post(f"/admin/budgets/budget/{budget.pk}/change/", form | inline).status_code == 302
    assert limits(workers) == [7.0] * 8


def test_100_cold_requests_at_once_compute_at_most_twice(workers: list[Worker]) -> None:
    writer.store(OPEN, [a_row()])
    path = "/api/v1/performance/latency?range=7d"
    with ThreadPoolExecutor(100) as many, connections["analytics"].cursor() as cursor:
        # A worker that computes waits for this lock, so all requests have been sent before the first is answered.
        cursor.execute("BEGIN")
        cursor.execute("LOCK TABLE traces IN ACCESS EXCLUSIVE MODE")
        sent = Semaphore(0)

        def ask(number: int) -> Any:
            sent.release()
            return workers[number % 4].ask(path)

        pending = [many.submit(ask, number) for number in range(100)]
        assert all(sent.acquire(timeout=10) for _ in range(100))
        until_somebody_waits(cursor)
        cursor.execute("ROLLBACK")
        responses = [future.result() for future in pending]
    assert [response.status for response in responses] == [200] * 100
    assert len({response.content for response in responses}) == 1  # type: ignore[attr-defined]
    assert 1 <= sum(response.headers["X-Cache"] == "miss" for response in responses) <= 2


def until_somebody_waits(cursor: Any) -> None:
    for _ in range(600):
        cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'traces'::regclass")
        if cursor.fetchone()[0]:
            return
        time.sleep(0.02)
    raise AssertionError("no worker computes")
