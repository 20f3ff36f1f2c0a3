"""Fuzzes the parsers with hypothesis: a body is stored or refused, and never causes a 500 or the loss of its batch.

`make test-fuzz` runs the same targets for longer, guided by coverage. FUZZ_EXAMPLES sets the number of examples here.
"""

import os

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz import request_bodies, targets

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "60"))
modest = settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    derandomize="FUZZ_EXAMPLES" not in os.environ,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@modest
@given(request_bodies.json_bodies)
def test_otlp_json_is_stored_or_refused(body: bytes) -> None:
    targets.otlp_json_rows(body)


@modest
@given(request_bodies.protobuf_bodies())
def test_otlp_protobuf_is_stored_or_refused(body: bytes) -> None:
    targets.otlp_protobuf_rows(body)


@modest
@given(request_bodies.sdk_bodies)
def test_bodies_of_the_agents_sdk_are_stored_or_refused(body: bytes) -> None:
    targets.agents_sdk_rows(body)


@modest
@given(request_bodies.trace_bodies)
def test_json_traces_are_stored_or_refused(body: bytes) -> None:
    targets.json_trace_rows(body)


@modest
@given(st.binary(max_size=200))
def test_random_bytes_are_stored_or_refused(body: bytes) -> None:
    for target in targets.TARGETS.values():
        target(body)
