"""Chooses traces: by what one of their spans is, and by what they are as wholes, as SQL."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal, NamedTuple, get_args

from explorer.summaries import TraceConditions
from traces.filters import Filters, FilterValues, sql_filter
from traces.row import CALL_OPERATIONS, TOOL_OPERATION

Sort = Literal["newest", "slowest", "costliest", "most_tokens"]
SORTS: tuple[Sort, ...] = get_args(Sort)
SORT_KEYS: dict[Sort, str] = {
    "newest": "extract(epoch FROM started_at)",
    "slowest": "latency_ms",
    "costliest": "cost_usd",
    "most_tokens": "coalesce(input_tokens, 0) + coalesce(output_tokens, 0)",
}
OPERATIONS = (*CALL_OPERATIONS, TOOL_OPERATION, "invoke_agent", "invoke_workflow", "other")
OF_THE_TRACE = ("status",)
"""Filters by what the whole trace is. All others are by what one of its spans is."""
WITH_INDEX = ("user_id", "session_id")
"""The rows with a value of these filters are found by an index."""
NO_VALUES = FilterValues()
# The texts that a search reads. In the order in which most searches find something.
SEARCHED = """concat_ws(
            E'\\n', name, trace_id, span_id, user_id, session_id, agent_id, model, tool, error_type, error_message
        )"""
IS_FOUND = "({texts} ILIKE ANY(%(patterns)s::text[]))"
SEARCHED_CONTENT = "attributes::text"


class Place(NamedTuple):
    """The last trace of a page. With an empty id: the time until which nothing was left out."""

    started_at: datetime
    trace_id: str
    sort: Sort = "newest"
    amount: float = 0.0
    """What the list is sorted by, if not by time."""


@dataclass(frozen=True)
class TraceFilters:
    """A window and filters, and what else the list of traces can be narrowed by."""

    filters: Filters
    tool: FilterValues = NO_VALUES
    search: str = ""
    searches_content: bool = False
    """The reader may see content, so the search finds it too."""
    min_latency_ms: float | None = None
    min_cost_usd: float | None = None
    has_error: bool | None = None
    sort: Sort = "newest"
    after: Place | None = None

    @property
    def span_filters(self) -> list[tuple[str, FilterValues]]:
        found = self.filters.values
        return [(name, found[name]) for name in self.filters.active_names if name not in OF_THE_TRACE]

    @property
    def spans_narrowed(self) -> bool:
        """Returns whether a span must meet a condition for its trace to be listed."""
        is_included = any(values.included for _, values in self.span_filters) or bool(self.tool.included)
        return is_included or bool(self.search) or self.has_error is True or bool(self.failed_statuses)

    @property
    def is_of_the_whole(self) -> bool:
        """Returns whether a trace is chosen or sorted by what all its spans are together."""
        wanted = (self.min_latency_ms, self.min_cost_usd, self.has_error)
        return self.sort != "newest" or any(value is not None for value in wanted) or "status" in self.filters.values

    @property
    def uses_index(self) -> bool:
        return any(name in WITH_INDEX and values.included for name, values in self.span_filters)

    @property
    def failed_statuses(self) -> tuple[str, ...]:
        """Returns the wanted statuses, unless success is among them: such a trace has a span with one of them."""
        included = self.filters.values.get("status", NO_VALUES).included
        return () if "success" in included else included

    @property
    def met(self) -> list[str]:
        """Returns the conditions that one span of a trace meets."""
        conditions = [found.included for found in self.sql_filters if found.included]
        return [*conditions, *(["operation = ANY(%(operation)s::text[])"] if self.operation.included else [])]

    @property
    def excluded(self) -> list[str]:
        """Returns the conditions that no span of a trace meets."""
        conditions = [found.excluded for found in self.sql_filters if found.excluded]
        return [*conditions, *(["operation = ANY(%(not_operation)s::text[])"] if self.operation.excluded else [])]

    @property
    def found(self) -> list[str]:
        content = [IS_FOUND.format(texts=SEARCHED_CONTENT)] if self.searches_content else []
        return [" OR ".join([IS_FOUND.format(texts=SEARCHED), *content])] if self.search else []

    @property
    def whole(self) -> list[str]:
        """Returns the conditions on the summary of a trace."""
        status = self.filters.values.get("status", NO_VALUES)
        conditions = {
            "started_at >= %(start)s AND started_at < %(end)s": True,
            self.after_sql("started_at", f"({SORT_KEYS[self.sort]})::float8"): self.after is not None,
            "status = ANY(%(status)s::text[])": bool(status.included),
            "status <> ALL(%(not_status)s::text[])": bool(status.excluded),
            "has_error = %(has_error)s": self.has_error is not None,
            "latency_ms >= %(min_latency_ms)s": self.min_latency_ms is not None,
            "cost_usd >= %(min_cost_usd)s": self.min_cost_usd is not None,
            f"({SORT_KEYS[self.sort]}) IS NOT NULL": self.sort != "newest",
        }
        return [condition for condition, is_active in conditions.items() if is_active]

    def after_sql(self, started_at: str, amount: str) -> str:
        """Returns the condition for the traces after those of the page before; the names are SQL."""
        if self.sort == "newest":
            return f"({started_at}, trace_id) < (%(after)s, %(after_id)s)"
        return f"({amount} < %(after_amount)s OR ({amount} = %(after_amount)s AND trace_id > %(after_id)s))"

    @property
    def of_a_span(self) -> list[str]:
        """Returns conditions that at least one span of each listed trace meets: all of them."""
        failed = ["status = ANY(%(status)s::text[])"] if self.failed_statuses else []
        any_error = ["status <> 'success'"] if self.has_error else []
        # A span that was found need not be the one that meets the filters. Either leads to the trace.
        return self.met or self.found or failed or any_error

    @property
    def operation(self) -> FilterValues:
        return self.filters.values.get("operation", NO_VALUES)

    @property
    def sql_filters(self) -> list[Any]:
        names, found = self.filters.active_names, self.filters.sql_filters
        of_spans = [one for name, one in zip(names, found, strict=True) if name not in OF_THE_TRACE]
        return [*of_spans, *([sql_filter("tool", "tool", "tool", self.tool)] if any(self.tool) else [])]

    @property
    def conditions(self) -> TraceConditions:
        return TraceConditions(
            met=joined(self.met),
            found=joined(self.found),
            excluded=" OR ".join(f"({condition}) IS TRUE" for condition in self.excluded) or "false",
            whole=joined(self.whole),
            params=self.params,
        )

    @property
    def params(self) -> dict[str, Any]:
        params = self.filters.params
        for found in self.sql_filters:
            params |= found.params
        return params | {
            "operation": list(self.operation.included),
            "not_operation": list(self.operation.excluded),
            "patterns": patterns(self.search, self.searches_content),
            "min_latency_ms": self.min_latency_ms,
            "min_cost_usd": self.min_cost_usd,
            "has_error": self.has_error,
            "after": self.after.started_at if self.after else None,
            "after_id": self.after.trace_id if self.after else None,
            "after_amount": self.after.amount if self.after else None,
        }

    def within(self, start: datetime, end: datetime) -> "TraceFilters":
        return replace(self, filters=replace(self.filters, start=start, end=end, range=None))


def joined(conditions: list[str]) -> str:
    return "\n            AND ".join(f"({condition})" for condition in conditions) or "true"


def patterns(search: str, with_json: bool) -> list[str]:
    """Returns the patterns of the search: as it is, and in other cases, since some databases know those of ASCII only.

    In content a quote or backslash stands as in JSON.
    """
    spellings = {search, search.lower(), search.upper(), search.title()} if search else set()
    if with_json:
        spellings |= {spelling.replace("\\", "\\\\").replace('"', '\\"') for spelling in spellings}
    return sorted(f"%{like(spelling)}%" for spelling in spellings)


def like(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
