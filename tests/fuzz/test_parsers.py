"""Hypothesis at the parsers: bodies of every kind are stored or refused, never a 500 and never a poisoned batch.

`make test-fuzz` runs the same targets longer and with coverage as a guide. FUZZ_EXAMPLES raises the counts here.
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
    targets.otlp_json(body)


@modest
@given(given_bodies.protobuf_bodies())
def test_otlp_protobuf(body: bytes) -> None:
    targets.otlp_protobuf(body)


@modest
@given(given_bodies.sdk_bodies)
def test_agents_sdk(body: bytes) -> None:
    targets.agents_sdk_json(body)


@modest
@given(given_bodies.trace_bodies)
def test_json_traces(body: bytes) -> None:
    targets.json_traces(body)


@modest
@given(st.binary(max_size=200))
def test_bodies_of_noise(body: bytes) -> None:
    for target in targets.TARGETS.values():
        target(body)
