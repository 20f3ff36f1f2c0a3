import os
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest

from observability.launcher.demo import batches, fill, scores_of, wait_until_served
from observability.launcher.lock import locked
from tests.tenant import Tenant
from traces.row import Row


def test_make_demo_starts_without_settings_in_its_environment() -> None:
    environment = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
    started = subprocess.run(
        [sys.executable, "-c", "import observability.launcher.demo"], env=environment, capture_output=True, text=True
    )
    assert started.returncode == 0, started.stderr


@pytest.fixture(scope="module")
def a_day() -> list[Row]:
    return [row for _, rows in batches(datetime(2026, 11, 25, 23, tzinfo=UTC), 1) for row in rows]


@pytest.mark.django_db(databases="__all__")
def test_the_demo_shows_costs_by_class_and_scores(tenant: Tenant) -> None:
    fill(tenant.workspace.id, datetime.now(UTC), days=1)
    for row in tenant.ask("cost/by-model", range="24h")["data"]:
        by_class = row["cost_by_class"]
        assert min(by_class[name] for name in ("input", "output", "cache_read")) > 0
        assert by_class["other"] == 0
        assert row["unpriced_calls"] == 0
    names = {score["name"] for score in tenant.ask("scores", range="24h")["data"]}
    assert names == {"helpful", "answer quality"}


def test_every_day_of_the_demo_is_the_same_at_each_run(a_day: list[Row]) -> None:
    again = [row for _, rows in batches(datetime(2026, 11, 25, 23, tzinfo=UTC), 1) for row in rows]
    assert again == a_day
    assert list(map(list, map(scores_of, again))) == list(map(list, map(scores_of, a_day)))


def test_the_demo_waits_while_the_product_starts(tmp_path: Path) -> None:
    path = tmp_path / "run.lock"
    with socket.socket() as server, ThreadPoolExecutor() as pool:
        server.bind(("127.0.0.1", 0))
        with locked(path, f"http://127.0.0.1:{server.getsockname()[1]}"):
            waiting = pool.submit(wait_until_served, path)
            with pytest.raises(TimeoutError):
                waiting.result(0.3)
            server.listen()
            assert waiting.result(10)
        assert not wait_until_served(path)
