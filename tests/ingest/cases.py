"""The cases of `tests/cases` as requests of today, and what the product makes of them in the shape of the cases."""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from tests.ingest.stored import calls_of, known_sum, stored
from tests.tenant import NOON, Tenant, iso
from traces.row import Row

CASES = Path(__file__).parent.parent / "cases"
NANOSECONDS = ("startTimeUnixNano", "endTimeUnixNano", "timeUnixNano")
ISO_TIMES = ("timestamp", "startTime", "endTime", "started_at", "ended_at")
MONTHS = {"start": iso(NOON - timedelta(days=60)), "end": iso(NOON + timedelta(hours=12))}
"""A window that holds the spans of every case: all end by NOON, and the longest trace takes weeks."""


@dataclass(frozen=True)
class Case:
    name: str
    requests: list[tuple[str, Any]]
    """The path and the body of each, in the order of the report."""
    right: dict[str, Any] = field(default_factory=dict)


def read(name: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((CASES / f"{name}.json").read_text())
    return content


def field_case(name: str) -> Case:
    """Returns a case with one request, the single span of a single call."""
    content = read(name)
    return moved_to_noon(Case(name, [(content["send_to"], content["body"])], content["right"]))


def ingest_case(name: str) -> Case:
    content = read(f"ingest/{name}")
    requests = [(request["path"], request["body"]) for request in content["requests"]]
    return moved_to_noon(Case(name, requests, content["expected"]))


# --- Times ---


def moved_to_noon(case: Case) -> Case:
    """Moves all times of the case by the same distance, so that its last moment is NOON."""
    bodies = [body for _, body in case.requests]
    distance = int(NOON.timestamp()) * 10**9 - max(moments(bodies))
    return replace(case, requests=[(path, moved(body, distance)) for path, body in case.requests])


def moments(value: Any) -> Iterator[int]:
    if isinstance(value, list):
        for item in value:
            yield from moments(item)
    elif isinstance(value, dict):
        for key, inner in value.items():
            if is_time(key, inner):
                yield nanoseconds(inner)
            else:
                yield from moments(inner)


def moved(value: Any, distance: int) -> Any:
    if isinstance(value, list):
        return [moved(item, distance) for item in value]
    if isinstance(value, dict):
        return {
            key: later(inner, distance) if is_time(key, inner) else moved(inner, distance)
            for key, inner in value.items()
        }
    return value


def is_time(key: str, value: Any) -> bool:
    """Returns whether the value is a time. A span that is still open ends at "0"."""
    return isinstance(value, str) and value != "0" and key in (*NANOSECONDS, *ISO_TIMES)


def nanoseconds(text: str) -> int:
    if text.isdigit():
        return int(text)
    return int(datetime.fromisoformat(text).timestamp() * 10**6) * 1000


def later(text: str, distance: int) -> str:
    if text.isdigit():
        return str(int(text) + distance)
    return (datetime.fromisoformat(text) + timedelta(microseconds=distance / 1000)).isoformat()


# --- Deliveries ---


def span_by_span(requests: list[tuple[str, Any]]) -> list[tuple[str, Any]]:
    """Returns a request for each span, the last span of the last request first."""
    return [(path, single) for path, body in requests[::-1] for single in singles(body)[::-1]]


def singles(body: Any) -> list[Any]:
    if "resourceSpans" not in body:
        return [{"data": [item]} for item in body["data"]]
    return [
        {"resourceSpans": [resource | {"scopeSpans": [scope | {"spans": [span]}]}]}
        for resource in body["resourceSpans"]
        for scope in resource["scopeSpans"]
        for span in scope["spans"]
    ]


DELIVERIES = {
    "as reported": lambda requests: requests,
    "in reverse": lambda requests: requests[::-1],
    "span by span from the end": span_by_span,
    "each twice": lambda requests: [request for request in requests for _ in range(2)],
    "all again in reverse": lambda requests: requests + requests[::-1],
}


def post(tenant: Tenant, path: str, body: Any) -> Any:
    """Sends JSON, and returns the answer of a request that the product accepts in whole."""
    response = tenant.client.post(path, json.dumps(body), content_type="application/json")
    assert response.status_code in (200, 207), (response.status_code, response.content)
    answer = response.json() if response.content else {}
    assert not any(answer.get(word) for word in ("partialSuccess", "rejected", "errors")), answer
    return answer


# --- What the product makes of it ---


def what_is_stored(tenant: Tenant) -> dict[str, Any]:
    """Returns what the stored rows say, in the words of `expected`."""
    rows = stored(tenant.workspace.id)
    calls = calls_of(rows)
    return {
        "calls": len(calls),
        "models": {
            f"{provider or ''}/{model or ''}": of_model([row for row in calls if (row.provider, row.model) == key])
            for key in {(row.provider, row.model) for row in calls}
            for provider, model in [key]
        },
        "operations": dict(Counter(row.operation for row in rows)),
        "statuses": dict(Counter(row.status for row in calls)),
        "users": sorted({str(row.user_id) for row in calls}),
        "sessions": sorted({str(row.session_id) for row in calls}),
        "agents_of_calls": dict(Counter(row.agent_id for row in calls)),
    }


def of_model(calls: list[Row]) -> dict[str, Any]:
    """Returns the sums of a model's calls; None where no call says it."""
    return {
        "calls": len(calls),
        "input": known_sum(row.input_tokens for row in calls),
        "output": known_sum(row.output_tokens for row in calls),
        "cached": known_sum(row.cache_read_tokens for row in calls),
        "cache_write": known_sum(row.cache_write_tokens for row in calls),
        "reasoning": known_sum(row.reasoning_tokens for row in calls),
        "cost": known_sum(row.cost_usd for row in calls),
    }


def with_decimals(expected: dict[str, Any]) -> dict[str, Any]:
    models = {
        name: counts | {"cost": None if counts["cost"] is None else Decimal(counts["cost"])}
        for name, counts in expected.get("models", {}).items()
    }
    return expected | ({"models": models} if "models" in expected else {})


def answered(tenant: Tenant) -> dict[str, Any]:
    """Returns the API's answers in the words of `right`. They add up all models."""
    by_model = tenant.ask("cost/by-model", limit=100, **MONTHS)["data"]
    overview = tenant.ask("cost/overview", **MONTHS)
    return {
        "calls": tenant.ask("usage/overview", **MONTHS)["total_calls"],
        "models": sorted(f"{row['provider'] or ''}/{row['model'] or ''}" for row in by_model),
        "input": sum(row["input_tokens"] for row in by_model),
        "output": sum(row["output_tokens"] for row in by_model),
        "cost": overview["total_spend_usd"],
        "cost_of_models": known_sum(row["cost_usd"] for row in by_model),
        "unpriced": overview["unpriced_calls"],
    }
