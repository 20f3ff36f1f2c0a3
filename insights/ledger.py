"""Answers `/api/v1/cost/ledger`: what was used and what it cost, by day, provider, model, token class and price.

No sum has the price of each call: a price list changes a few times a year, and an override hardly ever. So the lines
of a window with up to MOST_CALLS_WITH_PRICES calls come from its rows, and those of a larger one from the sums by day.
Both add up to the same amounts.
"""

from typing import Literal

from typing_extensions import TypedDict

from analytics.answers import check_size
from analytics.field_types import BucketStart
from traces import sums
from traces.bucket_series import bucket_sql
from traces.db import row, rows
from traces.filters import Filters
from traces.row import COST_COLUMNS

MOST_CALLS_WITH_PRICES = 300_000
"""Rows are read at about 150,000 a second, and a page must not take longer than 3 seconds."""
TokenClass = Literal["input", "output", "cache_read", "cache_write", "audio", "image", "search", "other"]
TOKEN_COLUMNS = ("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens")
LINE_BYTES = 350
"""Of a line in JSON, with names of usual length."""


class LedgerLine(TypedDict):
    timestamp: BucketStart
    provider: str | None
    model: str | None
    """Null: all models past the limit together, with the calls that name none."""
    token_class: TokenClass
    """input: tokens that are in no other class. other: costs that clients report as a total only, and fees by the call;
    also the line of calls that used nothing and cost nothing."""
    price_source: str | None
    """override, reported, genai-prices or unknown; null where prices are not listed."""
    price_id: str | None
    """The price that was used, as on the page of a trace; null for unpriced calls, and where prices are not listed."""
    tokens: int | None
    """Null for the classes audio, image, search and other, which have other units."""
    usd_per_million_tokens: float | None
    """The cost divided by the tokens; null where some of the tokens have no cost of this class."""
    cost_usd: float | None
    """Null where none of the calls has a price."""
    calls: int
    """Of this day, model and price: each of their classes repeats it."""
    unpriced_calls: int


class Ledger(TypedDict):
    has_prices: bool
    """Whether the lines tell prices apart: the window has few enough calls."""
    total_cost_usd: float | None
    """The sum of all lines, as in `cost/trend`; null where there are calls but none has a price."""
    total_calls: int
    unpriced_calls: int
    data: list[LedgerLine]
    """By day, then the most expensive model first."""


class WindowCalls(TypedDict):
    calls: int
    priced_calls: int
    cost_usd: float | None
    groups: int
    """Days and models with calls."""


def ledger(filters: Filters) -> Ledger:
    window = window_calls(filters)
    check_size(window["groups"] * LINE_BYTES * 2)
    has_prices = window["calls"] <= MOST_CALLS_WITH_PRICES
    return {
        "has_prices": has_prices,
        "total_cost_usd": window["cost_usd"],
        "total_calls": window["calls"],
        "unpriced_calls": window["calls"] - window["priced_calls"],
        "data": ledger_lines(filters, has_prices),
    }


def window_calls(filters: Filters) -> WindowCalls:
    return row(
        """
        WITH groups AS (
            SELECT
                {bucket} AS timestamp,
                provider,
                model,
                sum(calls) AS calls,
                sum(priced_calls) AS priced_calls,
                sum(cost_usd) AS cost_usd
            FROM {calls} AS calls
            GROUP BY 1, 2, 3
        )
        SELECT
            coalesce(sum(calls), 0)::bigint AS calls,
            coalesce(sum(priced_calls), 0)::bigint AS priced_calls,
            CASE WHEN count(*) = 0 THEN 0 WHEN sum(priced_calls) > 0 THEN sum(cost_usd) END AS cost_usd,
            least(
                count(*),
                count(DISTINCT timestamp) * (%(limit)s + 1)
            ) AS groups
        FROM groups
        """,
        filters.params,
        row_type=WindowCalls,
        bucket=bucket_sql(filters),
        calls=sums.calls_sql(filters, "provider", "model", "calls", "priced_calls", "cost_usd", by_bucket=True),
    )


def ledger_lines(filters: Filters, has_prices: bool) -> list[LedgerLine]:
    return rows(
        """
        WITH groups AS (
            SELECT
                {bucket} AS timestamp,
                provider,
                model,
                {price_source} AS price_source,
                {price_id} AS price_id,
                sum(calls) AS calls,
                sum(priced_calls) AS priced_calls,
                sum(cost_usd) AS cost_usd,
                sum(input_tokens) AS input_tokens,
                sum(output_tokens) AS output_tokens,
                sum(cache_read_tokens) AS cache_read_tokens,
                sum(cache_write_tokens) AS cache_write_tokens,
                sum(input_cost_usd) AS input_cost_usd,
                sum(output_cost_usd) AS output_cost_usd,
                sum(cache_read_cost_usd) AS cache_read_cost_usd,
                sum(cache_write_cost_usd) AS cache_write_cost_usd,
                sum(audio_cost_usd) AS audio_cost_usd,
                sum(image_cost_usd) AS image_cost_usd,
                sum(search_cost_usd) AS search_cost_usd
            FROM {calls} AS calls
            GROUP BY 1, 2, 3, 4, 5
        ), totals AS (
            SELECT
                *,
                sum(cost_usd) OVER of_model AS model_cost_usd,
                sum(calls) OVER of_model AS model_calls
            FROM groups
            WINDOW of_model AS (PARTITION BY model, provider)
        ), models AS (
            SELECT
                *,
                model IS NOT NULL AND dense_rank() OVER (
                    ORDER BY model IS NULL, model_cost_usd DESC NULLS LAST, model_calls DESC, model, provider
                ) <= %(limit)s AS is_listed
            FROM totals
        ), listed AS (
            SELECT
                timestamp,
                CASE WHEN is_listed THEN provider END AS provider,
                CASE WHEN is_listed THEN model END AS model,
                price_source,
                price_id,
                sum(calls)::bigint AS calls,
                (sum(calls) - sum(priced_calls))::bigint AS unpriced_calls,
                CASE WHEN sum(priced_calls) > 0 THEN sum(cost_usd) END AS cost_usd,
                sum(greatest(input_tokens - cache_read_tokens - cache_write_tokens, 0))::bigint AS input_tokens,
                sum(output_tokens)::bigint AS output_tokens,
                sum(cache_read_tokens)::bigint AS cache_read_tokens,
                sum(cache_write_tokens)::bigint AS cache_write_tokens,
                sum(input_cost_usd) AS input_cost_usd,
                sum(output_cost_usd) AS output_cost_usd,
                sum(cache_read_cost_usd) AS cache_read_cost_usd,
                sum(cache_write_cost_usd) AS cache_write_cost_usd,
                sum(audio_cost_usd) AS audio_cost_usd,
                sum(image_cost_usd) AS image_cost_usd,
                sum(search_cost_usd) AS search_cost_usd,
                sum(cost_usd) - sum(
                    input_cost_usd +
                    output_cost_usd +
                    cache_read_cost_usd +
                    cache_write_cost_usd +
                    audio_cost_usd +
                    image_cost_usd +
                    search_cost_usd
                ) AS other_cost_usd
            FROM models
            GROUP BY timestamp, is_listed, 2, 3, 4, 5
        )
        SELECT
            timestamp,
            provider,
            model,
            token_class,
            price_source,
            price_id,
            tokens,
            CASE WHEN tokens > 0 AND class_cost_usd > 0 AND unpriced_calls = 0 AND is_by_token
                THEN class_cost_usd * 1000000 / tokens
            END AS usd_per_million_tokens,
            CASE WHEN cost_usd IS NOT NULL THEN class_cost_usd END AS cost_usd,
            calls,
            unpriced_calls
        FROM listed
        CROSS JOIN LATERAL (
            VALUES
                (1, 'input', input_tokens, input_cost_usd, audio_cost_usd + image_cost_usd + other_cost_usd = 0),
                (2, 'output', output_tokens, output_cost_usd, audio_cost_usd + image_cost_usd + other_cost_usd = 0),
                (3, 'cache_read', cache_read_tokens, cache_read_cost_usd, true),
                (4, 'cache_write', cache_write_tokens, cache_write_cost_usd, true),
                (5, 'audio', NULL, audio_cost_usd, false),
                (6, 'image', NULL, image_cost_usd, false),
                (7, 'search', NULL, search_cost_usd, false),
                (8, 'other', NULL, other_cost_usd, false)
        ) AS classes (place, token_class, tokens, class_cost_usd, is_by_token)
        WHERE tokens > 0
            OR class_cost_usd <> 0
            OR (
                token_class = 'other'
                AND coalesce(cost_usd, 0) = 0
                AND input_tokens + output_tokens + cache_read_tokens + cache_write_tokens = 0
            )
        ORDER BY timestamp, model IS NULL, sum(class_cost_usd) OVER (PARTITION BY timestamp, model, provider) DESC,
            model, provider, price_source, price_id, place
        """,
        filters.params,
        row_type=LedgerLine,
        bucket=bucket_sql(filters),
        price_source="cost_source" if has_prices else "NULL::text",
        price_id="price_id" if has_prices else "NULL::text",
        calls=sums.calls_sql(
            filters,
            *("provider", "model", "calls", "priced_calls", "cost_usd", *TOKEN_COLUMNS, *COST_COLUMNS),
            *(("cost_source", "price_id") if has_prices else ()),
            by_bucket=True,
        ),
    )
