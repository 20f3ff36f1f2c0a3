"""Hypothesis at the parsers: bodies of every kind are stored or refused, and never cause a 500 or cost their batch.

`make test-fuzz` runs the same targets for longer, guided by coverage. FUZZ_EXAMPLES sets the number of examples here.
"""

import os

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz import given_bodies, targets

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "60"))
modest = settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    derandomize="FUZZ_EXAMPLES" not in os.environ,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@modest
@given(given_bodies.json_bodies)
def test_otlp_json(body: bytes) -> None:
    targets.otlp_json_rows(body)


@modest
@given(given_bodies.protobuf_bodies())
def test_otlp_protobuf(body: bytes) -> None:
    targets.otlp_protobuf_rows(body)


@modest
@given(given_bodies.sdk_bodies)
def test_agents_sdk(body: bytes) -> None:
    targets.agents_sdk_rows(body)


@modest
@given(given_bodies.trace_bodies)
def test_json_traces(body: bytes) -> None:
    targets.json_trace_rows(body)


@modest
@given(st.binary(max_size=200))
def test_bodies_of_noise(body: bytes) -> None:
    for target in targets.TARGETS.values():
        target(body)
