"""Makes random rows, orders in which they arrive, and random questions about them."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from tests.analytics.oracle import Money, Question, value_of
from tests.tenant import iso
from traces import engines, writer
from traces.filters import DIMENSIONS
from traces.row import COST_COLUMNS, Row

# Ordinary days, and days around clock changes: New York on 8 March and 1 November, Chatham on 5 April and 27 September,
# Lord Howe, by half an hour, on 5 April and 4 October.
NOWS = [
    datetime(2026, 3, 9, 14, 20, 1, 5, tzinfo=UTC),
    datetime(2026, 4, 5, 11, 0, tzinfo=UTC),
    datetime(2026, 6, 17, 0, 0, tzinfo=UTC),
    datetime(2026, 9, 28, 23, 59, 59, 999_999, tzinfo=UTC),
    datetime(2026, 11, 2, 6, 30, tzinfo=UTC),
    datetime(2026, 11, 24, 13, 45, 10, 123_456, tzinfo=UTC),
]
ZONES = [
    *("UTC", "Asia/Kolkata", "Asia/Kathmandu", "America/New_York", "Pacific/Chatham", "Australia/Lord_Howe"),
]
CALENDAR = [(name, timedelta.max) for name in ("daily", "weekly", "monthly")]
RANGES = {"1h": timedelta(hours=1), "24h": timedelta(days=1), "7d": timedelta(days=7), "30d": timedelta(days=30)}
AGENTS = ["billing", "sales", "support", "tests"]
MODELS = [None, "gpt-4o", "sonnet", "embedder"]
PROVIDERS = [None, "anthropic", "openai"]
USERS = [None, "ada", "bob", "cy", "dan"]
SESSIONS = [None, "monday", "friday"]
ENVIRONMENTS = [None, "production", "production", "staging"]
RELEASES = [None, "41", "42"]
TOOLS = [None, "search", "sql"]
LABELS = {"customer": [None, "acme", "globex"], "team's %(name)s {}": [None, "search"]}
OPERATIONS = ["chat", "chat", "chat", "embeddings", "text_completion", "execute_tool", "invoke_agent"]
MICROSECOND = timedelta(microseconds=1)

costs = st.one_of(
    st.none(),
    st.sampled_from([Decimal(0), Decimal("0.1"), Decimal("0.000000123")]),
    st.integers(1, 10**9).map(lambda value: Decimal(value).scaleb(-7)),
)
latencies = st.one_of(
    st.none(),
    st.sampled_from([0.0, 1.0, 1024.0]),
    st.integers(-30, 180).map(lambda value: 1.1**value),
    st.floats(0.01, 60_000),
)
tokens = st.none() | st.integers(0, 200_000)
edges = st.sampled_from([timedelta(0), timedelta(0), MICROSECOND, -MICROSECOND])


def moments(now: datetime) -> st.SearchStrategy[datetime]:
    """Draws from ten weeks, mostly from the last days, and often a boundary or a microsecond before or after one."""
    hour, day = now.replace(minute=0, second=0, microsecond=0), now.replace(hour=0, minute=0, second=0, microsecond=0)
    return st.one_of(
        st.builds(lambda back, edge: hour - timedelta(hours=back) + edge, st.integers(0, 100), edges),
        st.builds(lambda back, edge: day - timedelta(days=back) + edge, st.integers(0, 35), edges),
        st.integers(-1800, 3 * 86_400).map(lambda seconds: now - timedelta(seconds=seconds)),
        st.integers(0, 70 * 86_400_000_000).map(lambda back: now - timedelta(microseconds=back)),
        st.integers(-90, 1440).map(lambda minutes: now.replace(second=0, microsecond=0) - timedelta(minutes=minutes)),
    )


@st.composite
def values(draw: st.DrawFn) -> dict[str, Any]:
    """Draws the columns that a correction may change."""
    operation = draw(st.sampled_from(OPERATIONS))
    status = draw(st.sampled_from(["success", "success", "error", "timeout"]))
    is_call = operation not in ("execute_tool", "invoke_agent")
    is_failed = status != "success"
    labels = {name: draw(st.sampled_from(texts)) for name, texts in LABELS.items()}
    cost_usd = draw(costs) if is_call else None
    part = draw(st.sampled_from([None, *COST_COLUMNS])) if cost_usd is not None else None
    return {
        **dict.fromkeys(COST_COLUMNS),
        **({part: cost_usd / 2} if part and cost_usd is not None else {}),
        "operation": operation,
        "status": status,
        "agent_id": draw(st.sampled_from(AGENTS)),
        "provider": draw(st.sampled_from(PROVIDERS)),
        "model": draw(st.sampled_from(MODELS)),
        "user_id": draw(st.sampled_from(USERS)),
        "session_id": draw(st.sampled_from(SESSIONS)),
        "environment": draw(st.sampled_from(ENVIRONMENTS)),
        "release": draw(st.sampled_from(RELEASES)),
        "labels": {name: text for name, text in labels.items() if text} or None,
        "latency_ms": draw(latencies),
        "error_type": draw(st.sampled_from([None, "rate_limit", "overloaded"])) if is_failed else None,
        "error_message": draw(st.sampled_from([None, "slow down", "try later"])) if is_failed else None,
        # Agent runs and tool calls have neither: ingestion stores their sums elsewhere.
        "cost_usd": cost_usd,
        "input_tokens": draw(tokens) if is_call else None,
        "output_tokens": draw(tokens) if is_call else None,
        "cache_read_tokens": draw(tokens) if is_call else None,
        "cache_write_tokens": draw(tokens) if is_call else None,
        "reasoning_tokens": draw(tokens) if is_call else None,
        "first_token_ms": draw(latencies) if is_call else None,
        "tool": draw(st.sampled_from(TOOLS)) if operation == "execute_tool" else None,
    }


@st.composite
def histories(draw: st.DrawFn, now: datetime) -> list[Row]:
    rows: list[Row] = []
    for _ in range(draw(st.integers(0, 25))):
        at, columns = draw(moments(now)), draw(values())
        for _ in range(draw(st.sampled_from([1, 1, 1, 2, 5]))):
            number = len(rows)
            rows.append(Row(at, f"trace{number // 3}", f"{number:016x}", **columns))
    return rows


@dataclass
class Delivery:
    """Draws batches of rows in their order of arrival, some rows twice, and then corrections."""

    batches: list[list[Row]]
    corrections: list[Row]
    followed: list[datetime | None]
    """For each batch the moment up to which the followers are filled after it, if they are."""

    @property
    def stored(self) -> list[Row]:
        """Returns the rows that must be stored in the end."""
        rows = {row.span_id: row for batch in self.batches for row in batch}
        return list((rows | {row.span_id: row for row in self.corrections}).values())

    def arrive(self, workspace_id: Any) -> None:
        for batch, moment in zip(self.batches, self.followed, strict=True):
            writer.store(workspace_id, batch)
            if moment:
                engines.current().follow(moment)
        if self.corrections:
            with writer.writing(workspace_id) as cursor:
                writer.correct(cursor, workspace_id, self.corrections)


@st.composite
def deliveries(draw: st.DrawFn, now: datetime) -> Delivery:
    rows = draw(histories(now))
    late_first = draw(st.permutations(rows)) if draw(st.booleans()) else rows
    size = draw(st.sampled_from([1, 3, 10, 1000]))
    batches = [list(late_first[first : first + size]) for first in range(0, len(rows), size)]
    if rows:
        again = draw(st.lists(st.sampled_from(rows), max_size=3))
        batches.append(again)  # delivered twice, maybe twice in one batch
        if draw(st.booleans()):
            batches.append(batches[0] + again)
    corrected = draw(st.lists(st.sampled_from(rows), max_size=3, unique_by=lambda row: row.span_id)) if rows else []
    followed = draw(st.lists(st.none() | moments(now), min_size=len(batches), max_size=len(batches)))
    return Delivery(batches, [replace(row, **draw(values())) for row in corrected], followed)


@st.composite
def windows(draw: st.DrawFn, now: datetime, rows: list[Row]) -> tuple[dict[str, str], datetime, datetime]:
    """Draws a window: its parameters, its start and its end."""
    if draw(st.integers(0, 3)) == 0:
        name = draw(st.sampled_from(list(RANGES)))
        return {"range": name}, now - RANGES[name], now
    edge_of_a_row = st.sampled_from(rows).flatmap(lambda row: edges.map(lambda edge: row.timestamp + edge))
    either = moments(now) | edge_of_a_row if rows else moments(now)
    start, end = sorted([draw(either), draw(either)])
    end = max(end, start + MICROSECOND)
    return {"start": iso(start), "end": iso(end)}, start, end


@st.composite
def filter_parameters(draw: st.DrawFn, rows: list[Row]) -> dict[str, list[str]]:
    """Draws filters, mostly one or two, each with one or a few values: some that rows have, and some that none has."""
    names = [*(dimension.name for dimension in DIMENSIONS), *(f"label.{name}" for name in [*LABELS, "nothing"])]
    chosen = draw(st.lists(st.sampled_from(names), max_size=draw(st.sampled_from([1, 1, 2, 4])), unique=True))
    filters = {}
    for name in chosen:
        known = sorted({value for row in rows if (value := value_of(row, name))}) or ["success"]
        others = [] if name == "status" else ["nobody"]
        texts = st.lists(st.sampled_from([*known, *others]), min_size=1, max_size=draw(st.sampled_from([1, 1, 3])))
        prefix = draw(st.sampled_from(["", "", "not_"]))
        filters[f"{prefix}{name}"] = draw(texts)
        if prefix and draw(st.integers(0, 3)) == 0:
            filters[name] = draw(texts)
    return filters


@st.composite
def questions(draw: st.DrawFn, money: Money, rows: list[Row]) -> tuple[dict[str, Any], Question]:
    """Draws a question: its query string, and its meaning for the oracle."""
    window, start, end = draw(windows(money.now, rows))
    length = end - start
    # With at most 100 series and one for the others, these make less than 20,000 points.
    fitting = [
        name
        for name, longest in (("minute", timedelta(hours=3)), ("hourly", timedelta(days=8)), *CALENDAR)
        if length <= longest
    ]
    filters = draw(filter_parameters(rows))
    granularity, limit = draw(st.sampled_from(fitting)), draw(st.sampled_from([1, 2, 3, 10, 100]))
    exact_rows = draw(st.sampled_from([0, 3, 200_000]))
    zone = draw(st.none() | st.sampled_from(ZONES))
    query = {**window, **filters, **({"zone": zone} if zone else {}), "granularity": granularity, "limit": limit}
    return query, Question(start, end, granularity, limit, filters, exact_rows, zone or money.zone)


budgets = st.builds(
    Money,
    now=st.sampled_from(NOWS),
    zone=st.sampled_from(ZONES),
    limit_usd=st.none() | st.integers(0, 300_00).map(lambda cents: Decimal(cents) / 100),
    threshold=st.integers(1, 100_00).map(lambda hundredths: Decimal(hundredths) / 100),
)
