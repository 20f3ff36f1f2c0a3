from typing import Any

import pytest

pytest.importorskip("duckdb", reason="the benchmarks' packages are not installed")

from benchmarks import data

TRACES = 3_000


@pytest.fixture(scope="module")
def rows() -> list[tuple[Any, ...]]:
    with data.duckdb_connection() as connection:
        return connection.execute(
            f"SELECT environment, release, labels, tool, operation, first_token_ms, latency_ms, session_id, span_id "
            f"FROM ({data.generated(TRACES * data.SPANS_OF_TRACE)}) ORDER BY timestamp, span_id"
        ).fetchall()


def test_the_rows_are_the_same_at_each_run(rows: list[tuple[Any, ...]]) -> None:
    with data.duckdb_connection() as connection:
        [again] = connection.execute(
            f"SELECT count(*), bit_xor(hash(generated)) FROM ({data.generated(10_000)}) AS generated"
        ).fetchall()
        [once] = connection.execute(
            f"SELECT count(*), bit_xor(hash(generated)) FROM ({data.generated(10_000)}) AS generated"
        ).fetchall()
    assert again == once
    assert once[0] == 10_000
    assert len(rows) == TRACES * data.SPANS_OF_TRACE


def test_environments_releases_and_labels_have_their_shares(rows: list[tuple[Any, ...]]) -> None:
    share = {name: sum(row[0] == name for row in rows) / len(rows) for name in ("production", "staging", "dev")}
    assert share["production"] == pytest.approx(0.85, abs=0.03)
    assert share["staging"] == pytest.approx(0.12, abs=0.03)
    assert {row[1] for row in rows} == {"1.1.0", "1.2.0", "1.3.0", "1.4.0"}
    labels = [row[2] for row in rows]
    assert all(label.startswith('{"customer": "customer-') for label in labels)
    assert 100 < len({label.split('"')[3] for label in labels}) <= data.CUSTOMERS
    assert len({label.split('"')[7] for label in labels}) == data.FEATURES


def test_tools_are_those_of_tool_calls_and_first_tokens_come_before_the_end(rows: list[tuple[Any, ...]]) -> None:
    assert all((tool is not None) == (operation == "execute_tool") for _, _, _, tool, operation, *_ in rows)
    assert len({row[3] for row in rows if row[3]}) == 12
    timed = [row for row in rows if row[5] is not None]
    assert 0.4 < len(timed) / len(rows) < 0.5
    assert all(0 < row[5] < row[6] for row in timed)
