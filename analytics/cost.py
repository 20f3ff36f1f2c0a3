"""Computes the metrics of the Cost page: spend and budget. Sums are exact: they become floats only in the JSON."""

from typing_extensions import TypedDict

from analytics.answers import MAX_BYTES, check_size
from analytics.change import Change, change
from analytics.field_types import BucketStart, PerPricedCallUsd, PricedCostUsd
from analytics.query_string import bucket_count
from budgets.answer import BudgetAnswer, budget_answer
from traces import sums
from traces.bucket_series import bucket_series_sql, bucket_sql
from traces.buckets import Granularity
from traces.db import row, rows
from traces.filters import Filters
from traces.row import COST_COLUMNS
from workspaces.models import Workspace


class Overview(TypedDict):
    total_spend_usd: float | None
    """Of the window; null where there are calls but none has a price."""
    budget_limit_usd: float | None
    """Of a month, like the other fields of the budget; null where none is set."""
    budget_remaining_usd: float | None
    """Limit minus the spend of the running month; null without a limit."""
    budget_used_percentage: float | None
    """Of the limit; null without a limit, or with one of 0."""
    avg_cost_per_call_usd: PerPricedCallUsd
    projected_monthly_spend_usd: float | None
    """Of the whole running month, as the forecast expects it; null where there is too little history for one."""
    projected_low_usd: float | None
    """In eight of ten cases the month ends between this and `projected_high_usd`."""
    projected_high_usd: float | None
    unpriced_calls: int
    """Calls without a price. No sum of money contains them."""
    change_from_previous: Change


def overview(filters: Filters) -> Overview:
    now, previous = spend(filters), spend(filters.previous)
    month = budget(filters)
    return {
        "total_spend_usd": now["total_spend_usd"],
        "budget_limit_usd": month["monthly_limit_usd"],
        "budget_remaining_usd": month["remaining_usd"],
        "budget_used_percentage": month["used_percentage"],
        "avg_cost_per_call_usd": now["avg_cost_per_call_usd"],
        "projected_monthly_spend_usd": month["projected_monthly_spend_usd"],
        "projected_low_usd": month["projected_low_usd"],
        "projected_high_usd": month["projected_high_usd"],
        "unpriced_calls": now["unpriced_calls"],
        "change_from_previous": change(now["total_spend_usd"], previous["total_spend_usd"]),
    }


class Spend(TypedDict):
    total_spend_usd: float | None
    avg_cost_per_call_usd: float | None
    unpriced_calls: int


def spend(filters: Filters) -> Spend:
    return row(
        """
        SELECT
            CASE
                WHEN count(*) = 0 THEN 0
                WHEN sum(priced_calls) > 0 THEN sum(cost_usd)
            END AS total_spend_usd,
            sum(cost_usd) / NULLIF(sum(priced_calls), 0) AS avg_cost_per_call_usd,
            coalesce(sum(calls) - sum(priced_calls), 0) AS unpriced_calls
        FROM {calls} AS calls
        """,
        filters.params,
        row_type=Spend,
        calls=sums.calls_sql(filters, "calls", "priced_calls", "cost_usd"),
    )


class ModelInBucket(TypedDict):
    timestamp: BucketStart
    provider: str | None
    model: str | None
    """Null: all models past the limit together, with the calls that name none."""
    cost_usd: float | None
    """Null where there are calls but none has a price."""
    calls: int


class Trend(TypedDict):
    granularity: Granularity
    models: list[str]
    """All models in `data`, the most expensive first."""
    data: list[ModelInBucket]


class TrendPoint(ModelInBucket):
    """A point without the names, which its rank stands for. The first rows have names, and no timestamp."""

    rank: int
    bytes: int | None
    """In the first rows: how long the JSON of a point of this rank is at least."""


POINT_BYTES = len('{"timestamp":"2026-11-23T10:00:00Z","provider":,"model":,"cost_usd":0.0,"calls":0},')
"""Of the shortest point in JSON, without its names."""


def trend(filters: Filters) -> Trend:
    """Returns a point for each bucket and each model. The database sends each name once, and no point of an answer
    that would be too large.
    """
    buckets = bucket_count(filters, filters.granularity)
    points = rows(
        """
        WITH costs AS (
            SELECT
                {bucket} AS timestamp,
                provider,
                model,
                sum(calls) AS calls,
                CASE WHEN sum(priced_calls) > 0 THEN sum(cost_usd) END AS cost_usd
            FROM {calls} AS calls
            GROUP BY 1, 2, 3
        ), totals AS (
            SELECT
                *,
                sum(cost_usd) OVER series AS series_cost_usd,
                sum(calls) OVER series AS series_calls
            FROM costs
            WINDOW series AS (PARTITION BY model, provider)
        ), ranked AS (
            SELECT
                *,
                CASE WHEN model IS NULL THEN %(limit)s + 1 ELSE least(dense_rank() OVER (
                    -- One number, which sorts faster than two columns: costs, unpriced models, calls without a model.
                    ORDER BY CASE WHEN model IS NULL THEN -2 ELSE coalesce(series_cost_usd, -1) END DESC,
                        series_calls DESC, model, provider
                ), %(limit)s + 1) END AS rank
            FROM totals
        ), lines AS (
            SELECT
                rank,
                CASE WHEN rank <= %(limit)s THEN min(provider) END AS provider,
                CASE WHEN rank <= %(limit)s THEN min(model) END AS model,
                %(point_bytes)s + CASE
                    WHEN rank <= %(limit)s THEN
                        octet_length(coalesce(to_json(min(provider))::text, 'null') || to_json(min(model))::text)
                    ELSE 8
                END AS bytes
            FROM ranked
            GROUP BY rank
        ), points AS (
            SELECT
                timestamp,
                rank,
                calls,
                cost_usd
            FROM ranked
            UNION ALL
            SELECT
                timestamp,
                rank,
                0,
                NULL
            FROM {buckets} AS buckets (timestamp, until)
            CROSS JOIN lines
        )
        SELECT
            NULL AS timestamp,
            provider,
            model,
            NULL AS cost_usd,
            NULL AS calls,
            rank,
            bytes
        FROM lines
        UNION ALL
        SELECT
            timestamp,
            NULL,
            NULL,
            CASE WHEN sum(calls) = 0 THEN 0 ELSE sum(cost_usd) END,
            sum(calls)::bigint,
            rank,
            NULL
        FROM points
        WHERE (SELECT sum(bytes) FROM lines) <= %(max_bytes)s
        GROUP BY timestamp, rank
        ORDER BY timestamp NULLS FIRST, rank
        """,
        filters.params | {"point_bytes": POINT_BYTES, "max_bytes": MAX_BYTES // buckets},
        row_type=TrendPoint,
        buckets=bucket_series_sql(filters),
        bucket=bucket_sql(filters),
        calls=sums.calls_sql(filters, "provider", "model", "calls", "priced_calls", "cost_usd", by_bucket=True),
    )
    lines = [point for point in points if point["timestamp"] is None]
    check_size(buckets * sum(line["bytes"] or 0 for line in lines))
    data = with_names(points[len(lines) :], {line["rank"]: line for line in lines})
    return {
        "granularity": filters.granularity,
        "models": list(dict.fromkeys(line["model"] for line in lines if line["model"] is not None)),
        "data": data,
    }


def with_names(points: list[TrendPoint], lines: dict[int, TrendPoint]) -> list[ModelInBucket]:
    """Returns the points with the names of their series. All points of a series share its names in memory."""
    return [
        {
            "timestamp": point["timestamp"],
            "provider": lines[point["rank"]]["provider"],
            "model": lines[point["rank"]]["model"],
            "cost_usd": point["cost_usd"],
            "calls": point["calls"],
        }
        for point in points
    ]


class CostByClass(TypedDict):
    """USD for each class of what calls use. Their sum is the cost."""

    input: float
    """Input tokens that no other class has."""
    output: float
    """Output tokens that no other class has, with reasoning."""
    cache_read: float
    cache_write: float
    audio: float
    """Audio in and out."""
    image: float
    """Images in and out."""
    search: float
    """Searches that the provider made."""
    other: float
    """The rest: costs that clients report without their parts, fees by the call."""


class ModelCost(TypedDict):
    provider: str | None
    model: str | None
    """Null: all models past the limit together, with the calls that name none."""
    calls: int
    input_tokens: int
    output_tokens: int
    cost_usd: PricedCostUsd
    percentage: float | None
    """Of the total cost; null where that is unknown or 0."""
    avg_cost_per_call_usd: PerPricedCallUsd
    unpriced_calls: int
    """Calls without a price. No sum of money contains them."""
    cost_by_class: CostByClass | None
    """What cost_usd is made of; null where no call has a price."""


class ByModel(TypedDict):
    total_cost_usd: float | None
    """Null where there are calls but none has a price."""
    data: list[ModelCost]


def by_model(filters: Filters) -> ByModel:
    data = rows(
        """
        WITH models AS (
            SELECT
                provider,
                model,
                sum(calls) AS calls,
                sum(input_tokens) AS input_tokens,
                sum(output_tokens) AS output_tokens,
                CASE WHEN sum(priced_calls) > 0 THEN sum(cost_usd) END AS cost_usd,
                sum(calls) - sum(priced_calls) AS unpriced_calls,
                sum(input_cost_usd) AS input_cost_usd,
                sum(output_cost_usd) AS output_cost_usd,
                sum(cache_read_cost_usd) AS cache_read_cost_usd,
                sum(cache_write_cost_usd) AS cache_write_cost_usd,
                sum(audio_cost_usd) AS audio_cost_usd,
                sum(image_cost_usd) AS image_cost_usd,
                sum(search_cost_usd) AS search_cost_usd
            FROM {calls} AS calls
            GROUP BY provider, model
        ), ranked AS (
            SELECT
                *,
                model IS NOT NULL AND row_number() OVER (
                    ORDER BY model IS NULL, cost_usd DESC NULLS LAST, calls DESC, model, provider
                ) <= %(limit)s AS is_listed
            FROM models
        )
        SELECT
            CASE WHEN is_listed THEN provider END AS provider,
            CASE WHEN is_listed THEN model END AS model,
            sum(calls)::bigint AS calls,
            coalesce(sum(input_tokens), 0)::bigint AS input_tokens,
            coalesce(sum(output_tokens), 0)::bigint AS output_tokens,
            sum(cost_usd) AS cost_usd,
            (sum(cost_usd) * 100 / NULLIF(sum(sum(cost_usd)) OVER (), 0))::float8 AS percentage,
            sum(cost_usd) / NULLIF(sum(calls) - sum(unpriced_calls), 0) AS avg_cost_per_call_usd,
            sum(unpriced_calls)::bigint AS unpriced_calls,
            CASE WHEN sum(cost_usd) IS NOT NULL THEN json_build_object(
                'input', sum(input_cost_usd),
                'output', sum(output_cost_usd),
                'cache_read', sum(cache_read_cost_usd),
                'cache_write', sum(cache_write_cost_usd),
                'audio', sum(audio_cost_usd),
                'image', sum(image_cost_usd),
                'search', sum(search_cost_usd),
                'other', sum(cost_usd) - sum(
                    input_cost_usd +
                    output_cost_usd +
                    cache_read_cost_usd +
                    cache_write_cost_usd +
                    audio_cost_usd +
                    image_cost_usd +
                    search_cost_usd
                )
            ) END AS cost_by_class
        FROM ranked
        GROUP BY is_listed, 1, 2
        ORDER BY is_listed DESC, cost_usd DESC NULLS LAST, calls DESC, model, provider
        """,
        filters.params,
        row_type=ModelCost,
        calls=sums.calls_sql(
            filters,
            *("provider", "model", "calls", "priced_calls", "cost_usd", *COST_COLUMNS),
            *("input_tokens", "output_tokens"),
        ),
    )
    return {"total_cost_usd": total_cost(data), "data": data}


def total_cost(models: list[ModelCost]) -> float | None:
    if not models:
        return 0.0
    costs = [model["cost_usd"] for model in models if model["cost_usd"] is not None]
    return sum(costs) if costs else None


def budget(filters: Filters) -> BudgetAnswer:
    return budget_answer(Workspace.objects.get(pk=filters.workspace_id))
