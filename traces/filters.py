"""Filters choose the calls that a question is about: one window of one workspace, and a value for some dimensions.

DIMENSIONS lists every column that can be filtered. The query string and its description in the API document, the SQL
conditions, the cache keys, and the filter lists, chips and links of the pages are all made from it.
"""

from collections.abc import Container, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from traces.buckets import BUCKETS, UTC_ZONE, Granularity, bucket_starts, have_equal_length, next_start
from traces.row import CALL_OPERATIONS

Range = Literal["1h", "24h", "7d", "30d"]

RANGES: dict[Range, timedelta] = {
    "1h": timedelta(hours=1),
    "24h": timedelta(hours=24),
    "7d": timedelta(days=7),
    "30d": timedelta(days=30),
}
EARLIEST, LATEST = datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
BUCKET_ORIGIN = datetime(2000, 1, 3, tzinfo=UTC)  # the first bucket of time_bucket


class Dimension(NamedTuple):
    name: str
    """The query parameter, and the column of `traces` and of the rollups."""
    label: str
    """For people, as on the button of the filter list."""
    description: str
    """For the API document."""
    own_condition: str = ""
    """Replaces the usual SQL condition, which is equality if the filter has a value."""

    @property
    def condition(self) -> str:
        """Returns the SQL condition on `traces` and on rollups. PostgreSQL drops it where the filter has no value."""
        return self.own_condition or f"(%({self.name})s::text IS NULL OR {self.name} = %({self.name})s)"


DIMENSIONS = (
    Dimension("agent_id", "Agent", "Only this agent."),
    Dimension("model", "Model", "Only this model."),
    Dimension("provider", "Provider", "Only this provider, in any spelling: gemini and google are gcp.gemini."),
    Dimension(
        "operation",
        "Operation",
        "Only this operation; by default all model calls.",
        own_condition="operation = ANY(%(operations)s)",
    ),
)


FILTER_SQL = "\n      AND ".join(
    (
        "workspace_id = %(workspace_id)s",
        "timestamp >= %(start)s AND timestamp < %(end)s",
        *(dimension.condition for dimension in DIMENSIONS),
    )
)
"""The condition for the window's rows of `traces`. Its parameters are `Filters.params`."""


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
    values: Mapping[str, str] = field(default_factory=dict)
    """The value of each dimension that is filtered, by its name."""
    zone: ZoneInfo = UTC_ZONE
    """Its hours, days, weeks and months are the buckets of a series."""

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
    def active_filters(self) -> list[str]:
        """Returns the names of the dimensions that are filtered, in the order of DIMENSIONS."""
        return [dimension.name for dimension in DIMENSIONS if dimension.name in self.values]

    def conditions(self, keys: Container[str] | None = None) -> list[str]:
        """Returns the SQL conditions for rows of `traces`, or for a rollup with these keys.

        It leaves out those that have no effect, because PostgreSQL takes time to read and drop them.
        """
        return [
            dimension.condition
            for dimension in DIMENSIONS
            if (dimension.name in self.values or dimension.own_condition) and (keys is None or dimension.name in keys)
        ]

    @property
    def operations(self) -> list[str]:
        return [self.values["operation"]] if "operation" in self.values else list(CALL_OPERATIONS)

    @property
    def params(self) -> dict[str, Any]:
        """Returns the parameters that SQL binds by name."""
        return {
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
            **{dimension.name: self.values.get(dimension.name) for dimension in DIMENSIONS},
        }

    @property
    def cache_key(self) -> str:
        """Returns a key that is the same for every reader of one question: a relative range stays relative."""
        window = (self.range,) if self.range else (self.start.isoformat(), self.end.isoformat())
        active = [(name, self.values[name]) for name in self.active_filters]
        return repr((*window, self.granularity, self.zone.key, self.limit, active))

    def without(self, name: str) -> "Filters":
        """Returns the filters without the filter for this dimension."""
        return replace(self, values={other: value for other, value in self.values.items() if other != name})
