"""Sends valid and broken requests that schemathesis makes from the OpenAPI document.

FUZZ_CASES is the number of requests for each operation: a few by default, 100 in `make test-api-fuzz`. With
FUZZ_BOUNDARIES it also tries every boundary of every schema.
"""

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from schemathesis.core.parameters import ParameterLocation
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import negative_data_rejection

from tests.factories import an_api_key

pytestmark = pytest.mark.django_db(databases="__all__")

IS_ON_DEMAND = "FUZZ_CASES" in os.environ
CASES = int(os.environ.get("FUZZ_CASES", "5"))

# They store the good items of a body and refuse the bad ones: a body that the schema forbids can get a 200.
PARTLY_TAKEN = {"/api/v1/traces", "/api/v1/scores", "/v1/traces/ingest", "/api/public/scores"}

schemathesis.openapi.media_type("application/x-protobuf", st.just(ExportTraceServiceRequest().SerializeToString()))
schema = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", app=get_wsgi_application())
# The boundaries are thousands of requests.
schema.config.phases.coverage.enabled = "FUZZ_BOUNDARIES" in os.environ


@schema.parametrize()
@settings(
    max_examples=CASES,
    deadline=None,
    database=None,
    derandomize=not IS_ON_DEMAND,
    suppress_health_check=list(HealthCheck),
)
def test_every_answer_is_one_that_the_document_declares(case: Any, key: dict[str, str]) -> None:
    headers = case.meta.components.get(ParameterLocation.HEADER)
    if headers is None or headers.mode is GenerationMode.POSITIVE:
        case.headers["X-Workspace-ID"] = key["X-Workspace-ID"]
    if case.meta.generation.mode is GenerationMode.POSITIVE:
        obey_rules_beyond_the_schema(case)
    checks = [negative_data_rejection] if case.operation.path in PARTLY_TAKEN else []
    case.call_and_validate(headers={"Authorization": key["Authorization"]}, excluded_checks=checks)


def obey_rules_of_experiments(body: dict[str, Any]) -> None:
    """Gives it slices and measures that differ, and a start and an end that are near."""
    body.pop("started_at", None)
    if isinstance(body.get("end"), dict):
        body["end"].pop("at", None)
    if "slices" in body:
        body["slices"] = [{"dimension": "model", "value": name} for name in ("gpt-4o", "o3")]
        body.get("filters", {}).pop("model", None)
    if "measures" in body:
        body["measures"] = ["error_rate"]


def obey_rules_of_annotations(body: dict[str, Any]) -> None:
    """Makes a start and an end of now, and labels and texts that no pattern describes."""
    body |= {"from": datetime.now(UTC).isoformat(), "until": (datetime.now(UTC) + timedelta(days=1)).isoformat()}
    if "label" in body:
        body["label"] = "release 2.0"  # the languages of patterns differ in what is blank
    filters = body.get("filters") or {}
    for name in [name for name in filters if name.startswith("label.")]:
        filters["label.customer"] = ["acme"]  # its bytes are counted
        if name != "label.customer":
            filters.pop(name)


def obey_rules_beyond_the_schema(case: Any) -> None:
    """Makes a window that is allowed, a zone, money with two decimals, the first page, and spans and scores of now."""
    query, body = case.query or {}, case.body
    query.pop("cursor", None)
    if isinstance(query.get("limit_usd"), int | float):
        query["limit_usd"] = round(query["limit_usd"], 2)
    if "zone" in query:
        query["zone"] = "Asia/Kathmandu"
    if case.operation.path == "/api/v1/insights/compare":
        for name in [f"{place}{part}" for place in "abcd" for part in ("", "_start", "_end")]:
            query.pop(name, None)
        query["by"] = "model"
    if case.operation.path == "/api/v1/insights/changes" and "by" in query:
        query["by"] = "label.customer"  # bytes are counted, and users have fewer measures
    if case.operation.path.startswith("/api/v1/insights/annotations") and isinstance(body, dict):
        obey_rules_of_annotations(body)
    if case.operation.path.startswith("/api/v1/insights/experiments") and isinstance(body, dict):
        obey_rules_of_experiments(body)
    if case.operation.path == "/api/v1/query":
        query |= {"measures": "calls,p95_latency_ms", "by": "label.customer,model", "order": "-calls"}
    for name in [name for name in query if name.startswith(("label.", "not_label."))]:
        query.pop(name)  # its bytes are counted, and the schema can only count characters
        query["label.customer"] = "acme"
    for name in [name for name in query if name.startswith(("from_label.", "from_not_label."))]:
        query.pop(name)
        query["from_label.customer"] = "acme"
    if case.operation.path == "/api/v1/scores" and isinstance(body, dict):
        for score in body.get("scores", [body]):
            score |= {"trace_id": "t", "name": "helpful", "value": 1, "source": "api"}
            score.pop("timestamp", None)
    if case.operation.path == "/api/v1/traces" and isinstance(body, dict):
        for item in body.get("traces", [body]):
            item.pop("timestamp", None)
    if case.operation.path == "/api/v1/settings/labels" and isinstance(body, dict):
        body |= {"attribute": uuid4().hex, "label": "customer"}
    if case.operation.path.startswith("/api/v1/settings/prices") and isinstance(body, dict):
        obey_rules_of_prices(body)
    if case.operation.path.startswith("/api/v1/budgets") and isinstance(body, dict):
        obey_rules_of_budgets(body)
    if case.operation.path == "/api/v1/cost/invoices" and isinstance(body, dict):
        body |= {"provider": "openai", "csv": f"day,model,usd\n2026-11-01,{uuid4().hex},1.5\n", "file_name": "x.csv"}
        body.pop("columns", None)
    if case.operation.path == "/api/v1/insights/savings/decisions" and isinstance(body, dict):
        body |= {"state": "dismissed", "reason": "it is wanted"}  # what was not found cannot be done
    if case.operation.path.startswith("/api/v1/alerts/channels") and isinstance(body, dict):
        obey_rules_of_channels(body)
    if case.operation.path.startswith("/api/v1/alerts/rules") and isinstance(body, dict):
        obey_rules_of_rules(body)
    if case.operation.path.startswith("/api/v1/dashboards") and isinstance(body, dict):
        obey_rules_of_dashboards(body)
    if case.operation.path == "/v1/traces/ingest" and isinstance(body, dict):
        body["data"] = [{"object": "trace", "id": "trace_1"}]
    if case.operation.path.startswith("/api/v1/exports/"):
        for name in [name for name in query if name.startswith("after_")]:
            query.pop(name)  # they name one row together
    if case.operation.path.startswith("/api/v1/reports") and isinstance(body, dict):
        obey_rules_of_schedules(body)
    if case.operation.path.startswith("/api/v1/reports/") and "{" not in case.operation.path:
        query.pop("period", None)  # beside a window it is refused
        query["agent_id"] = "support"  # a statement is about one
        case.query = query
    for name in ("before_start", "before_end"):
        query.pop(name, None)  # one without the other is refused, and the window before is the default
    if case.operation.path == "/api/v1/settings/audit":
        for name in ("start", "end"):
            query.pop(name, None)  # it has no range
    if {"range", "start", "end"} & set(query):
        for name in ("start", "end", "granularity"):
            query.pop(name, None)
        query["range"] = "24h"
    if isinstance(body, dict):
        for name in ("monthly_limit_usd", "alert_threshold_percentage"):
            if isinstance(body.get(name), float):
                body[name] = max(round(body[name], 2), 0.01)


def obey_rules_of_prices(body: dict[str, Any]) -> None:
    """Makes a price of a model that has none yet, from now on, and a time of now whose calls are priced again."""
    for name in ("provider", "valid_from", "to"):
        body.pop(name, None)
    if "valid_until" in body:
        body["valid_until"] = None
    if "model_pattern" in body:
        body["model_pattern"] = uuid4().hex
    if "from" in body:
        body["from"] = (datetime.now(UTC) - timedelta(days=1)).isoformat()


def obey_rules_of_budgets(body: dict[str, Any]) -> None:
    """Makes amounts with two decimals, thresholds with one amount each, dates in their order, and an end tomorrow."""
    if isinstance(body.get("amount_usd"), float):
        body["amount_usd"] = max(round(body["amount_usd"] % 1e9, 2), 0.01)
    if "thresholds" in body:
        body["thresholds"] = [{"percent": 50, "severity": "info"}]
    if isinstance(body.get("period"), dict) and "from" in body["period"]:
        body["period"] = {"from": "2026-01-01", "to": "2026-02-01"}
    for name in ("name", "reason"):
        if name in body:
            body[name] = "a name or reason"  # the languages of patterns differ in what is blank
    for name in ("per", "scope"):
        body.pop(name, None)  # bytes of labels are counted, and the schema can only count characters
    if "until" in body:
        body["until"] = (datetime.now(UTC) + timedelta(days=1)).isoformat()


def obey_rules_of_schedules(body: dict[str, Any]) -> None:
    """Makes a report of a kind that there is, for nobody: its members and channels would have to exist."""
    for name in ("per", "filters", "recipients", "options"):
        body.pop(name, None)
    if "kind" in body:
        body["kind"] = "usage"
    if "name" in body:
        body["name"] = "Usage"  # the languages of patterns differ in what is blank
    body.pop("id", None)


def obey_rules_of_channels(body: dict[str, Any]) -> None:
    """Makes a channel of a name that no other has, with the settings of its kind."""
    if "name" in body:
        body["name"] = uuid4().hex
    if "kind" in body:
        body |= {"kind": "ntfy", "settings": {"topic": "a-topic"}}
    else:
        body.pop("settings", None)


def obey_rules_of_dashboards(body: dict[str, Any]) -> None:
    """Makes a document, or a panel, whose parts fit together, and that a key may make."""
    usual = {"panels": [], "filters": {}, "variables": [], "range": {"range": "7d"}, "name": "a name"}
    usual |= {"kind": "number", "measures": ["calls"], "by": [], "order": None, "place": None, "granularity": None}
    body |= {name: value for name, value in usual.items() if name in body}
    if "visibility" in body:
        body["visibility"] = "workspace"
    if "kind" in body:
        body["measures"] = ["calls"]


def obey_rules_of_rules(body: dict[str, Any]) -> None:
    """Makes a rule whose metric, window and limits fit together, for channels that there are."""
    for name in ("per", "filters", "channels", "muted_until", "critical"):
        body.pop(name, None)
    usual = {"metric": "cost_usd", "window": "1h", "comparison": "above", "warning": 10}
    body |= {name: value for name, value in usual.items() if name in body or name == "warning"}
    if "name" in body:
        body["name"] = "a name"  # the languages of patterns differ in what is blank


@pytest.fixture
def key() -> Iterator[dict[str, str]]:
    """Makes an API key. As with Django's test client, the test's transaction goes on after each request."""
    key, secret = an_api_key("read", "write", "ingest")
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield {"Authorization": f"Bearer {secret}", "X-Workspace-ID": str(key.workspace_id)}
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)
