"""`make demo`: fills the demo workspace with two months of a company's agents, through the product's own writer.

The random numbers of a day, and so its ids, depend on its date only: a second run stores no span again.
"""

import math
import random
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from observability.env_file import load_env_file
from observability.launcher.environment import prepare_environment
from observability.launcher.exit_code import exit_code
from observability.launcher.first_start import prepare_data, reason_of
from observability.launcher.lock import LOCK, served_at
from observability.launcher.web_server import is_listening
from traces.row import Row, Status
from traces.scores import Score
from workspaces.demo import DEMO_WORKSPACE_ID

DAYS = 61  # the last 30, the 30 before them for comparison, and one more
RUNS_A_DAY = 640
USERS = 500
# A large one, because the sums of an hour are written once for each batch.
BATCH = 10_000


@dataclass(frozen=True)
class Model:
    provider: str
    name: str
    latency_ms: float
    """Median."""


MODELS = [
    Model("openai", "gpt-4o", 1900),
    Model("openai", "gpt-4o-mini", 900),
    Model("openai", "o4-mini", 5200),
    Model("anthropic", "claude-sonnet-4-5", 2600),
    Model("anthropic", "claude-haiku-4-5", 1100),
    Model("anthropic", "claude-opus-4-1", 4800),
    Model("gcp.gemini", "gemini-2.5-pro", 3300),
    Model("gcp.gemini", "gemini-2.5-flash", 800),
]
AGENTS = [
    *("checkout-assistant", "support-triage", "code-reviewer", "sql-analyst", "invoice-reader"),
    *("sales-researcher", "meeting-notes", "release-writer", "fraud-screener", "travel-planner"),
    *("contract-summary", "onboarding-guide", "incident-helper", "data-labeler", "catalog-writer"),
    *("returns-agent", "price-watcher", "translation-desk", "hiring-screener", "test-agent-123"),
]
# As in real companies, a few agents and users do most of the work.
AGENT_WEIGHTS = [1 / (rank + 1) ** 0.8 for rank in range(len(AGENTS))]
USER_WEIGHTS = [1 / (rank + 1) ** 0.7 for rank in range(USERS)]
WEEKDAY_WEIGHTS = [1.1, 1.15, 1.15, 1.1, 1.0, 0.45, 0.4]
HOUR_WEIGHTS = [1.15 - math.cos((hour - 2) / 24 * 2 * math.pi) for hour in range(24)]
TOOLS = ["search_orders", "run_sql", "fetch_page", "send_mail", "read_file"]
ERROR_SHARE, TIMEOUT_SHARE = 0.02, 0.005
ERRORS = {
    "rate_limit": ("429: too many requests, retry after 20 s", 40),
    "overloaded": ("529: the model is overloaded", 22),
    "context_length_exceeded": ("the prompt is longer than the model's context of 128,000 tokens", 14),
    "content_filter": ("the answer was withheld by the content filter", 10),
    "invalid_request": ("tools.0.parameters: expected an object", 8),
    "connection_error": ("connection reset by peer", 6),
}
# Two events to discover: a day on which a loop made one agent's calls expensive, and an afternoon with a slow provider.
SPIKE_DAYS_AGO, SPIKE_AGENT, SPIKE_FACTOR = 6, "sql-analyst", 12
INCIDENT_DAYS_AGO, INCIDENT_HOURS, INCIDENT_PROVIDER, INCIDENT_FACTOR = 3, range(13, 16), "anthropic", 6


def main() -> None:
    load_env_file()
    with ExitStack() as stack:
        prepare_environment(stack, is_served=wait_until_served())
        print("".join(f"{line}\n" for line in prepare_data()), end="")
        fill(UUID(DEMO_WORKSPACE_ID), datetime.now(UTC))
        url = served_at()
        print(f"  Look at it: {url}" if url else "  To look at it, start the web server:  make run")


def wait_until_served(path: Path = LOCK) -> bool:
    """Returns whether `make run` serves. Waits while it starts: both would prepare the same databases at once."""
    while (url := served_at(path)) is not None:
        port = urlsplit(url).port
        if port and is_listening(port):
            return True
        time.sleep(0.1)
    return False


def fill(workspace_id: UUID, now: datetime, days: int = DAYS) -> int:
    """Stores the demo data and returns the number of new spans."""
    # Imported here: they import models, which need the settings that `prepare_data` loads.
    from ingest.store import store_scores
    from prices import pricing
    from traces import writer

    stored = 0
    for done, rows in batches(now, days):
        succeeded = [row for row in rows if row.model and row.status == "success"]
        pricing.price_calls([], [pricing.CallToPrice(row, (row.model or "",)) for row in succeeded])
        stored += writer.store(workspace_id, rows).accepted
        store_scores(workspace_id, [score for row in rows for score in scores_of(row)])
        print(f"\r  {'█' * round(done * 40):<40} {done:4.0%}  {stored:,} new spans", end="", flush=True)
    print("\n  Done." if stored else "\n  Everything was there already.")
    return stored


def batches(now: datetime, days: int) -> Iterator[tuple[float, list[Row]]]:
    """Yields batches of rows, oldest first, each with the share that is done after it."""
    rows: list[Row] = []
    for days_ago in range(days, -1, -1):
        midnight = (now - timedelta(days=days_ago)).replace(hour=0, minute=0, second=0, microsecond=0)
        rows += [row for row in spans_of_day(midnight, days_ago) if now - timedelta(days=days) <= row.timestamp <= now]
        while len(rows) >= BATCH or (rows and days_ago == 0):
            yield (days - days_ago) / days, rows[:BATCH]
            rows = rows[BATCH:]


def spans_of_day(midnight: datetime, days_ago: int) -> Iterator[Row]:
    rng = random.Random(f"{midnight:%Y-%m-%d}")  # noqa: S311 (made-up data)
    for _ in range(round(RUNS_A_DAY * WEEKDAY_WEIGHTS[midnight.weekday()])):
        [hour] = rng.choices(range(24), HOUR_WEIGHTS)
        start = midnight + timedelta(hours=hour, seconds=rng.uniform(0, 3600))
        yield from agent_run(rng, start, days_ago)


def agent_run(rng: random.Random, start: datetime, days_ago: int) -> Iterator[Row]:
    """Yields the model calls and tool calls of a run, one after the other, and then their invoke_agent span."""
    [agent] = rng.choices(AGENTS, AGENT_WEIGHTS)
    index = AGENTS.index(agent)
    # Each agent uses three models, one of them mostly.
    [model] = rng.choices([MODELS[(index + step * 3) % len(MODELS)] for step in range(3)], [70, 20, 10])
    [user] = rng.choices(range(USERS), USER_WEIGHTS)
    shared: dict[str, Any] = {
        "trace_id": f"{rng.getrandbits(128):032x}",
        "agent_id": agent,
        "user_id": f"user-{user:03d}",
        "session_id": f"session-{rng.getrandbits(32):08x}",
    }
    root = f"{rng.getrandbits(64):016x}"
    at = start
    status: Status = "success"
    for turn in range(rng.choices([1, 2, 3, 5], [40, 30, 20, 10])[0]):
        if turn:
            tool = tool_call(rng, at, root, shared)
            yield tool
            at = end_of(tool)
        call = model_call(rng, at, root, shared, model, days_ago)
        yield call
        at = end_of(call)
        status = call.status
        if status != "success":
            break
    yield Row(
        timestamp=start,
        span_id=root,
        operation="invoke_agent",
        name=f"invoke_agent {agent}",
        status=status,
        latency_ms=(at - start) / timedelta(milliseconds=1),
        **shared,
    )


def end_of(row: Row) -> datetime:
    return row.timestamp + timedelta(milliseconds=row.latency_ms or 0)


def tool_call(rng: random.Random, at: datetime, parent: str, shared: dict[str, Any]) -> Row:
    return Row(
        timestamp=at,
        span_id=f"{rng.getrandbits(64):016x}",
        parent_span_id=parent,
        operation="execute_tool",
        name=f"execute_tool {rng.choice(TOOLS)}",
        latency_ms=round(rng.lognormvariate(math.log(120), 0.9), 3),
        **shared,
    )


def model_call(
    rng: random.Random, at: datetime, parent: str, shared: dict[str, Any], model: Model, days_ago: int
) -> Row:
    call = Row(
        timestamp=at,
        span_id=f"{rng.getrandbits(64):016x}",
        parent_span_id=parent,
        operation="chat",
        name=f"chat {model.name}",
        provider=model.provider,
        model=model.name,
        latency_ms=rng.lognormvariate(math.log(model.latency_ms), 0.55),
        **shared,
    )
    if days_ago == INCIDENT_DAYS_AGO and at.hour in INCIDENT_HOURS and model.provider == INCIDENT_PROVIDER:
        call.latency_ms = (call.latency_ms or 0) * INCIDENT_FACTOR
    call.latency_ms = round(call.latency_ms or 0, 3)
    draw = rng.random()
    if draw < TIMEOUT_SHARE:
        call.status, call.error_type, call.latency_ms = "timeout", "timeout", 60_000.0
        call.error_message = "no answer within 60 s"
    elif draw < TIMEOUT_SHARE + ERROR_SHARE:
        kinds = list(ERRORS)
        [call.error_type] = rng.choices(kinds, [ERRORS[kind][1] for kind in kinds])
        call.status, call.error_message = "error", ERRORS[call.error_type][0]
    if call.status == "success":
        add_usage(rng, call, days_ago)
    else:
        call.cost_usd, call.cost_source = Decimal(0), "reported"  # providers charge nothing for these
        call.span_facts = {"reported_cost_usd": "0"}
    return call


def add_usage(rng: random.Random, call: Row, days_ago: int) -> None:
    call.input_tokens = round(rng.lognormvariate(math.log(1800), 0.8))
    if days_ago == SPIKE_DAYS_AGO and call.agent_id == SPIKE_AGENT:
        call.input_tokens *= SPIKE_FACTOR
    call.cache_read_tokens = round(call.input_tokens * rng.choice([0, 0, 0.4, 0.7]))
    call.output_tokens = round(rng.lognormvariate(math.log(260), 0.7))


def scores_of(row: Row) -> Iterator[Score]:
    """Yields what users and an evaluator think of a run: of one in eight whether it helped, of one in four how well."""
    if row.operation != "invoke_agent":
        return
    rng = random.Random(row.span_id)  # noqa: S311 (made-up data)
    is_bad = row.status != "success"
    if rng.random() < 1 / 8:
        yield demo_score(
            row, "helpful", "annotation", category="no" if rng.random() < (0.8 if is_bad else 0.15) else "yes"
        )
    if rng.random() < 1 / 4:
        quality = rng.betavariate(2, 5) if is_bad else rng.betavariate(8, 2)
        yield demo_score(row, "answer quality", "evaluator", number=Decimal(f"{quality:.2f}"))


def demo_score(row: Row, name: str, source: str, **value: Any) -> Score:
    return Score(
        id=f"{row.span_id} {name}",
        timestamp=end_of(row) + timedelta(seconds=20),
        name=name,
        trace_id=row.trace_id,
        session_id=row.session_id,
        source=source,
        **value,
    )


if __name__ == "__main__":
    sys.exit(exit_code(main, reason_of))
