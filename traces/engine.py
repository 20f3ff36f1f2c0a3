"""Which engine the analytics database runs on, and what of that concerns readers and writers."""

import time
from collections.abc import Callable, Mapping, Set
from contextvars import ContextVar
from datetime import datetime
from typing import NamedTuple, TypeVar
from uuid import UUID

from django.conf import settings
from django.db import connections

from traces.db import rows
from traces.filters import EARLIEST, LATEST

# A rollup is a view on TimescaleDB and a table elsewhere: what counts is how the schema was made.
ROLLUP_KIND = "SELECT relkind::text AS kind FROM pg_class WHERE oid = to_regclass('totals_hourly')"
# Installed in the database, or at least loaded by the server: packages alone do not make it usable.
AVAILABLE = """
SELECT EXISTS (SELECT FROM pg_available_extensions WHERE name = 'timescaledb')
    AND (
        EXISTS (SELECT FROM pg_extension WHERE extname = 'timescaledb')
        OR EXISTS (SELECT FROM pg_settings WHERE name = 'timescaledb.disable_load')
    ) AS is_available
"""

Answer = TypeVar("Answer")


class Aggregate(NamedTuple):
    """A continuous aggregate of TimescaleDB, as far as it is materialized."""

    table: str
    watermark: datetime
    """Of the rows before, `table` has the sums; those from here on are read themselves. It only moves forward."""


known: dict[tuple[str, ...], bool] = {}
known_aggregates: dict[tuple[str, ...], tuple[float, dict[str, Aggregate]]] = {}
"""Those of each database, and when they were read."""
# Of a page whose panels are asked at once, one asks; beyond the watermarks there is so much more to read.
WATERMARK_SECONDS = 10


def forget() -> None:
    """What was known of the schema, after it was changed."""
    known.clear()
    known_aggregates.clear()


def is_timescaledb() -> bool:
    """Asked of each database once."""
    if database() not in known:
        kinds = rows(ROLLUP_KIND, {})
        if not kinds:
            return False  # before the migrations
        known[database()] = kinds[0]["kind"] == "v"
    return known[database()]


def database() -> tuple[str, ...]:
    config = connections["analytics"].settings_dict
    return tuple(str(config[name]) for name in ("HOST", "PORT", "NAME"))


def will_be_timescaledb() -> bool:
    """What the migrations make of a database: as forced, else TimescaleDB wherever there is one."""
    if settings.ANALYTICS_ENGINE:
        return bool(settings.ANALYTICS_ENGINE == "timescaledb")
    [server] = rows(AVAILABLE, {})
    return bool(server["is_available"])


class RollupState(NamedTuple):
    filled_until: datetime
    """From where on only the narrowest buckets of a rollup hold rows. It only ever moves forward."""
    is_steady: bool = False
    """It does not move while an answer is computed, so that the day and week that have begun can be read so far."""
    aggregates: Mapping[str, Aggregate] = {}
    """By rollup table, on TimescaleDB alone."""

    def table_filled_until(self, table: str, is_counted_at_once: bool) -> datetime:
        """Where the rows begin that the rollup table may not hold."""
        if self.aggregates:
            return self.aggregates[table].watermark
        return LATEST if is_counted_at_once else self.filled_until

    def table(self, name: str) -> str:
        """The one that holds those before."""
        return self.aggregates[name].table if self.aggregates else name


seen: ContextVar[dict[UUID, RollupState] | None] = ContextVar("seen", default=None)


def rollup_states(*workspace_ids: UUID) -> dict[UUID, RollupState]:
    read = seen.get()
    if read is None:
        return asked(set(workspace_ids))
    read |= asked(set(workspace_ids) - read.keys(), is_steady=True)
    return read


def asked(workspace_ids: set[UUID], is_steady: bool = False) -> dict[UUID, RollupState]:
    if not workspace_ids:
        return {}
    if is_timescaledb():
        return dict.fromkeys(workspace_ids, RollupState(LATEST, aggregates=aggregates()))
    return {
        workspace_id: RollupState(before, is_steady) for workspace_id, before in closed_before(workspace_ids).items()
    }


def aggregates() -> dict[str, Aggregate]:
    """By rollup table. A watermark that has moved since does no harm: what is summed now was a row before."""
    read_at, found = known_aggregates.get(database(), (0.0, {}))
    if not found or time.monotonic() > read_at + WATERMARK_SECONDS:
        found = {aggregate.pop("name"): Aggregate(**aggregate) for aggregate in rows(AGGREGATES, {})}
        known_aggregates[database()] = time.monotonic(), found
    return found


def recompute_if_hour_closed(compute: Callable[[], Answer]) -> Answer:
    """What `compute` answers, with every hour in it once.

    An hour that is closed meanwhile would be in its day, and once more in the narrow buckets beside it. Then the
    answer is computed again without the day and week that have begun: no closing changes the others.
    """
    read: dict[UUID, RollupState] = {}
    token = seen.set(read)
    try:
        answer = compute()
    finally:
        seen.reset(token)
    hours = {workspace_id: was.filled_until for workspace_id, was in read.items() if was.is_steady}
    if hours == closed_before(hours.keys()):
        return answer
    return compute()


def closed_before(workspace_ids: Set[UUID]) -> dict[UUID, datetime]:
    if not workspace_ids:
        return {}
    found = rows(CLOSED_HOURS, {"workspace_ids": list(workspace_ids)})
    return dict.fromkeys(workspace_ids, EARLIEST) | {hours["workspace_id"]: hours["closed_before"] for hours in found}


CLOSED_HOURS = """
SELECT workspace_id, closed_before
FROM closed_hours
WHERE workspace_id = ANY(%(workspace_ids)s)
"""

# Of an aggregate that nothing is summed in yet the watermark is the beginning of time.
AGGREGATES = f"""
SELECT
    user_view_name::text AS name,
    format('%%I.%%I', schema_name, table_name) AS table,
    greatest(_timescaledb_functions.to_timestamp(watermark), timestamptz '{EARLIEST.isoformat()}') AS watermark
FROM _timescaledb_catalog.continuous_agg
JOIN _timescaledb_catalog.hypertable ON hypertable.id = mat_hypertable_id
JOIN _timescaledb_catalog.continuous_aggs_watermark USING (mat_hypertable_id)
WHERE user_view_schema = current_schema()
"""  # noqa: S608 (a constant)
