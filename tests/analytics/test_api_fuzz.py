"""schemathesis believes the OpenAPI document: requests made from it, valid and broken ones, on the product itself.

FUZZ_CASES says how many for each operation: a few by default, `make test-api-fuzz` makes 100, and tries every boundary
of every schema in turn where FUZZ_BOUNDARIES is set.
"""

import os
from collections.abc import Iterator
from typing import Any

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

# A bad item does not cost its neighbours: what the schema forbids is answered with 200 and its reasons.
PARTLY_TAKEN = {"/api/v1/traces", "/v1/traces/ingest"}

schemathesis.openapi.media_type("application/x-protobuf", st.just(ExportTraceServiceRequest().SerializeToString()))
schema = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", app=get_wsgi_application())
# Thousands of requests.
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
        say_what_schemas_cannot(case)
    checks = [negative_data_rejection] if case.operation.path in PARTLY_TAKEN else []
    case.call_and_validate(headers={"Authorization": key["Authorization"]}, excluded_checks=checks)


def say_what_schemas_cannot(case: Any) -> None:
    """A window is one of two kinds and not endless; money has two decimals."""
    query, body = case.query or {}, case.body
    if {"range", "start", "end"} & set(query):
        for name in ("start", "end", "granularity"):
            query.pop(name, None)
        query["range"] = "24h"
    if isinstance(body, dict):
        for name in ("monthly_limit_usd", "alert_threshold_percentage"):
            if isinstance(body.get(name), float):
                body[name] = max(round(body[name], 2), 0.01)


@pytest.fixture
def key() -> Iterator[dict[str, str]]:
    """As Django's test client does: the test's transaction outlasts its requests."""
    key, secret = an_api_key("read", "write", "ingest")
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield {"Authorization": f"Bearer {secret}", "X-Workspace-ID": str(key.workspace_id)}
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)
