"""Filters choose the calls that a question is about: one window of one workspace, and values of some dimensions.

DIMENSIONS lists every column that can be filtered; each label is a dimension too, `label.customer` for one. The query
string and its description in the API document, the SQL conditions, the cache keys, and the filter lists, chips and
links of the pages are all made from it.
"""

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, NamedTuple, get_args
from uuid import UUID
from zoneinfo import ZoneInfo

from traces.buckets import BUCKETS, UTC_ZONE, Granularity, bucket_starts, have_equal_length, next_start
from traces.rollups.catalogue import LABEL
from traces.row import CALL_OPERATIONS, TOOL_OPERATION, Status

Range = Literal["1h", "24h", "7d", "30d", "today", "month"]

RANGES: dict[str, timedelta] = {
    "1h": timedelta(hours=1),
    "24h": timedelta(hours=24),
    "7d": timedelta(days=7),
    "30d": timedelta(days=30),
}
"""The length of each range that has one. The others begin with the day or the month of the zone."""
SHORTEST = timedelta(seconds=1)
"""A range has this length at least, also as its day begins."""
EARLIEST, LATEST = datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
BUCKET_ORIGIN = datetime(2000, 1, 3, tzinfo=UTC)  # the first bucket of time_bucket


LABEL_PREFIX = "label."
"""A filter by a label is named by it: label.customer."""


TEXTS_SQL = "%({parameter})s::text[]"


class Dimension(NamedTuple):
    name: str
    """The query parameter, and the column of `traces` and of the rollups if `key` does not say otherwise."""
    label: str
    """For people, as on the button of the filter list."""
    description: str
    """For the API document."""
    one_of: tuple[str, ...] = ()
    """All values that there can be. Empty: any text."""
    key: str = ""
    """The column, if it is not the name."""
    values_sql: str = TEXTS_SQL
    """The values of the filter as an array of the column's type."""
    own_condition: str = ""
    """Replaces the SQL conditions. It has an effect without a filter too."""
    search_sql: str = ""
    """A condition that rows with the included values meet, for an index."""

    @property
    def column(self) -> str:
        return self.key or self.name


DIMENSIONS = (
    Dimension("agent_id", "Agent", "Only this agent."),
    Dimension("model", "Model", "Only this model."),
    Dimension("provider", "Provider", "Only this provider, in any spelling: gemini and google are gcp.gemini."),
    Dimension(
        "operation",
        "Operation",
        "Only this operation; by default all model calls.",
        own_condition="operation = ANY(%(operations)s::text[])",
    ),
    Dimension("environment", "Environment", "Only this environment, like production."),
    Dimension("release", "Release", "Only this release: the version of the service or agent."),
    Dimension("status", "Status", "Only calls with this status.", one_of=get_args(Status)),
    Dimension("error_type", "Error type", "Only failed calls with this type of error."),
    Dimension(
        "user_id",
        "User",
        "Only calls for this user.",
        key="user_number",
        values_sql="""ARRAY(
          SELECT number
          FROM user_numbers
          WHERE workspace_id = %(workspace_id)s AND user_id = ANY(%({parameter})s::text[])
      )""",
    ),
    Dimension(
        "session_id",
        "Session",
        "Only calls of this session.",
        search_sql="""hashtextextended(session_id, uuid_hash_extended(workspace_id, 0)) = ANY(ARRAY(
          SELECT hashtextextended(value, uuid_hash_extended(%(workspace_id)s, 0))
          FROM unnest(%(session_id)s::text[]) AS value
      ))""",
    ),
)
DIMENSION_BY_NAME = {dimension.name: dimension for dimension in DIMENSIONS}


class FilterValues(NamedTuple):
    """The values of one filter. Their order is that of the query string."""

    included: tuple[str, ...] = ()
    """Rows with one of them pass. Empty: rows with any value do."""
    excluded: tuple[str, ...] = ()
    """Rows with one of them do not pass. Rows without a value do."""


def stored_values(filters: Mapping[str, Sequence[str]]) -> dict[str, FilterValues]:
    """Returns the values of each filter from the JSON of a row: {"agent_id": ["support"], "not_model": ["gpt-4o"]}."""
    return {
        name: FilterValues(tuple(filters.get(name, ())), tuple(filters.get(f"not_{name}", ())))
        for name in dict.fromkeys(name.removeprefix("not_") for name in filters)
    }


class SqlFilter(NamedTuple):
    """A filter as SQL."""

    key: str
    """The key that a rollup needs to know which of its rows pass."""
    included: str
    """True for a row with one of the included values. Empty if there are none."""
    excluded: str
    """True for a row with one of the excluded values, which does not pass."""
    params: dict[str, Any]
    on_sums: str = ""
    """The condition on a rollup, where it is not that on rows."""

    @property
    def conditions(self) -> list[str]:
        return [*filter(None, [self.included]), *(f"({value}) IS NOT TRUE" for value in filter(None, [self.excluded]))]


class LabelScope(NamedTuple):
    """Chooses from the rollups by label: the labels that a filter names, or all labels with a name to group by."""

    condition: str
    is_grouped: bool
    """The labels are a column of the answer, `label_number`."""


def sql_filter(key: str, column: str, parameter: str, values: FilterValues, values_sql: str = TEXTS_SQL) -> SqlFilter:
    """Returns the filter of a column, whose values are bound to `parameter` and `not_parameter`."""
    included, excluded = (
        f"{column} = ANY({values_sql.format(parameter=name)})" if some else ""
        for name, some in ((parameter, values.included), (f"not_{parameter}", values.excluded))
    )
    params = {parameter: list(values.included), f"not_{parameter}": list(values.excluded)}
    return SqlFilter(key, included, excluded, params)


def column_filter(dimension: Dimension, values: FilterValues, has_own: bool) -> SqlFilter:
    """Returns the filter of a dimension. With `has_own` the condition of its own takes the place of the usual one."""
    found = sql_filter(dimension.column, dimension.column, dimension.name, values, dimension.values_sql)
    if dimension.search_sql and found.included:
        found = found._replace(included=f"{dimension.search_sql}\n      AND {found.included}")
    return found._replace(included="", excluded="") if dimension.own_condition and has_own else found


def label_filter(place: int, name: str, values: FilterValues, scope: LabelScope | None) -> SqlFilter:
    """Returns the filter of a label. Clients choose its name, so it is a value in SQL, and its place names it."""
    found = sql_filter(name, f"(labels ->> %(label_{place}_name)s)", f"label_{place}", values)
    found = found._replace(params={**found.params, f"label_{place}_name": name.removeprefix(LABEL_PREFIX)})
    return found._replace(key=LABEL, on_sums=scope.condition) if scope and not scope.is_grouped else found


@dataclass(frozen=True, slots=True)
class Filters:
    """One half-open window of one workspace, and the filters that narrow it."""

    workspace_id: UUID
    start: datetime
    end: datetime
    granularity: Granularity
    limit: int = 10
    range: Range | None = None
    """Set if the window is relative to now."""
    values: Mapping[str, FilterValues] = field(default_factory=dict)
    """The values of each filter, by its name: that of a dimension, or of a label with its prefix."""
    zone: ZoneInfo = UTC_ZONE
    """Its hours, days, weeks and months are the buckets of a series."""
    label_scope: LabelScope | None = None
    """What the question needs of the rollups by label; `traces.sums` sets it. None: nothing that they can answer."""
    counts_tools: bool = False
    """It is about tool calls instead of model calls."""
    any_operation: bool = False
    """It is about spans of every operation, unless a filter names some."""

    @property
    def bucket(self) -> timedelta:
        """Returns the usual length of a bucket."""
        return BUCKETS[self.granularity]

    @property
    def bucket_starts(self) -> tuple[datetime, ...]:
        return bucket_starts(self.start, self.end, self.granularity, self.zone)

    @property
    def has_equal_buckets(self) -> bool:
        return have_equal_length(self.bucket_starts, self.end, self.bucket)

    def bucket_end(self, start: datetime) -> datetime:
        """Returns where the bucket ends that begins at `start`."""
        return next_start(start, self.granularity, self.zone)

    @property
    def bucket_offset(self) -> timedelta:
        """Returns how much later buckets of equal length begin than those of time_bucket."""
        return (self.bucket_starts[0] - BUCKET_ORIGIN) % self.bucket

    @property
    def previous(self) -> "Filters":
        """Returns the filters for the window of equal length immediately before."""
        return replace(self, start=self.start - (self.end - self.start), end=self.start)

    @property
    def active_names(self) -> list[str]:
        """Returns the names of the filters, in the order of DIMENSIONS and then by label."""
        columns = [name for name in DIMENSION_BY_NAME if name in self.values]
        return [*columns, *sorted(self.values.keys() - DIMENSION_BY_NAME.keys())]

    @property
    def sql_filters(self) -> list[SqlFilter]:
        """Returns the filters as SQL, in the order of `active_names`."""
        names = self.active_names
        columns = [name for name in names if name in DIMENSION_BY_NAME]
        labels = names[len(columns) :]
        return [
            *(column_filter(DIMENSION_BY_NAME[name], self.values[name], not self.any_operation) for name in columns),
            *(label_filter(place, name, self.values[name], self.label_scope) for place, name in enumerate(labels)),
            *self.grouped_labels,
        ]

    @property
    def grouped_labels(self) -> list[SqlFilter]:
        scope = self.label_scope
        return [SqlFilter(LABEL, scope.condition, "", {})] if scope and scope.is_grouped else []

    @property
    def active_filters(self) -> list[str]:
        """Returns the keys that a rollup needs to answer under these filters."""
        return [found.key for found in self.sql_filters]

    def conditions(self, keys: Container[str] | None = None) -> list[str]:
        """Returns the SQL conditions for rows of `traces`, or for a rollup with these keys."""
        always = [
            dimension.own_condition
            for dimension in DIMENSIONS
            if dimension.own_condition and not self.any_operation and (keys is None or dimension.column in keys)
        ]
        if keys is None:
            return [*always, *(condition for found in self.sql_filters for condition in found.conditions)]
        known = [found for found in self.sql_filters if found.key in keys]
        on_sums = ([found.on_sums] if found.on_sums else found.conditions for found in known)
        return [*always, *(condition for conditions in on_sums for condition in conditions)]

    @property
    def row_condition(self) -> str:
        """Returns the condition for the window's rows of `traces`."""
        window = ("workspace_id = %(workspace_id)s", "timestamp >= %(start)s AND timestamp < %(end)s")
        return "\n      AND ".join((*window, *self.conditions()))

    @property
    def operations(self) -> list[str]:
        """Returns the operations that count. Every tool call has the same one: a filter for another leaves none."""
        included, excluded = self.values.get("operation", FilterValues())
        usual = (TOOL_OPERATION,) if self.counts_tools else CALL_OPERATIONS
        counted = [operation for operation in included or usual if operation not in excluded]
        return [operation for operation in counted if operation in usual] if self.counts_tools else counted

    @property
    def params(self) -> dict[str, Any]:
        """Returns the parameters that SQL binds by name."""
        params = {
            "workspace_id": self.workspace_id,
            "start": self.start,
            "end": self.end,
            "bucket": self.bucket,
            "bucket_offset": self.bucket_offset,
            "first_bucket": self.bucket_starts[0],
            "bucket_starts": list(self.bucket_starts),
            "bucket_ends": [*self.bucket_starts[1:], self.end],
            "limit": self.limit,
            "operations": self.operations,
        }
        for found in self.sql_filters:
            params |= found.params
        return params

    @property
    def cache_key(self) -> str:
        """Returns a key that is the same for every reader of one question: a relative range stays relative."""
        if self.range in RANGES:
            window: tuple[str | None, ...] = (self.range,)
        else:
            window = (self.start.isoformat(), self.range or self.end.isoformat())
        active = [(name, *map(sorted, self.values[name])) for name in self.active_names]
        return repr((*window, self.granularity, self.zone.key, self.limit, active))

    def without(self, name: str) -> "Filters":
        """Returns the filters without the filter with this name."""
        return replace(self, values={other: values for other, values in self.values.items() if other != name})


def range_start(name: Range, now: datetime, zone: ZoneInfo) -> datetime:
    """Returns the first moment of a range that ends now."""
    if name in RANGES:
        return now - RANGES[name]
    midnight = now.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
    start = midnight.replace(day=1) if name == "month" else midnight
    return min(start.astimezone(UTC), now - SHORTEST)
