"""Lists all metrics and all pages, with one entry for each.

URLs, the API document and its page, the panels of the dashboard pages, the navigation and the tests are all made from
these two tables. A metric is a function in analytics/, an entry here, a panel template and a test.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from pydantic import BaseModel

from analytics import budget_view, cost, examples, panel_extras, performance, scores, usage
from analytics.answers import LIVE_TTL_SECONDS, OVERVIEW_TTL_SECONDS, SERIES_TTL_SECONDS, Question
from analytics.panel_extras import SERIES_SHOWN, PanelExtras, no_extras
from budgets.update import BudgetUpdate
from web.declared_access import View

POLL_SECONDS = 8
"""How often an open page asks for each panel. Most answers come from the cache."""


class Split(NamedTuple):
    """What a panel shows instead of its metric while the page's URL names a dimension: an answer of `/api/v1/query`."""

    parameter: str
    """Of the page's URL."""
    title: str
    """Of the panel, before "by" and the dimension."""
    measures: tuple[str, ...]
    ranked_by: str = ""
    """A measure that is not shown; the values with most of it are. Empty: the first one that is shown."""
    is_series: bool = True
    limit: int = SERIES_SHOWN
    template: str = "analytics/_split_charts.html"

    @property
    def asked_measures(self) -> tuple[str, ...]:
        return (*self.measures, self.ranked_by) if self.ranked_by else self.measures


def split_chart(title: str, *measures: str, ranked_by: str = "") -> Split:
    return Split("split", title, measures, ranked_by)


class Panel(NamedTuple):
    """How a metric is shown on its page."""

    label: str
    classes: str
    """CSS classes, for its size and style."""
    poll_seconds: int = POLL_SECONDS
    limit: int | None = None
    """The parameter `limit` of its request; None: the default of the API."""
    has_filters: bool = True
    """False: the panel ignores the window and the filters of the page."""
    is_above_grid: bool = False
    """True: the panel has the whole width, above all others."""
    split: Split | None = None
    order: int = 0
    """Panels are sorted by this number, and those with the same number as in METRICS."""


class Update(NamedTuple):
    """PUT to the URL of a metric, which changes what the metric reads."""

    view: View
    """Returns the metric's new answer: as JSON, or to htmx by the template, which is its second argument."""
    body: type[BaseModel]
    """For the API document, like the other two."""
    summary: str
    example: Mapping[str, Any]


class Metric(NamedTuple):
    route: str
    """Its page and its name, as in the URL."""
    question: Question
    ttl_seconds: int
    """The age in seconds that its answer may have."""
    summary: str
    """For the API document."""
    example: str
    """A query string for the API document."""
    panel: Panel
    panel_extras: PanelExtras = no_extras
    """Returns the variables of the panel's template in addition to `data`."""
    update: Update | None = None
    limits_series: bool = False
    """True: `limit` is the number of its series, each with a point for every bucket."""

    @property
    def domain(self) -> str:
        return self.route.partition("/")[0]

    @property
    def name(self) -> str:
        """Names its URL and its operation in the API document."""
        return self.route.replace("/", "-")

    @property
    def template(self) -> str:
        return f"analytics/{self.route.replace('-', '_')}.html"


class Page(NamedTuple):
    domain: str
    """Its panels are the metrics whose route begins with this word."""
    title: str
    other_routes: tuple[str, ...] = ()
    """Metrics of other pages whose panels it shows too, after its own."""

    @property
    def name(self) -> str:
        """Names its URL."""
        return f"{self.domain}-page"


def overview_panel() -> Panel:
    return Panel("Overview", "overview", is_above_grid=True)


# "/" redirects to the first.
PAGES = (Page("usage", "Usage"), Page("cost", "Cost"), Page("performance", "Performance"))

METRICS = {
    metric.route: metric
    for metric in (
        Metric(
            "usage/overview",
            usage.overview,
            OVERVIEW_TTL_SECONDS,
            summary="Calls, users and agents of the window, and their change.",
            example="range=7d",
            panel=overview_panel(),
            panel_extras=panel_extras.usage_overview,
        ),
        Metric(
            "usage/calls-over-time",
            usage.calls_over_time,
            SERIES_TTL_SECONDS,
            summary="Calls and errors in each bucket.",
            example="range=7d&granularity=daily",
            panel=Panel("Calls over time", "framed chart-panel wide", split=split_chart("Calls over time", "calls")),
            panel_extras=panel_extras.usage_calls_over_time,
        ),
        Metric(
            "usage/tokens",
            usage.tokens,
            SERIES_TTL_SECONDS,
            summary="Tokens of each class in each bucket, and the share of the input that caches gave.",
            example="range=30d&granularity=weekly&environment=production",
            panel=Panel(
                "Tokens over time",
                "framed chart-panel wide",
                split=split_chart("Tokens over time", "input_tokens", "output_tokens"),
            ),
            panel_extras=panel_extras.usage_tokens,
        ),
        Metric(
            "usage/agent-distribution",
            usage.agent_distribution,
            SERIES_TTL_SECONDS,
            summary="Each agent's share of the calls, its latency, error rate and cost.",
            example="range=24h&limit=5",
            panel=Panel("Agents", "framed table-panel wide"),
            panel_extras=panel_extras.agent_distribution,
        ),
        Metric(
            "usage/top-users",
            usage.top_users,
            SERIES_TTL_SECONDS,
            summary="The users with the most calls, and their trend.",
            example="range=30d&limit=20",
            panel=Panel("Top users", "framed table-panel"),
        ),
        Metric(
            "usage/scores",
            scores.scores,
            SERIES_TTL_SECONDS,
            summary="The scores of each name: how many, their average, and the share of each category.",
            example="range=30d",
            panel=Panel("Scores", "framed table-panel"),
        ),
        Metric(
            "cost/overview",
            cost.overview,
            OVERVIEW_TTL_SECONDS,
            summary="Spend of the window, and the month's budget and projection.",
            example="range=30d",
            panel=overview_panel(),
            panel_extras=panel_extras.cost_overview,
        ),
        Metric(
            "cost/trend",
            cost.trend,
            SERIES_TTL_SECONDS,
            summary="Spend of the most expensive models in each bucket.",
            example="range=30d&granularity=daily",
            panel=Panel(
                "Cost over time",
                "framed chart-panel wide",
                limit=SERIES_SHOWN,
                split=split_chart("Cost over time", "cost_usd"),
            ),
            panel_extras=panel_extras.cost_trend,
            limits_series=True,
        ),
        Metric(
            "cost/by-model",
            cost.by_model,
            SERIES_TTL_SECONDS,
            summary="Each model's calls, tokens, cost and share.",
            example="range=30d&label.customer=acme&label.customer=globex",
            panel=Panel(
                "Cost by model",
                "framed table-panel wide",
                split=Split(
                    "cost_by",
                    "Cost",
                    (
                        *("cost_usd", "cost_per_call_usd", "calls", "input_tokens", "output_tokens"),
                        *("cache_read_tokens", "unpriced_calls"),
                    ),
                    is_series=False,
                    limit=20,
                    template="analytics/cost/_by_dimension.html",
                ),
            ),
            panel_extras=panel_extras.cost_by_model,
        ),
        Metric(
            "cost/budget",
            cost.budget,
            LIVE_TTL_SECONDS,
            summary="The running month's limit, spend, projection and status.",
            example="",
            panel=Panel("Budget", "framed wide budget-panel", poll_seconds=60, has_filters=False, order=-1),
            panel_extras=panel_extras.cost_budget,
            update=Update(
                budget_view.update,
                BudgetUpdate,
                summary="Sets the limit and the alert threshold; a field that is left out keeps its value.",
                example=examples.BUDGET,
            ),
        ),
        Metric(
            "performance/overview",
            performance.overview,
            OVERVIEW_TTL_SECONDS,
            summary="Latency percentiles, error rate and requests per second, and their change.",
            example="range=24h&environment=production&not_release=42",
            panel=overview_panel(),
            panel_extras=panel_extras.performance_overview,
        ),
        Metric(
            "performance/latency",
            performance.latency,
            SERIES_TTL_SECONDS,
            summary="Latency percentiles in each bucket.",
            example="range=7d&granularity=hourly",
            panel=Panel(
                "Latency", "framed chart-panel", split=split_chart("p95 latency", "p95_latency_ms", ranked_by="calls")
            ),
            panel_extras=panel_extras.performance_latency,
        ),
        Metric(
            "performance/first-token",
            performance.first_token,
            SERIES_TTL_SECONDS,
            summary="Percentiles of the time to the first token in each bucket.",
            example="range=7d&granularity=hourly&release=42",
            panel=Panel(
                "Time to first token",
                "framed chart-panel",
                split=split_chart("p95 time to first token", "p95_first_token_ms", ranked_by="calls"),
            ),
            panel_extras=panel_extras.performance_first_token,
        ),
        Metric(
            "performance/tokens-per-second",
            performance.tokens_per_second,
            SERIES_TTL_SECONDS,
            summary="Output tokens per second of latency in each bucket.",
            example="range=7d&granularity=daily",
            panel=Panel(
                "Tokens per second",
                "framed chart-panel",
                split=split_chart("Tokens per second", "tokens_per_second", ranked_by="calls"),
            ),
            panel_extras=panel_extras.performance_tokens_per_second,
        ),
        Metric(
            "performance/throughput",
            performance.throughput,
            SERIES_TTL_SECONDS,
            summary="Calls by status in each bucket.",
            example="range=24h&granularity=hourly",
            panel=Panel("Throughput", "framed chart-panel", split=split_chart("Throughput", "calls")),
            panel_extras=panel_extras.performance_throughput,
        ),
        Metric(
            "performance/errors",
            performance.errors,
            LIVE_TTL_SECONDS,
            summary="Errors by type, with agents, users and a recent sample.",
            example="range=24h&limit=20",
            panel=Panel("Errors", "framed wide table-panel", order=1),
        ),
        Metric(
            "performance/tools",
            performance.tools,
            SERIES_TTL_SECONDS,
            summary="Each tool's calls, failures and latency.",
            example="range=7d&environment=production&limit=20",
            panel=Panel("Tools", "framed wide table-panel", limit=20),
        ),
    )
}
"""By route, in the order of the API document."""


def metrics_of(page: Page) -> list[Metric]:
    """Returns the metrics of a page in the order of its panels."""
    own = [metric for metric in METRICS.values() if metric.domain == page.domain]
    own.sort(key=lambda metric: (not metric.panel.is_above_grid, metric.panel.order))
    return [*own, *(METRICS[route] for route in page.other_routes)]
