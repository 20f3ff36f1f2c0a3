"""Measures what traces take on disk, with and without their contents: each table, index and kind of sums.

python -m benchmarks.disk --traces 100000
python -m benchmarks.disk --traces 100000 --shape rich
python -m benchmarks.disk --traces 20000 --checkout ../older

A trace is an agent run with one model call: two spans, as the GenAI conventions write them. The call has the agent's
instructions (600 characters), a question (250) and an answer (650) of English prose, and the run has question and
answer too. The shape `rich` has ten spans: a run, five calls and four tools. 8 agents with 5 models serve 2,000 users
in sessions of five traces with one agent; they come within `--days`, in the order of time.

They are sent as OTLP bodies of 100 spans through the decoder, the mapping and the writer. Then the background jobs run
that sum behind the writers, and VACUUM. Sizes are those of the files. Where `--traces` is less than 100,000, less time
is measured, and the total of 100,000 is computed from the size of each trace.

`--checkout` measures the code of another folder by the same bodies, and `--server` another PostgreSQL than the embedded
one, such as one with lz4: give one kind of content at a time, each an empty database.
"""

import argparse
import json
import os
import random
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from benchmarks.text_tables import machine, table

ROOT = Path(__file__).resolve().parent.parent
TRACES = 100_000
LIMITS_MB = {True: 300, False: 120}
"""With content, and without."""
AGENTS, USERS, TRACES_OF_SESSION, SPANS_OF_BODY = 8, 2_000, 5, 100
INSTRUCTIONS, QUESTION, ANSWER, RESULT = 600, 250, 650, 200
"""Characters."""
MODELS = (
    ("openai", "gpt-4o-mini", "gpt-4o-mini-2024-07-18"),
    ("openai", "gpt-4o", "gpt-4o-2024-08-06"),
    ("anthropic", "claude-sonnet-4-5", "claude-sonnet-4-5-20250929"),
    ("anthropic", "claude-haiku-4-5", "claude-haiku-4-5-20251001"),
    ("gcp.gemini", "gemini-2.5-flash", "gemini-2.5-flash"),
)
SIZES = """
SELECT
    relation.oid::regclass::text AS name,
    owner.relname AS table_name,
    relation.relkind AS kind,
    pg_relation_size(relation.oid, 'main') + pg_relation_size(relation.oid, 'fsm')
        + pg_relation_size(relation.oid, 'vm') AS bytes
FROM pg_class AS relation
LEFT JOIN pg_index ON indexrelid = relation.oid
LEFT JOIN pg_class AS toasted ON toasted.reltoastrelid = coalesce(indrelid, relation.oid)
JOIN pg_class AS owner ON owner.oid = coalesce(toasted.oid, indrelid, relation.oid)
WHERE owner.relnamespace = 'public'::regnamespace AND relation.relkind IN ('r', 'i', 't')
"""
GROUPS = {"traces": "rows", "trace_totals": "lists", "session_summaries": "lists"}
"""The tables that hold no sums, by what they hold."""


class Prose:
    """Draws English sentences from the documents of this repository."""

    def __init__(self, draw: random.Random) -> None:
        text = " ".join(path.read_text() for path in sorted((ROOT / "docs").glob("*.md")))
        found = re.findall(r"[A-Z][a-z][^|`#*\[\]{}<>]{40,200}?[.?](?= )", " ".join(text.split()))
        self.sentences, self.draw = sorted(set(found)), draw

    def of(self, characters: int) -> str:
        """Returns about as many characters, between the half and one and a half times as many."""
        wanted, text = characters * self.draw.uniform(0.5, 1.5), ""
        while len(text) < wanted:
            text += self.draw.choice(self.sentences) + " "
        return text[: int(wanted)].strip()


class Agents:
    """Makes spans of agents as OTLP bodies, always the same."""

    def __init__(self, has_content: bool, options: argparse.Namespace) -> None:
        self.draw = random.Random(26)  # noqa: S311
        self.prose = Prose(self.draw)
        self.instructions = [self.prose.of(INSTRUCTIONS) for _ in range(AGENTS)]
        self.has_content, self.traces, self.is_rich = has_content, options.traces, options.shape == "rich"
        self.between = timedelta(days=options.days) / TRACES
        self.end = datetime.now(UTC) - timedelta(hours=1)

    def bodies(self) -> Iterator[bytes]:
        spans_of_trace = 10 if self.is_rich else 2
        traces_of_body = SPANS_OF_BODY // spans_of_trace
        for first in range(0, self.traces, traces_of_body):
            numbers = range(first, min(first + traces_of_body, self.traces))
            yield self.body([span for number in numbers for span in self.trace(number)])

    def body(self, spans: list[Any]) -> bytes:
        from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
        from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans

        resource_spans = ResourceSpans()
        resource_spans.resource.attributes.extend(
            pairs({"service.name": "support-desk", "deployment.environment.name": "production"})
        )
        scope_spans = ScopeSpans(spans=spans)
        scope_spans.scope.name = "opentelemetry.instrumentation.genai.openai"
        resource_spans.scope_spans.append(scope_spans)
        return ExportTraceServiceRequest(resource_spans=[resource_spans]).SerializeToString()

    def trace(self, number: int) -> list[Any]:
        draw, session = self.draw, number // TRACES_OF_SESSION
        agent, user = session * 7 % AGENTS, session * 31 % USERS
        started = self.end - self.between * (self.traces - number)
        trace_id, root = draw.randbytes(16), draw.randbytes(8)
        said = self.prose.of(QUESTION), self.prose.of(ANSWER)
        run = {
            "gen_ai.operation.name": "invoke_agent",
            "gen_ai.agent.name": f"agent-{agent}",
            "gen_ai.conversation.id": f"session-{session:08}",
            "user.id": f"user-{user:05}",
            **self.messages(*said),
        }
        ids = trace_id, root
        spans = [self.span(ids, b"", f"invoke_agent agent-{agent}", started, run)]
        for step in range(9 if self.is_rich else 1):
            began = started + timedelta(milliseconds=40 + 400 * step)
            said = said if step == 0 else (self.prose.of(RESULT), self.prose.of(ANSWER))
            name, values = self.call(agent, said) if step % 2 == 0 else self.tool()
            spans.append(self.span((trace_id, draw.randbytes(8)), root, name, began, values))
        return spans[::-1]

    def call(self, agent: int, said: tuple[str, str]) -> tuple[str, dict[str, Any]]:
        draw = self.draw
        provider, requested, used = MODELS[(agent + draw.randrange(2)) % len(MODELS)]
        values: dict[str, Any] = {
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": provider,
            "gen_ai.request.model": requested,
            "gen_ai.response.model": used,
            "gen_ai.response.id": f"chatcmpl-{draw.randbytes(14).hex()}",
            "gen_ai.response.finish_reasons": "stop",
            "gen_ai.usage.input_tokens": draw.randrange(200, 4000),
            "gen_ai.usage.output_tokens": draw.randrange(20, 500),
            "gen_ai.usage.cache_read.input_tokens": draw.randrange(100),
            "gen_ai.request.temperature": "0.2",
            "server.address": "api.openai.com",
            "server.port": 443,
        }
        if self.has_content:
            values["gen_ai.system_instructions"] = json.dumps(text_parts(self.instructions[agent]))
        return f"chat {requested}", values | self.messages(*said)

    def tool(self) -> tuple[str, dict[str, Any]]:
        values = {
            "gen_ai.operation.name": "execute_tool",
            "gen_ai.tool.name": "search",
            "gen_ai.tool.call.id": f"call_{self.draw.randbytes(12).hex()}",
        }
        if self.has_content:
            values["gen_ai.tool.call.arguments"] = json.dumps({"query": self.prose.of(60)})
            values["gen_ai.tool.call.result"] = self.prose.of(RESULT)
        return "execute_tool search", values

    def messages(self, question: str, answer: str) -> dict[str, str]:
        if not self.has_content:
            return {}
        asked = [{"role": "user", "parts": text_parts(question)}]
        answered = [{"role": "assistant", "parts": text_parts(answer), "finish_reason": "stop"}]
        return {"gen_ai.input.messages": json.dumps(asked), "gen_ai.output.messages": json.dumps(answered)}

    def span(
        self, ids: tuple[bytes, bytes], parent: bytes, name: str, started: datetime, values: dict[str, Any]
    ) -> Any:
        from opentelemetry.proto.trace.v1.trace_pb2 import Span

        start_ns = int(started.timestamp() * 1e6) * 1000
        return Span(
            trace_id=ids[0],
            span_id=ids[1],
            parent_span_id=parent,
            name=name,
            start_time_unix_nano=start_ns,
            end_time_unix_nano=start_ns + int(self.draw.lognormvariate(7, 0.7) * 1e6),
            attributes=pairs(values),
        )


def text_parts(text: str) -> list[dict[str, str]]:
    return [{"type": "text", "content": text}]


def pairs(values: dict[str, Any]) -> list[Any]:
    from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue

    return [
        KeyValue(key=key, value=AnyValue(**{"string_value" if isinstance(value, str) else "int_value": value}))
        for key, value in values.items()
    ]


@contextmanager
def product(checkout: Path, server: str | None) -> Iterator[None]:
    """Sets up the product of the folder on a new PostgreSQL. The traces are in the database `server`, if given."""
    sys.path.insert(0, str(checkout))
    import django
    from django.db import connections

    from observability.launcher import embedded

    with tempfile.TemporaryDirectory() as directory, embedded.running(data := Path(directory) / "postgres"):
        for name in ("observability", "observability_analytics"):
            embedded.create_database(name, data)
        os.environ |= {
            "ENVIRONMENT": "development",
            "DATABASE_URL": embedded.url("observability", data),
            "ANALYTICS_DATABASE_URL": server or embedded.url("observability_analytics", data),
            "DJANGO_SETTINGS_MODULE": "observability.settings",
            "REDIS_URL": "",
            "STATEMENT_TIMEOUT_MS": "0",
        }
        for database in ("default", "analytics"):
            command = [sys.executable, "manage.py", "migrate", "--database", database, "--verbosity", "0"]
            subprocess.run(command, cwd=checkout, check=True)  # noqa: S603
        django.setup()
        try:
            yield
        finally:
            opened: Sequence[Any] = connections.all()
            for connection in opened:
                connection.close()
                connection.close_pool()


def store(bodies: Iterator[bytes]) -> tuple[int, float]:
    """Stores the bodies. Returns the number of spans, and the seconds that decoding and storing took."""
    from ingest.formats import otlp_protobuf
    from ingest.store import store_spans
    from workspaces.models import Workspace

    workspace = Workspace.objects.create(name="Benchmark")
    spans, seconds = 0, 0.0
    for body in bodies:
        began = time.perf_counter()
        spans += store_spans(workspace, otlp_protobuf.decode(body)).accepted
        seconds += time.perf_counter() - began
    return spans, seconds


def sum_behind() -> None:
    """Does what the worker does behind the writers, until nothing is left, and VACUUM."""
    from django.db import connections

    from traces import engines, session_summaries, trace_totals

    now = datetime.now(UTC)
    engines.current().close_hours(now)
    engines.current().follow(now)
    # One run ends after half a minute.
    while trace_totals.workspaces_behind(now - trace_totals.LAG) or session_summaries.workspaces_behind(
        now - session_summaries.LAG
    ):
        engines.current().follow(now)
    with connections["analytics"].cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")


def sizes() -> list[dict[str, Any]]:
    from django.db import connections

    with connections["analytics"].cursor() as cursor:
        cursor.execute(SIZES)
        names = [column.name for column in cursor.description]
        found = [dict(zip(names, values, strict=True)) for values in cursor.fetchall()]
    return sorted((line for line in found if line["bytes"]), key=lambda line: -line["bytes"])


def part_of(line: dict[str, Any]) -> str:
    """Returns what the relation is: a table, an index or the TOAST of large values."""
    if "pg_toast" in line["name"]:
        return f"{line['table_name']}: TOAST"
    return line["name"] if line["kind"] == "i" else f"{line['table_name']}: table"


def group_of(line: dict[str, Any]) -> str:
    table_name = line["table_name"]
    if table_name == "traces":
        return "rows, indexes" if line["kind"] == "i" and "pg_toast" not in line["name"] else "rows, table"
    return GROUPS.get(table_name, "sums" if re.search("_(minutely|hourly|daily|weekly)$", table_name) else "others")


def by_group(lines: Sequence[dict[str, Any]]) -> dict[str, int]:
    groups: dict[str, int] = {}
    for line in lines:
        groups[group_of(line)] = groups.get(group_of(line), 0) + line["bytes"]
    return groups


def by_rollup(lines: Sequence[dict[str, Any]]) -> dict[str, int]:
    tables: dict[str, int] = {}
    for line in lines:
        if group_of(line) == "sums":
            tables[line["table_name"]] = tables.get(line["table_name"], 0) + line["bytes"]
    return dict(sorted(tables.items(), key=lambda entry: -entry[1]))


def report(lines: Sequence[dict[str, Any]], spans: int, options: argparse.Namespace, has_content: bool) -> str:
    total = sum(line["bytes"] for line in lines)
    parts = [(part_of(line), line["bytes"]) for line in lines if group_of(line) != "sums"]
    sums = list(by_rollup(lines).items())
    sections = (list(by_group(lines).items()), parts[: options.most], sums[: options.most])
    cells = [line_of(name, size, spans) for section in sections for name, size in section]
    at_all = total * TRACES / options.traces
    kind = "measured" if options.traces == TRACES else f"computed from {options.traces:,}"
    return "\n".join(
        (
            table(("part", "MB", "bytes a span"), [*cells, line_of("total", total, spans)], options.markdown),
            f"{TRACES:,} traces ({kind}): {at_all / 1e6:,.0f} MB, limit {LIMITS_MB[has_content]} MB "
            f"{'with' if has_content else 'without'} content; {total / options.traces:,.0f} bytes a trace",
        )
    )


def line_of(name: str, size: int, spans: int) -> tuple[str, str, str]:
    return name, f"{size / 1e6:,.1f}", f"{size / spans:,.0f}"


def measure(options: argparse.Namespace) -> None:
    has_content = options.content == "with"
    with product(options.checkout.resolve(), options.server):
        agents = Agents(has_content, options)
        spans, seconds = store(agents.bodies())
        sum_behind()
        lines = sizes()
        print(f"\n{options.traces:,} traces, {spans:,} spans, {options.content} content, {options.shape}; {machine()}")
        print(f"decoded and stored in {seconds:,.0f} s: {seconds / spans * 1e6:,.0f} µs a span")
        print(report(lines, spans, options, has_content), flush=True)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.disk", description=__doc__)
    parser.add_argument("--traces", type=int, default=TRACES)
    parser.add_argument("--days", type=float, default=1, help="in how many days 100,000 traces come")
    parser.add_argument("--shape", choices=("plain", "rich"), default="plain")
    parser.add_argument("--content", choices=("with", "without", "both"), default="both")
    parser.add_argument("--checkout", type=Path, default=ROOT, help="the folder of the code to measure")
    parser.add_argument("--server", help="postgres://… of an empty database for the traces")
    parser.add_argument("--most", type=int, default=12, help="how many parts and rollups to list")
    parser.add_argument("--markdown", action="store_true", help="tables for a document")
    return parser.parse_args()


def main() -> None:
    options = arguments()
    if options.content != "both":
        measure(options)
        return
    # Django's settings are read once in a process.
    for content in ("with", "without"):
        subprocess.run([sys.executable, "-m", "benchmarks.disk", *sys.argv[1:], "--content", content], check=True)  # noqa: S603


if __name__ == "__main__":
    main()
