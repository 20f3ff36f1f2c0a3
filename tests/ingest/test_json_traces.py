import gzip
import itertools
import json
import zlib
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connections
from django.test import Client

from tests.tenant import Tenant, iso
from traces.db import rows

pytestmark = pytest.mark.django_db(databases="__all__")


def post(tenant: Tenant, body: Any, **headers: str) -> tuple[int, Any]:
    response = tenant.client.post(
        "/api/v1/traces",
        body if isinstance(body, (str, bytes)) else json.dumps(body),
        content_type="application/json",
        headers=headers,
    )
    return response.status_code, response.json()


def stored(tenant: Tenant) -> list[dict[str, Any]]:
    return rows(
        "SELECT * FROM traces WHERE workspace_id = %(workspace_id)s ORDER BY agent_id, span_id",
        {"workspace_id": tenant.workspace.id},
    )


def test_only_the_agent_is_required(tenant: Tenant) -> None:
    before = datetime.now(UTC)
    assert post(tenant, {"agent_id": "support"}) == (
        200,
        {"accepted": 1, "updated": 0, "duplicates": 0, "rejected": []},
    )
    [row] = stored(tenant)
    assert before <= row["timestamp"] <= datetime.now(UTC)
    assert (row["operation"], row["status"], row["cost_usd"]) == ("chat", "success", None)
    assert (len(row["trace_id"]), len(row["span_id"])) == (32, 16)


def test_every_field_is_stored(tenant: Tenant) -> None:
    item = {
        "agent_id": "support",
        "timestamp": iso(datetime.now(UTC) - timedelta(days=1)),
        "trace_id": "t",
        "span_id": "s",
        "parent_span_id": "p",
        "operation": "embeddings",
        "name": "embed",
        "provider": "openai",
        "model": "text-embedding-3-small",
        "user_id": "ada",
        "session_id": "monday",
        "status": "timeout",
        "error_type": "timeout",
        "error_message": "too slow",
        "latency_ms": 12.5,
        "first_token_ms": 3.5,
        "environment": "staging",
        "release": "42",
        "input_tokens": 10,
        "output_tokens": 0,
        "cache_read_tokens": 1,
        "cache_write_tokens": 2,
        "reasoning_tokens": 3,
        "cost_usd": 0.1,
        "attributes": {"a": [1, "x", None, True]},
    }
    assert post(tenant, item)[1]["accepted"] == 1
    [row] = stored(tenant)
    assert str(row["cost_usd"]) == "0.1"
    assert row["cost_source"] == "reported"
    assert json.loads(row.pop("attributes")) == item.pop("attributes")
    assert iso(row["timestamp"]) == item["timestamp"]
    for name in set(item) - {"timestamp", "cost_usd"}:
        assert row[name] == item[name], name


def test_a_batch_is_stored_and_a_repeat_is_counted_as_duplicate(tenant: Tenant) -> None:
    moment = iso(datetime.now(UTC))
    batch = [{"agent_id": "a", "trace_id": "t", "span_id": str(n), "timestamp": moment} for n in range(3)]
    assert post(tenant, {"traces": batch})[1] == {"accepted": 3, "updated": 0, "duplicates": 0, "rejected": []}
    assert post(tenant, {"traces": batch})[1] == {"accepted": 0, "updated": 0, "duplicates": 3, "rejected": []}
    assert post(tenant, {"traces": batch + batch[:1]})[1]["duplicates"] == 4
    assert len(stored(tenant)) == 3


def test_the_sums_of_an_agent_run_are_attributes_and_never_count(tenant: Tenant) -> None:
    post(tenant, {"agent_id": "a", "operation": "invoke_agent", "input_tokens": 5, "cost_usd": 0.5})
    [row] = stored(tenant)
    assert (row["input_tokens"], row["cost_usd"]) == (None, None)
    assert json.loads(row["attributes"]) == {"input_tokens": 5, "cost_usd": 0.5}


FAR = iso(datetime.now(UTC) + timedelta(hours=2))
LONG_AGO = iso(datetime.now(UTC) - timedelta(days=401))

REFUSED = [
    ("{}", ["agent_id"], "required"),
    ('{"agent_id": ""}', ["agent_id"], "blank"),
    ('{"agent_id": 5}', ["agent_id"], "valid string"),
    ('{"agent_id": "a", "tokens": 5}', ["tokens"], "unknown field"),
    ('{"agent_id": "a", "timestamp": "yesterday"}', ["timestamp"], "ISO 8601"),
    ('{"agent_id": "a", "timestamp": "2026-11-20T10:00:00"}', ["timestamp"], "offset"),
    ('{"agent_id": "a", "timestamp": 1700000000}', ["timestamp"], "ISO 8601"),
    ('{"agent_id": "a", "timestamp": "0001-01-01T00:00:00+14:00"}', ["timestamp"], "last 400 days"),
    (f'{{"agent_id": "a", "timestamp": "{FAR}"}}', ["timestamp"], "1 hour ahead"),
    (f'{{"agent_id": "a", "timestamp": "{LONG_AGO}"}}', ["timestamp"], "last 400 days"),
    ('{"agent_id": "a", "operation": "chatting"}', ["operation"], "'chat'"),
    ('{"agent_id": "a", "status": "ok"}', ["status"], "'success'"),
    ('{"agent_id": "a", "latency_ms": -1}', ["latency_ms"], "greater than or equal to 0"),
    ('{"agent_id": "a", "latency_ms": NaN}', ["latency_ms"], "finite"),
    ('{"agent_id": "a", "latency_ms": 1e400}', ["latency_ms"], "finite"),
    ('{"agent_id": "a", "latency_ms": 1e13}', ["latency_ms"], "less than"),
    ('{"agent_id": "a", "latency_ms": "5"}', ["latency_ms"], "number"),
    ('{"agent_id": "a", "first_token_ms": -1}', ["first_token_ms"], "greater than or equal to 0"),
    ('{"agent_id": "a", "first_token_ms": 1e9}', ["first_token_ms"], "less than"),
    ('{"agent_id": "a", "first_token_ms": "5"}', ["first_token_ms"], "number"),
    ('{"agent_id": "a", "environment": 5}', ["environment"], "valid string"),
    ('{"agent_id": "a", "release": 42}', ["release"], "valid string"),
    ('{"agent_id": "a", "tool": "search"}', ["tool"], "operation execute_tool"),
    ('{"agent_id": "a", "labels": "acme"}', ["labels"], "dictionary"),
    ('{"agent_id": "a", "labels": {"seats": 5}}', ["labels"], "'seats' must be a text"),
    ('{"agent_id": "a", "labels": {" ": "x"}}', ["labels"], "no name of a label"),
    (f'{{"agent_id": "a", "labels": {{"x": "{"é" * 129}"}}}}', ["labels"], "'x' is too long: at most 256 bytes"),
    (f'{{"agent_id": "a", "labels": {{"{"y" * 257}": "x"}}}}', ["labels"], "is too long: at most 256 bytes"),
    (json.dumps({"agent_id": "a", "labels": {str(n): "x" for n in range(17)}}), ["labels"], "at most 16 labels"),
    ('{"agent_id": "a", "input_tokens": -1}', ["input_tokens"], "greater than or equal to 0"),
    ('{"agent_id": "a", "input_tokens": 1000000000001}', ["input_tokens"], "less than"),
    ('{"agent_id": "a", "input_tokens": 99999999999999999999999}', ["input_tokens"], "1000000000"),
    ('{"agent_id": "a", "input_tokens": 1e22}', ["input_tokens"], "1000000000"),
    ('{"agent_id": "a", "input_tokens": 1.5}', ["input_tokens"], "integer"),
    ('{"agent_id": "a", "input_tokens": true}', ["input_tokens"], "integer"),
    ('{"agent_id": "a", "cost_usd": -0.01}', ["cost_usd"], "greater than or equal to 0"),
    ('{"agent_id": "a", "cost_usd": Infinity}', ["cost_usd"], "finite"),
    ('{"agent_id": "a", "attributes": {"x": NaN}}', ["attributes"], "NaN"),
    ('{"agent_id": "a", "attributes": []}', ["attributes"], "dictionary"),
    (
        '{"agent_id": "a", "attributes": ' + '{"a":' * 70 + "1" + "}" * 70 + "}",
        ["attributes"],
        "nested deeper",
    ),
    ("5", [], "JSON object"),
    ("null", [], "JSON object"),
]


@pytest.mark.parametrize(("item", "loc", "words"), REFUSED, ids=range(len(REFUSED)))
def test_a_bad_item_is_refused_by_index_and_its_neighbours_are_stored(
    tenant: Tenant, item: str, loc: list[str], words: str
) -> None:
    body = f'{{"traces": [{{"agent_id": "before"}}, {item}, {{"agent_id": "behind"}}]}}'
    status, answer = post(tenant, body)
    assert (status, answer["accepted"]) == (200, 2)
    [rejected] = answer["rejected"]
    assert rejected["index"] == 1
    [error] = rejected["errors"]
    assert error["loc"] == loc
    assert words in error["msg"]
    assert [row["agent_id"] for row in stored(tenant)] == ["before", "behind"]


def test_an_item_is_refused_with_all_reasons_at_once(tenant: Tenant) -> None:
    _, answer = post(tenant, {"status": "ok", "latency_ms": -1})
    [rejected] = answer["rejected"]
    assert [error["loc"] for error in rejected["errors"]] == [["agent_id"], ["status"], ["latency_ms"]]


def test_text_that_cannot_be_stored_is_replaced(tenant: Tenant) -> None:
    body = '{"agent_id": "a\\u0000b", "name": "\\ud800x", "attributes": {"k\\u0000": ["\\udfff"]}}'
    assert post(tenant, body)[1]["accepted"] == 1
    [row] = stored(tenant)
    assert (row["agent_id"], row["name"]) == ("a\ufffdb", "\ufffdx")
    assert json.loads(row["attributes"]) == {"k\ufffd": ["\ufffd"]}


def test_texts_that_are_too_long_are_cut_and_stay_different(tenant: Tenant) -> None:
    post(tenant, {"traces": [{"agent_id": "a" * 1000 + end, "error_message": "e" * 9000} for end in "xy"]})
    first, second = stored(tenant)
    assert first["agent_id"] != second["agent_id"]
    assert len(first["agent_id"]) == 256
    assert "…[cut " in first["agent_id"]
    assert len(first["error_message"]) == 8192


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        (" ", 400, "not JSON"),
        ("{", 400, "not JSON"),
        ("[" * 100_000, 400, "nested deeper than 128 levels"),
        ("[]", 400, "one JSON object"),
        ('{"traces": {}}', 400, "one JSON object"),
        ('{"traces": [], "agent_id": "a"}', 400, "one JSON object"),
        (b"\xff\xfe{}", 400, "not JSON"),
    ],
)
def test_an_unreadable_body_is_refused_whole(tenant: Tenant, body: Any, status: int, words: str) -> None:
    answered, problem = post(tenant, body)
    assert (answered, problem["status"]) == (status, status)
    assert words in problem["detail"]


def test_more_than_10000_items_are_too_many(tenant: Tenant) -> None:
    status, problem = post(tenant, {"traces": [{"agent_id": "a"}] * 10_001})
    assert status == 413
    assert "10000" in problem["detail"]
    assert stored(tenant) == []


@pytest.mark.parametrize(
    ("encoding", "compress"),
    [
        ("gzip", gzip.compress),
        ("deflate", zlib.compress),
        ("gzip", lambda body: gzip.compress(body[:5]) + gzip.compress(body[5:])),
        ("deflate", lambda body: zlib.compress(body)[2:-4]),
    ],
)
def test_a_compressed_body_is_inflated(tenant: Tenant, encoding: str, compress: Any) -> None:
    body = compress(b'{"agent_id": "a"}')
    assert post(tenant, body, **{"Content-Encoding": encoding})[1]["accepted"] == 1


@pytest.mark.parametrize(
    ("encoding", "body", "status", "words"),
    [
        ("br", b"x", 415, "gzip, deflate"),
        ("gzip", b"not gzip", 400, "not valid gzip"),
        ("gzip", gzip.compress(b'{"agent_id": "a"}' * 99, mtime=0)[:-9], 400, "ended early"),
        ("gzip", gzip.compress(b" " * 9 * 1024 * 1024), 413, "inflates|larger"),
        ("gzip", gzip.compress(b" " * 2 * 1024 * 1024), 413, "inflates"),
    ],
)
def test_a_bad_compressed_body_is_refused(tenant: Tenant, encoding: str, body: bytes, status: int, words: str) -> None:
    answered, problem = post(tenant, body, **{"Content-Encoding": encoding})
    assert answered == status
    assert any(word in problem["detail"] for word in words.split("|"))


def test_a_body_over_8_mib_is_too_large(tenant: Tenant) -> None:
    status, problem = post(tenant, b" " * (8 * 1024 * 1024 + 1))
    assert status == 413
    assert "8 MiB" in problem["detail"]


def test_it_requires_json(tenant: Tenant) -> None:
    response = tenant.client.post("/api/v1/traces", "{}", content_type="text/plain")
    assert response.status_code == 415


@pytest.mark.django_db(databases="__all__", transaction=True)
def test_50_concurrent_posts_of_the_same_100_traces_store_100_rows(tenant: Tenant) -> None:
    moment = iso(datetime.now(UTC))
    batch = [{"agent_id": "a", "trace_id": "t", "span_id": str(n), "timestamp": moment} for n in range(100)]
    body = json.dumps({"traces": batch})

    def deliver(_: int) -> dict[str, int]:
        try:
            answer = Client().post(
                "/api/v1/traces",
                body,
                content_type="application/json",
                headers={"X-Workspace-ID": str(tenant.workspace.id)},
            )
            assert answer.status_code == 200, answer.content
            return answer.json()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(deliver, range(50)))
    assert sum(answer["accepted"] for answer in answers) == 100
    assert sum(answer["duplicates"] for answer in answers) == 4_900
    assert len(stored(tenant)) == 100


# --- Labels and tools ---


def test_labels_are_stored_without_those_that_have_no_value(tenant: Tenant) -> None:
    labels = {"customer": "acme", "feature": None, "team": " ", "region": "undefined"}
    assert post(tenant, {"agent_id": "a", "labels": labels})[1]["accepted"] == 1
    assert post(tenant, {"agent_id": "b", "labels": {"feature": ""}})[1]["accepted"] == 1
    assert sorted((row["agent_id"], row["labels"]) for row in stored(tenant)) == [
        ("a", '{"customer": "acme"}'),
        ("b", None),
    ]


def test_a_tool_call_has_a_tool_which_its_name_is_by_default(tenant: Tenant) -> None:
    call = {"agent_id": "a", "operation": "execute_tool"}
    for item in ({"tool": "search"}, {"name": "fetch"}, {"name": "step 3", "tool": "mail"}, {}):
        assert post(tenant, call | item)[1]["accepted"] == 1
    assert {(row["name"], row["tool"]) for row in stored(tenant)} == {
        *((None, "search"), ("fetch", "fetch"), ("step 3", "mail"), (None, None)),
    }


def test_copies_of_an_item_end_with_all_labels_and_columns_in_every_order(tenant: Tenant) -> None:
    copies: list[dict[str, Any]] = [
        {"labels": {"customer": "acme", "feature": "old"}, "environment": "production", "name": "step"},
        {"labels": {"feature": "checkout"}, "release": "42", "latency_ms": 10.0},
        {"labels": {"team": "blue"}, "tool": "search", "operation": "execute_tool", "latency_ms": 5.0},
    ]
    ids = {"agent_id": "a", "span_id": "s", "timestamp": iso(datetime.now(UTC))}
    orders = list(itertools.permutations(copies))
    for number, order in enumerate(orders):
        for copy in (*order, *order):
            post(tenant, ids | {"trace_id": str(number)} | copy)
    rows = stored(tenant)
    assert len(rows) == len(orders)
    columns = ("environment", "release", "operation", "tool", "name", "latency_ms")
    [values] = {tuple(row[name] for name in columns) for row in rows}
    assert values == ("production", "42", "execute_tool", "search", "step", 10)
    [labels] = {row["labels"] for row in rows}
    assert json.loads(labels) == {"customer": "acme", "feature": "checkout", "team": "blue"}


def test_too_many_labels_of_copies_are_the_same_sixteen_in_every_order(tenant: Tenant) -> None:
    copies = [{"labels": {f"{part}{n:02}": "x" for n in range(10)}} for part in "abc"]
    ids = {"agent_id": "a", "span_id": "s", "timestamp": iso(datetime.now(UTC))}
    for number, order in enumerate(itertools.permutations(copies)):
        for copy in order:
            post(tenant, ids | {"trace_id": str(number)} | copy)
    [labels] = {row["labels"] for row in stored(tenant)}
    assert len(json.loads(labels)) == 16
