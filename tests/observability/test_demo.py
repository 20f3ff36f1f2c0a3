import os
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

import pytest

from observability.launcher.demo import BUDGETS, batches, fill, make_budgets, scores_of, wait_until_served
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


@pytest.fixture(scope="module")
def five_weeks() -> list[Row]:
    return [row for _, rows in batches(datetime(2026, 11, 25, 23, tzinfo=UTC), 36) for row in rows]


@pytest.mark.django_db(databases="__all__")
def test_the_demo_shows_costs_by_class_and_scores(tenant: Tenant) -> None:
    fill(tenant.workspace.id, datetime.now(UTC), days=1)
    for row in tenant.ask("cost/by-model", range="24h")["data"]:
        by_class = row["cost_by_class"]
        assert min(by_class[name] for name in ("input", "output", "cache_read")) > 0
        assert by_class["other"] == 0
        assert row["unpriced_calls"] == 0
    names = {score["name"] for score in tenant.ask("scores", range="7d", limit=100)["data"]}
    assert names == {"helpful", "answer quality"}


@pytest.mark.django_db(databases="__all__")
def test_the_demo_has_budgets_and_a_second_run_makes_no_others(tenant: Tenant) -> None:
    for _ in range(2):
        make_budgets(tenant.workspace.id)
    answer = tenant.client.get("/api/v1/budgets").json()["data"]
    assert len(answer) == len(BUDGETS)
    assert {"user", "label.customer"} < {budget["per"] for budget in answer}


def test_every_day_of_the_demo_is_the_same_at_each_run(a_day: list[Row]) -> None:
    again = [row for _, rows in batches(datetime(2026, 11, 25, 23, tzinfo=UTC), 1) for row in rows]
    assert again == a_day
    assert list(map(list, map(scores_of, again))) == list(map(list, map(scores_of, a_day)))


def test_on_the_next_day_the_demo_makes_the_same_spans_again(a_day: list[Row]) -> None:
    next_day = [row for _, rows in batches(datetime(2026, 11, 26, 23, tzinfo=UTC), 2) for row in rows]
    again = {(row.timestamp, row.trace_id, row.span_id) for row in next_day}
    assert {(row.timestamp, row.trace_id, row.span_id) for row in a_day} <= again


def test_the_demo_has_something_to_find_in_each_dimension(five_weeks: list[Row]) -> None:
    assert {row.environment for row in five_weeks} == {"production", "staging", "dev"}
    assert {row.release for row in five_weeks} == {"1.4.0", "1.5.0", "2.0.0"}
    assert len({(row.labels or {}).get("customer") for row in five_weeks}) == 12 + 1
    assert len({(row.labels or {}).get("feature") for row in five_weeks}) == 6
    assert {row.error_type for row in five_weeks if row.tool} > {None, "connection_error", "syntax_error"}


def test_a_release_of_the_demo_is_cheaper_and_the_next_one_slower_with_a_new_error(five_weeks: list[Row]) -> None:
    releases = [
        [row for row in five_weeks if row.release == name and row.model] for name in ("1.4.0", "1.5.0", "2.0.0")
    ]
    old, cheaper, slower = map(cached_share, releases)
    assert old < 0.15 < 0.3 < min(cheaper, slower)
    old, cheaper, slower = map(median_latency_ms, releases)
    assert max(old, cheaper) * 1.25 < slower
    has_new_error = ["invalid_tool_schema" in {row.error_type for row in rows} for rows in releases]
    assert has_new_error == [False, False, True]


def cached_share(calls: list[Row]) -> float:
    return sum(row.cache_read_tokens or 0 for row in calls) / sum(row.input_tokens or 0 for row in calls)


def median_latency_ms(calls: list[Row]) -> float:
    return median(row.latency_ms or 0 for row in calls)


def test_a_session_of_the_demo_has_several_traces_and_a_trace_is_a_tree(a_day: list[Row]) -> None:
    traces: dict[str, set[str]] = {}
    for row in a_day:
        traces.setdefault(row.session_id or "", set()).add(row.trace_id)
    assert max(map(len, traces.values())) == 5
    spans = {row.span_id: row for row in a_day}
    assert max(depth(row, spans) for row in a_day) == 4
    assert all("gen_ai.input.messages" in row.attributes for row in a_day if row.operation == "invoke_agent")


def depth(row: Row, spans: dict[str, Row]) -> int:
    parent = spans.get(row.parent_span_id or "")
    return 1 + (depth(parent, spans) if parent else 0)


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
