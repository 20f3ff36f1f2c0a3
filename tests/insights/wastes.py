"""Makes a workspace with six wastes, and ten habits that look like a waste and are none."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from ingest.store import store_scores
from prices.pricing import CallToPrice, price_calls
from tests.tenant import a_row
from traces import writer
from traces.row import Row
from traces.scores import Score
from workspaces.models import Workspace

MIDNIGHT = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
PERSON = {"user_id": "ada", "session_id": "s-1"}
SECOND = timedelta(seconds=1)
PROMPT = "gen_ai.input.messages"


def at(days_ago: float, hour: float = 11) -> datetime:
    return MIDNIGHT - timedelta(days=days_ago) + timedelta(hours=hour)


def call(moment: datetime, agent: str, model: str, tokens: tuple[int, int], **values: Any) -> Row:
    """Makes a call with its cost by the price list. Without a user it belongs to nobody."""
    provider = "anthropic" if model.startswith("claude") else "openai"
    used = {"input_tokens": tokens[0], "output_tokens": tokens[1]}
    row = a_row(moment, agent_id=agent, provider=provider, model=model, **used | values)
    price_calls([], [CallToPrice(row, (model,))])
    return row


def says(text: str) -> dict[str, Any]:
    return {"attributes": {PROMPT: text}}


def same_calls(agent: str, days: range, count: int = 15) -> Iterator[Row]:
    """Makes calls to a dear and a cheap model that are alike."""
    for day in days:
        for place in range(count):
            for model in ("gpt-4o", "gpt-4o-mini"):
                yield call(at(day) + place * SECOND, agent, model, (4_000, 500), **PERSON)


def long_prompts(agent: str, is_same: bool) -> Iterator[Row]:
    """Makes ten calls within a minute on each of ten days, with 20,000 characters in front."""
    for day in range(1, 11):
        for place in range(10):
            text = ("" if is_same else f"{day} {place} ") + "You are a lawyer. " * 1_112 + f"Question {day} {place}"
            moment = at(day) + 5 * place * SECOND
            yield call(moment, agent, "claude-sonnet-4-5", (20_000, 10), **PERSON, **says(text))


def nights(agent: str, **values: Any) -> Iterator[Row]:
    for day in range(1, 15):
        for place in range(5):
            yield call(at(day, 2) + place * SECOND, agent, "gpt-4.1", (100_000, 5_000), **values)


def wastes() -> Iterator[Row]:
    yield from same_calls("triage", range(1, 11))
    yield from long_prompts("docs", is_same=True)
    for day in range(1, 11):
        for place in range(6):
            write = {"cache_write_tokens": 190_000}
            yield call(at(day) + place * SECOND, "notes", "claude-haiku-4-5", (200_000, 10), **PERSON, **write)
    yield from nights("nightly-report")
    for day in range(1, 11):
        yield call(at(day), "planner", "gpt-5", (1_000, 10), **PERSON, **says(f"Plan day {day}"))
    for place in range(40):
        moment = at(3, 15) + 20 * place * SECOND
        yield call(moment, "planner", "gpt-5", (80_000, 10), **PERSON, **says("Is it done?"), trace_id="loop")
    yield from used_before("old-helper", [range(30, 150, 5)])


def used_before(agent: str, seasons: list[range]) -> Iterator[Row]:
    """Makes calls of people in earlier times, and in the last weeks calls that belong to nobody."""
    for day in (day for season in seasons for day in season):
        yield call(at(day), agent, "gpt-4.1", (40_000, 100), **PERSON)
    for day in range(1, 21):
        for place in range(2):
            yield call(at(day) + place * SECOND, agent, "gpt-4.1", (40_000, 100))


def lookalikes() -> Iterator[Row]:
    yield from same_calls("writer", range(1, 11))
    yield from long_prompts("mailer", is_same=False)
    for day in range(1, 11):
        for place in range(3):
            write, read = {"cache_write_tokens": 90_000}, {"cache_read_tokens": 90_000}
            yield call(at(day) + place * SECOND, "indexer", "claude-opus-4-5", (100_000, 10), **PERSON, **write)
            yield call(at(day) + place * SECOND, "reader", "claude-opus-4-5", (100_000, 10), **PERSON, **read)
    yield from nights("night-desk", **PERSON)
    for day in range(1, 11):
        for place in range(12):
            failed = {"status": "error", "error_type": "rate_limit"}
            used = (80_000, 10) if place == 11 else (0, 0)
            values = says("Fetch it") | ({} if place == 11 else failed)
            yield call(at(day) + 4 * place * SECOND, "fetcher", "gpt-5", used, **PERSON, **values)
    for place in range(130):
        for model in ("gpt-4o", "gpt-4o-mini"):
            yield call(at(5, 2) + place * SECOND, "evaluation", model, (9_000, 500), **says(f"Case {place}"))
    yield from used_before("tax-helper", [range(32, 50, 4), range(110, 130, 4)])
    yield from nights("batcher", usage_details={"service_tier": "batch"})
    for day in range(1, 11):
        for place in range(6):
            limit = {"attributes": {"gen_ai.request.max_tokens": 32_000, PROMPT: f"Which? {day} {place}"}}
            yield call(at(day) + place * SECOND, "classifier", "gpt-5", (40_000, 20), **PERSON, **limit)
    for place in range(60):
        moment = at(0, 0) - place * SECOND
        text = "You are new. " * 1_600 + str(place)
        yield call(moment, "newcomer", "claude-sonnet-4-5", (20_000, 400), **PERSON, **says(text))
        yield call(moment, "newcomer", "gpt-4o", (20_000, 400), **PERSON)


def scores_of(rows: list[Row]) -> list[Score]:
    """Says that the dear model of the writer is better: 0.9 against 0.6."""
    of_writer = [row for row in rows if row.agent_id == "writer"]
    return [
        Score(
            id=f"score-{place}",
            timestamp=row.timestamp,
            name="helpful",
            trace_id=row.trace_id,
            span_id=row.span_id,
            number=Decimal("0.9" if row.model == "gpt-4o" else "0.6"),
            source="api",
        )
        for place, row in enumerate(of_writer[:80])
    ]


def store(workspace: Workspace, rows: list[Row]) -> None:
    writer.store(workspace.id, rows)
    store_scores(workspace.id, scores_of(rows))
