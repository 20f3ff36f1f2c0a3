"""What docs/clients.md tells users of SDKs and of the collector fits the limits of the product."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.conf import settings

from tests.ingest.captures import STACKS, as_captured, expected

CLIENTS = (Path(__file__).resolve().parents[2] / "docs/clients.md").read_text()
TABLES = re.findall(r"(?:^\|.*\n)+", CLIENTS, re.MULTILINE)
OF_STACKS = [table for table in TABLES if table.startswith("| Stack |")]
NO_GAP = "no gap known"
ROWS_OF_CAPTURES = {
    "litellm": "LiteLLM",
    "litellm-merged": "LiteLLM merged into",
    "logfire": "Logfire",
    "openai-agents": "OpenAI Agents with OpenInference",
    "openai-agents-genai": "OpenAI Agents with OpenTelemetry",
    "openai-agents-native": "OpenAI Agents alone",
    "openlit": "OpenLIT",
    "openllmetry": "OpenLLMetry",
    "pydantic-ai": "Pydantic AI",
}


def configurations() -> list[dict[str, Any]]:
    """Returns the configurations of the collector: the indented blocks that begin with receivers."""
    blocks = re.findall(r"(?:^(?: {4}.*)?\n)+", CLIENTS, re.MULTILINE)
    return [yaml.safe_load(block) for block in blocks if block.strip().startswith("receivers:")]


def cells(table: str) -> list[list[str]]:
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in table.splitlines()]


def test_the_collector_sends_no_more_than_a_request_may_hold() -> None:
    [configuration] = configurations()
    batch = configuration["processors"]["batch"]
    assert batch["send_batch_size"] <= batch["send_batch_max_size"] <= settings.MAX_SPANS_PER_REQUEST
    bodies = [request.plain for stack in STACKS for request in as_captured(stack) if request.is_trace]
    spans = sum(expected(stack)["spans"] for stack in STACKS)
    bytes_per_span = sum(map(len, bodies)) / spans
    # Three times as large as those of the captures, the spans of a batch still fit.
    assert batch["send_batch_max_size"] * bytes_per_span * 3 <= settings.MAX_BODY_BYTES


def test_the_collector_has_todays_exporter_in_its_pipeline() -> None:
    [configuration] = configurations()
    [exporter] = configuration["exporters"]
    pipeline = configuration["service"]["pipelines"]["traces"]
    assert exporter == "otlp_http"
    assert pipeline == {"receivers": ["otlp"], "processors": ["batch"], "exporters": [exporter]}
    assert set(configuration["exporters"][exporter]) == {"endpoint", "headers", "compression"}


def test_the_limits_are_those_of_the_product() -> None:
    [limits] = re.findall(r"\*\*Limits\*\*: (\d+) MiB and ([\d,]+) spans", CLIENTS)
    assert limits == (str(settings.MAX_BODY_BYTES // 1024**2), f"{settings.MAX_SPANS_PER_REQUEST:,}")


def test_the_lines_for_every_client_choose_http() -> None:
    [first, to_paste] = re.findall(r"(?:^ {4}export OTEL_.*\n)+", CLIENTS, re.MULTILINE)
    for lines in (first, to_paste):
        assert "OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf\n" in lines
    assert (first.count("\n"), to_paste.count("\n")) == (5, 4)


@pytest.mark.parametrize("table", OF_STACKS, ids=lambda table: cells(table)[2][0])
def test_every_row_of_a_client_lists_the_data_it_does_not_send(table: str) -> None:
    headings, _, *rows = cells(table)
    assert headings[-1].startswith("Does not send")
    assert all(len(row) == len(headings) and row[-1].strip("| ") for row in rows)


@pytest.mark.parametrize("stack", ROWS_OF_CAPTURES)
def test_the_gaps_of_a_capture_are_told(stack: str) -> None:
    rows = [row for table in OF_STACKS for row in cells(table)]
    [row] = [row for row in rows if re.match(re.escape(ROWS_OF_CAPTURES[stack]) + r"( the|$)", row[0])]
    assert NO_GAP not in row[-1]


def test_captures_with_gaps_are_all_checked() -> None:
    assert {stack for stack in STACKS if expected(stack)["gaps"]} == set(ROWS_OF_CAPTURES)
