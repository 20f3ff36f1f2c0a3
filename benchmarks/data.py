"""Makes the rows of the benchmarks with DuckDB, always the same for the same number of rows.

Traces of ten spans: an agent run above an embedding, six chats and two tool calls. They arrive in the order of time,
more by day than by night and less at weekends. A few agents, models and users do most of the work.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from math import cos, pi
from pathlib import Path
from string import Template

import duckdb

MAIN_WORKSPACE = "0000000b-0000-4000-8000-000000000000"
"""Has nine tenths of the rows; nine others share the rest."""
DAYS = 30
END = datetime(2026, 11, 19, 14, 37, 12, 345000)  # noqa: DTZ001 (UTC, as DuckDB's TIMESTAMP has no zone)
START = END - timedelta(days=DAYS)
LONGEST_TRACE = timedelta(seconds=25)
SPANS_OF_TRACE = 10
AGENTS, USERS = 40, 5000
CUSTOMERS, FEATURES = 200, 8
DAYS_OF_RELEASE = 10
THREADS, MEMORY = 2, "4GB"

DESCRIPTION = (
    f"{DAYS} days up to {END.isoformat(timespec='milliseconds')}Z, 90 % in one workspace and the rest in nine; "
    f"{AGENTS} agents, 12 models of 4 providers (each agent uses 3 of them and one for embeddings), "
    f"{USERS:,} users with 2 to 4 agents each, all skewed like 1/rank^0.6; "
    "environments 85 % production, 12 % staging, 3 % dev; "
    f"a release each {DAYS_OF_RELEASE} days; labels of {CUSTOMERS} customers (1/rank) and {FEATURES} features; "
    "60 % chats, 10 % embeddings, 10 % agent runs, 20 % calls of 12 tools; 2.5 % errors of 6 types, "
    "0.5 % timeouts; lognormal latencies"
)

# Nano-dollars of a token, in and out, and the median latency.
MODELS = """
    (0, 'openai', 'gpt-4o', 2500, 10000, 1900),
    (1, 'openai', 'gpt-4o-mini', 150, 600, 900),
    (2, 'anthropic', 'claude-sonnet-4-5', 3000, 15000, 2600),
    (3, 'google', 'gemini-2.5-flash', 300, 2500, 800),
    (4, 'openai', 'o4-mini', 1100, 4400, 5200),
    (5, 'anthropic', 'claude-haiku-4-5', 1000, 5000, 1100),
    (6, 'mistral', 'mistral-large-latest', 2000, 6000, 2100),
    (7, 'google', 'gemini-2.5-pro', 1250, 10000, 3300),
    (8, 'anthropic', 'claude-opus-4-1', 15000, 75000, 4800),
    (9, 'mistral', 'mistral-small-latest', 100, 300, 700),
    (10, 'openai', 'text-embedding-3-small', 20, 0, 120),
    (11, 'google', 'gemini-embedding-001', 150, 0, 160)
"""
ERRORS = """
    (0.00, 0.40, 'rate_limit', '429: too many requests, retry after 20 s'),
    (0.40, 0.62, 'overloaded', '529: the model is overloaded'),
    (0.62, 0.76, 'context_length_exceeded', 'the prompt is longer than the model''s context of 128,000 tokens'),
    (0.76, 0.86, 'content_filter', 'the answer was withheld by the content filter'),
    (0.86, 0.94, 'invalid_request', 'tools.0.parameters: expected an object'),
    (0.94, 1.00, 'connection_error', 'connection reset by peer')
"""

# Random numbers are hashes of row number and use, so a row is the same in every thread and slice. Only one number is
# hashed: DuckDB combines the hashes of several by XOR, and then all random numbers of a row would depend on each other.
TABLES = f"""
CREATE MACRO chance(number, use) AS (hash((number * 64 + use)::BIGINT) >> 11)::DOUBLE / 9007199254740992;
CREATE TABLE models (
    place BIGINT, provider TEXT, model TEXT, input_nanos BIGINT, output_nanos BIGINT, median_ms DOUBLE
);
INSERT INTO models VALUES {MODELS};
CREATE TABLE errors (from_share DOUBLE, to_share DOUBLE, error_type TEXT, error_message TEXT);
INSERT INTO errors VALUES {ERRORS};
CREATE TABLE hours (begins TIMESTAMP, lasts_ms DOUBLE, share_before DOUBLE, share DOUBLE);
"""  # noqa: S608 (constants)

# A user belongs to one customer, and an agent to one feature.
ROWS = """
WITH numbers AS (
    SELECT range AS trace, $moment AS moment
    FROM range($first, $last)
), started AS (
    SELECT
        trace,
        begins + to_microseconds((lasts_ms * 1000 * (moment - share_before) / share)::BIGINT) AS started,
        CASE WHEN chance(trace, 2) < 0.9 THEN 0 ELSE 1 + floor(chance(trace, 3) * 9)::BIGINT END AS workspace,
        floor(5000 * chance(trace, 4) ** 2.5)::BIGINT AS user
    FROM numbers
    ASOF JOIN hours ON moment >= share_before
), traces AS (
    SELECT
        *,
        CASE WHEN chance(trace, 5) < 0.9
            THEN floor(40 * chance(user * 8 + floor(chance(trace, 6) * (2 + user % 3))::BIGINT, 7) ** 2.5)::BIGINT
            ELSE floor(40 * chance(trace, 8) ** 2.5)::BIGINT
        END AS agent,
        md5(trace || '-trace') AS trace_id,
        CASE WHEN chance(trace, 9) < 0.95 THEN 'user-' || lpad(user::TEXT, 4, '0') END AS user_id,
        'session-' || format('{:08x}', hash(user * 64 + date_part('hour', started)) >> 32) AS session_id,
        CASE WHEN chance(trace, 20) < 0.85 THEN 'production' WHEN chance(trace, 20) < 0.97 THEN 'staging' ELSE 'dev' END
            AS environment,
        '1.' || (date_diff('day', TIMESTAMP '2026-10-20', started) // $days_of_release + 1) || '.0' AS release,
        floor($customers ** chance(user, 21))::BIGINT AS customer
    FROM started
), spans AS (
    SELECT
        *,
        trace * 10 + step AS span,
        CASE
            WHEN step = 0 THEN 'invoke_agent'
            WHEN step = 1 THEN 'embeddings'
            WHEN step IN (4, 7) THEN 'execute_tool'
            ELSE 'chat'
        END AS operation,
        CASE WHEN step IN (4, 7)
            THEN 'tool-' || lpad(floor(12 * chance(trace * 10 + step, 22) ** 2)::BIGINT::TEXT, 2, '0')
        END AS tool,
        step NOT IN (0, 4, 7) AS is_call
    FROM traces
    CROSS JOIN range(10) AS steps (step)
), chosen AS (
    SELECT
        spans.*,
        models.*,
        CASE
            WHEN chance(span, 11) < 0.005 THEN 'timeout'
            WHEN chance(span, 11) < 0.03 THEN 'error'
            ELSE 'success'
        END AS status,
        chance(span, 12) AS error_chance,
        -- Box and Muller: two even chances make a normal one.
        sqrt(-2 * ln(1 - chance(span, 13))) * cos(2 * pi() * chance(span, 14)) AS normal
    FROM spans
    LEFT JOIN models ON is_call AND place = CASE
        WHEN operation = 'embeddings' THEN 10 + agent % 2
        WHEN chance(trace, 10) < 0.7 THEN agent % 10
        WHEN chance(trace, 10) < 0.9 THEN (agent + 3) % 10
        ELSE (agent + 6) % 10
    END
), measured AS (
    SELECT
        chosen.*,
        error_type,
        error_message,
        CASE
            WHEN status = 'timeout' THEN 60000
            WHEN step = 0 THEN round(18000 * exp(normal * 0.4), 3)
            WHEN NOT is_call THEN round(250 * exp(normal * 0.9), 3)
            ELSE round(median_ms * exp(normal * 0.55), 3)
        END AS latency_ms,
        CASE WHEN is_call AND status = 'success' THEN 50 + floor(1200 * exp(normal * 0.8))::BIGINT END AS input_tokens,
        CASE WHEN is_call AND status = 'success'
            THEN CASE operation WHEN 'chat' THEN 10 + floor(600 * chance(span, 15) ** 2)::BIGINT ELSE 0 END
        END AS output_tokens
    FROM chosen
    LEFT JOIN errors ON status = 'error' AND error_chance >= from_share AND error_chance < to_share
)
SELECT
    ('0000000b-0000-4000-8000-00000000000' || workspace)::UUID AS workspace_id,
    started + to_microseconds((step * 2000000 + CASE step WHEN 0 THEN 0 ELSE chance(span, 16) * 1900000 END)::BIGINT)
        AS timestamp,
    trace_id,
    format('{:016x}', hash(span * 64 + 17)) AS span_id,
    CASE WHEN step > 0 THEN format('{:016x}', hash(trace * 640 + 17)) END AS parent_span_id,
    operation,
    CASE operation WHEN 'invoke_agent' THEN 'invoke_agent agent-' || agent WHEN 'execute_tool' THEN tool
        ELSE operation || ' ' || model END AS name,
    'agent-' || lpad(agent::TEXT, 2, '0') AS agent_id,
    provider,
    model,
    user_id,
    session_id,
    environment,
    release,
    format('{{"customer": "customer-{:03d}", "feature": "feature-{}"}}', customer, agent % $features + 1) AS labels,
    -- As the writer numbers the labels: traces/labels.py.
    '{' || ((1::BIGINT << 32) + customer) || ',' || ((2::BIGINT << 32) + agent % $features + 1) || '}' AS label_numbers,
    tool,
    status,
    CASE status WHEN 'timeout' THEN 'timeout' ELSE error_type END AS error_type,
    CASE status WHEN 'timeout' THEN 'no answer within 60 s' ELSE error_message END AS error_message,
    latency_ms,
    CASE WHEN operation = 'chat' AND status = 'success' AND chance(span, 23) < 0.8
        THEN round(latency_ms * (0.05 + 0.3 * chance(span, 24)), 3) END AS first_token_ms,
    input_tokens,
    output_tokens,
    CASE WHEN input_tokens > 1500 THEN input_tokens // 2 END AS cache_read_tokens,
    NULL::BIGINT AS cache_write_tokens,
    CASE WHEN model IN ('o4-mini', 'gemini-2.5-pro') THEN output_tokens // 2 END AS reasoning_tokens,
    NULL::VARCHAR AS usage_details,
    ((input_tokens * input_nanos + output_tokens * output_nanos)::DECIMAL(18, 0) * 0.000000001)::DECIMAL(18, 9)
        AS cost_usd,
    ((input_tokens * input_nanos)::DECIMAL(18, 0) * 0.000000001)::DECIMAL(18, 9) AS input_cost_usd,
    ((output_tokens * output_nanos)::DECIMAL(18, 0) * 0.000000001)::DECIMAL(18, 9) AS output_cost_usd,
    NULL::DECIMAL(18, 9) AS cache_read_cost_usd,
    NULL::DECIMAL(18, 9) AS cache_write_cost_usd,
    NULL::DECIMAL(18, 9) AS audio_cost_usd,
    NULL::DECIMAL(18, 9) AS image_cost_usd,
    NULL::DECIMAL(18, 9) AS search_cost_usd,
    CASE WHEN is_call THEN CASE status WHEN 'success' THEN 'genai-prices' ELSE 'unknown' END END AS cost_source,
    CASE WHEN is_call AND status = 'success' THEN provider || ':' || model END AS price_id,
    CASE WHEN operation = 'chat' AND status = 'success' THEN 'chatcmpl-' || format('{:016x}', hash(span * 64 + 18)) END
        AS response_id,
    CASE WHEN is_call THEN '{"server.address": "api.' || provider || '.com", "gen_ai.request.temperature": "0.2"}'
        ELSE '{"deployment.environment.name": "production"}' END AS attributes,
    CASE WHEN is_call THEN '{"kind": "llm", "operation": "' || operation || '", "latency_ms": ' || latency_ms
        || ', "provider": "' || provider || '", "used_model": "' || model || '", "input_tokens": '
        || coalesce(input_tokens, 0) || ', "output_tokens": ' || coalesce(output_tokens, 0) || '}'
        ELSE '{"kind": "tool", "operation": "' || operation || '", "latency_ms": ' || latency_ms || '}'
        END AS span_facts,
    response_id || '@' || (epoch_ms(timestamp) // 60000) AS link,
    CASE WHEN user_id IS NOT NULL THEN user END AS user_number
FROM measured
"""


def duckdb_connection() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect(config={"threads": THREADS, "memory_limit": MEMORY})
    connection.execute("SET enable_progress_bar = false")
    connection.execute(TABLES)
    connection.executemany("INSERT INTO hours VALUES (?, ?, ?, ?)", hours())
    return connection


def hours() -> list[tuple[datetime, float, float, float]]:
    """Returns each hour of the data, its length in ms, and the share of all traces that starts before it and in it."""
    last = END - LONGEST_TRACE
    begins, weighed = START, []
    while begins < last:
        ends = min(begins.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1), last)
        lasts_ms = (ends - begins) / timedelta(milliseconds=1)
        weighed.append((begins, lasts_ms, lasts_ms * load_at(begins)))
        begins = ends
    total, before, shares = sum(weight for _, _, weight in weighed), 0.0, []
    for begins, lasts_ms, weight in weighed:
        shares.append((begins, lasts_ms, before, weight / total))
        before += weight / total
    return shares


def load_at(moment: datetime) -> float:
    by_day = 1.15 - cos((moment.hour - 2) / 24 * 2 * pi)
    return by_day * (0.45 if moment.weekday() > 4 else 1.1)


def generated(rows: int, first: int = 0, last: int | None = None) -> str:
    """Returns the SQL of the rows of traces `first` to `last`; without these, of all traces."""
    traces = rows // SPANS_OF_TRACE
    return traces_between(first, traces if last is None else last, f"(range + chance(range, 1)) / {traces}")


def arriving(first: int, last: int) -> str:
    """Returns the SQL of the rows of more traces, which begin within the last of the hours."""
    *_, (_, _, before, share) = hours()
    place = f"(range - {first} + chance(range, 1)) / {last - first}"
    return f"{traces_between(first, last, f'{before} + {share} * {place}')} ORDER BY timestamp"


def traces_between(first: int, last: int, moment: str) -> str:
    """Returns the SQL of the rows. `moment` is the share of all traces that begin before a trace."""
    values = {
        "first": first,
        "last": last,
        "moment": moment,
        "days_of_release": DAYS_OF_RELEASE,
        "customers": CUSTOMERS,
        "features": FEATURES,
    }
    return Template(ROWS).substitute(values)


def columns(connection: duckdb.DuckDBPyConnection) -> list[str]:
    return [name for name, *_ in connection.execute(f"DESCRIBE {generated(SPANS_OF_TRACE)}").fetchall()]


def write_parquet(rows: int, path: Path) -> None:
    """Writes the rows sorted by workspace and time, so that DuckDB finds a window of one workspace without the rest."""
    with duckdb_connection() as connection:
        ordered = f"{generated(rows)} ORDER BY workspace_id, timestamp"
        unfinished = path.with_suffix(".unfinished")
        connection.execute(f"COPY ({ordered}) TO '{unfinished}' (FORMAT parquet)")
        unfinished.rename(path)


def csv_slices(rows: int, directory: Path, traces_at_once: int = 50_000) -> Iterator[Path]:
    """Yields the rows as CSV files in the order of arrival; each file is deleted before the next is made."""
    with duckdb_connection() as connection:
        for first in range(0, rows // SPANS_OF_TRACE, traces_at_once):
            last = min(first + traces_at_once, rows // SPANS_OF_TRACE)
            path = directory / f"{first}.csv"
            ordered = f"{generated(rows, first, last)} ORDER BY timestamp"
            connection.execute(f"COPY ({ordered}) TO '{path}' (FORMAT csv, HEADER false)")
            yield path
            path.unlink()
