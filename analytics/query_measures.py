"""Lists what `/api/v1/query` measures and by what it groups, each with its SQL and its description."""

from typing import NamedTuple

SCORE_PREFIX = "score."


class Measure(NamedTuple):
    sql: str
    """An aggregate over the columns of its source."""
    description: str
    columns: tuple[str, ...] = ()
    """The sums that it needs, beside calls."""
    is_of_tools: bool = True
    """False: null for tool calls, which have neither tokens nor costs."""
    of_nothing: int | None = 0
    """Its value without any call."""


def total(column: str) -> str:
    return f"coalesce(sum({column}), 0)::bigint"


def tokens(column: str, description: str) -> Measure:
    return Measure(total(column), description, (column,), is_of_tools=False)


def percentile(share: int, column: str, description: str, is_of_tools: bool = True) -> Measure:
    sql = f"percentile_cont({share / 100}) WITHIN GROUP (ORDER BY {column})"
    return Measure(sql, description, (column,), is_of_tools, of_nothing=None)


SUMS = {
    "calls": Measure(total("calls"), "Model calls, or tool calls."),
    "errors": Measure(total("errors"), "Calls that failed.", ("errors",)),
    "cost_usd": Measure(
        "CASE WHEN sum(priced_calls) > 0 THEN sum(cost_usd) WHEN coalesce(sum(calls), 0) = 0 THEN 0 END",
        "Null where no call has a price.",
        ("priced_calls", "cost_usd"),
        is_of_tools=False,
    ),
    "input_tokens": tokens("input_tokens", "With those read from and written to a cache."),
    "output_tokens": tokens("output_tokens", "With those of reasoning."),
    "cache_read_tokens": tokens("cache_read_tokens", "Of the input."),
    "cache_write_tokens": tokens("cache_write_tokens", "Of the input."),
    "reasoning_tokens": tokens("reasoning_tokens", "Of the output."),
    "unpriced_calls": Measure(
        "coalesce(sum(calls) - sum(priced_calls), 0)::bigint",
        "Calls without a price.",
        ("priced_calls",),
        is_of_tools=False,
    ),
    "error_rate": Measure(
        "(sum(errors) * 100 / NULLIF(sum(calls), 0))::float8",
        "Failed calls in percent.",
        ("errors",),
        of_nothing=None,
    ),
    "avg_latency_ms": Measure(
        "sum(latency_ms) / NULLIF(sum(timed_calls), 0)::float8",
        "Over the calls that have a latency.",
        ("latency_ms", "timed_calls"),
        of_nothing=None,
    ),
    "cost_per_call_usd": Measure(
        "(sum(cost_usd) / NULLIF(sum(priced_calls), 0))::float8",
        "Over the calls that have a price.",
        ("priced_calls", "cost_usd"),
        is_of_tools=False,
        of_nothing=None,
    ),
    "tokens_per_second": Measure(
        "(sum(output_tokens) * 1000 / NULLIF(sum(latency_ms), 0))::float8",
        "Output tokens over the time that the calls took.",
        ("output_tokens", "latency_ms"),
        is_of_tools=False,
        of_nothing=None,
    ),
}
"""Made from sums. Every other measure needs the calls themselves, a histogram or scores."""

USERS = {"unique_users": Measure("count(DISTINCT user_number)", "Users who called.", ("user_number",))}
LATENCIES = {
    f"p{share}_latency_ms": percentile(share, "latency_ms", "As exact as percentile_method says.")
    for share in (50, 95, 99)
}
FIRST_TOKENS = {
    f"p{share}_first_token_ms": percentile(share, "first_token_ms", "Time to the first token.", is_of_tools=False)
    for share in (50, 95)
}
OF_ROWS = USERS | LATENCIES | FIRST_TOKENS
MEASURES = SUMS | OF_ROWS
SCORE = Measure("avg(number)::float8", "The average of scores, of booleans as 1 and 0.", of_nothing=None)

COLUMNS = ("agent_id", "model", "provider", "operation", "user_id", "environment", "release", "status", "error_type")
TOOL = "tool"
DIMENSIONS = (*COLUMNS, TOOL)
SCORE_DIMENSIONS = ("agent_id", "model", "provider", "operation", "user_id", "environment", "release")
"""The columns that a score has from its trace, beside its labels."""


def measure(name: str) -> Measure:
    return SCORE if name.startswith(SCORE_PREFIX) else MEASURES[name]
