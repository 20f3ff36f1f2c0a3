import json
from argparse import Namespace
from typing import Any

import pytest

from benchmarks.disk import Agents, Prose
from ingest.attribute_names import is_content
from ingest.formats import otlp_protobuf
from ingest.spans import Span

TRACES = 50


def spans(shape: str = "plain", has_content: bool = True) -> list[Span]:
    agents = Agents(has_content, Namespace(traces=TRACES, days=1, shape=shape))
    return [span for body in agents.bodies() for span in otlp_protobuf.decode(body).spans]


@pytest.mark.parametrize(("shape", "spans_of_trace"), [("plain", 2), ("rich", 10)])
def test_each_trace_has_one_run_and_the_spans_of_its_shape(shape: str, spans_of_trace: int) -> None:
    found = spans(shape)
    assert len({span.trace_id for span in found}) == TRACES
    assert len(found) == TRACES * spans_of_trace
    assert sum(span.parent_span_id is None for span in found) == TRACES


def test_contents_are_the_json_that_the_conventions_say() -> None:
    texts: list[Any] = [span.attributes["gen_ai.output.messages"] for span in spans()]
    assert {json.loads(text)[0]["role"] for text in texts} == {"assistant"}


def test_without_content_no_attribute_holds_any() -> None:
    found = spans("rich", has_content=False)
    assert not [name for span in found for name in span.attributes if is_content(name)]


def test_the_spans_are_the_same_at_each_run() -> None:
    assert [(span.span_id, span.attributes) for span in spans()] == [
        (span.span_id, span.attributes) for span in spans()
    ]


def test_prose_is_as_long_as_wanted_on_average() -> None:
    agents = Agents(True, Namespace(traces=1, days=1, shape="plain"))
    prose = Prose(agents.draw)
    lengths = [len(prose.of(400)) for _ in range(200)]
    assert 360 < sum(lengths) / len(lengths) < 440
