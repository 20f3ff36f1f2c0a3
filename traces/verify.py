"""Compares all sums with the rows that they are made from, some days at once: the command `manage.py verify`.

Days whose rows have been deleted are left out: their sums stay. `traces/rollups/verification.py` makes the SQL.
"""

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

from django.conf import settings
from django.db import connections, transaction
from django.utils import timezone

from traces import engines, session_summaries, trace_totals
from traces.db import rows
from traces.filters import BUCKET_ORIGIN, EARLIEST, LATEST
from traces.rollups import read_statement
from traces.rollups.catalogue import CATALOGUE, HOUR, WEEK, Rollup, UserSetTable
from traces.rollups.verification import summed_copies, unpacked_rows
from traces.windows import literal

DAY = timedelta(days=1)
ROWS_AT_ONCE = 50_000
"""How many rows a statement sums: so many days at once. It keeps the database's memory flat."""
SHOWN = 10
"""How many differences of one statement are shown. There may be as many as buckets."""
DAILY = ("row_numbers", "score_sums", *(entry.name for entry in CATALOGUE))
WEEKLY = tuple(entry.table(WEEK) for entry in CATALOGUE if WEEK in entry.widths)
STATEMENTS = {
    **{name: read_statement("verification", name) for name in (*DAILY, "label_rows", *WEEKLY)},
    trace_totals.TABLE: trace_totals.DIFFERENCES,
    session_summaries.TABLE: session_summaries.DIFFERENCES,
}
# By the index of the key: a SELECT DISTINCT would read every row.
STORED_WORKSPACES = """
WITH RECURSIVE stored AS (
    (SELECT workspace_id FROM traces ORDER BY workspace_id LIMIT 1)
    UNION ALL
    SELECT (
        SELECT traces.workspace_id FROM traces WHERE traces.workspace_id > stored.workspace_id
        ORDER BY traces.workspace_id LIMIT 1
    )
    FROM stored
    WHERE stored.workspace_id IS NOT NULL
)
SELECT workspace_id FROM stored WHERE workspace_id IS NOT NULL
UNION
SELECT workspace_id FROM scores
ORDER BY workspace_id
"""
# The planner expects few sums, and would compare each with each in a nested loop. Sorting texts for a merge takes twice
# the time of hashing them.
SETTINGS = (
    "SET LOCAL statement_timeout = 0; SET LOCAL enable_nestloop = off;"
    " SET LOCAL enable_mergejoin = off; SET LOCAL enable_sort = off"
)
STORED_TIME = """
SELECT
    least(
        (SELECT min(timestamp) FROM traces WHERE workspace_id = %(workspace_id)s),
        (SELECT min(timestamp) FROM scores WHERE workspace_id = %(workspace_id)s)
    ) AS oldest
"""
ROWS_BY_TIME = """
SELECT time_bucket(%(width)s, timestamp) AS start, count(*) AS number
FROM traces
WHERE workspace_id = %(workspace_id)s AND timestamp >= %(start)s
GROUP BY 1
"""
# Where the followers of a workspace on PostgreSQL are filled, as a statement reads it in its own snapshot.
STATE = "(SELECT coalesce({}, timestamptz '2000-01-01 00:00:00+00') FROM rollup_state WHERE workspace_id = '{}'::uuid)"


class Difference(NamedTuple):
    table: str
    bucket: datetime
    key: dict[str, Any]
    values: dict[str, tuple[Any, Any]]
    """For each measure that differs the stored value, and that of the rows."""


class Period(NamedTuple):
    """Whole days, or whole weeks."""

    start: datetime
    end: datetime


class Verified(NamedTuple):
    """The sums of a period."""

    period: Period
    number: int
    """Of the differences."""
    shown: list[Difference]
    """At most SHOWN of each statement."""


def stored_workspaces() -> list[UUID]:
    return [found["workspace_id"] for found in rows(STORED_WORKSPACES, {})]


def verify(workspace_id: UUID) -> Iterator[Verified]:
    """Yields each period, first those of days and then those of weeks, with the sums that differ from its rows."""
    [stored] = rows(STORED_TIME, {"workspace_id": workspace_id})
    if stored["oldest"] is None:
        return
    first = first_whole_day(stored["oldest"])
    for names, width in ((DAILY, DAY), (WEEKLY, 7 * DAY)):
        start = first if width == DAY else -(-(first - BUCKET_ORIGIN) // width) * width + BUCKET_ORIGIN
        for period in periods(rows_by_time(workspace_id, start, width), start, timezone.now() + DAY, width):
            yield verified(workspace_id, names, period)


def rows_by_time(workspace_id: UUID, start: datetime, width: timedelta) -> dict[datetime, int]:
    params = {"workspace_id": workspace_id, "start": start, "width": width}
    with transaction.atomic(using="analytics"), connections["analytics"].cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = 0")
        return {found["start"]: found["number"] for found in rows(ROWS_BY_TIME, params, None)}


def periods(
    number_of_rows: Mapping[datetime, int], start: datetime, until: datetime, width: timedelta
) -> Iterator[Period]:
    """Yields periods of at most ROWS_AT_ONCE rows, or of one day or week that has more."""
    end, number = start, 0
    while end < until:
        if end > start and number + number_of_rows.get(end, 0) > ROWS_AT_ONCE:
            yield Period(start, end)
            start, number = end, 0
        number += number_of_rows.get(end, 0)
        end += width
    if start < end:
        yield Period(start, end)


def first_whole_day(oldest: datetime) -> datetime:
    """Returns the first day whose rows are all stored: a retention may have deleted some of an older one."""
    kept = (timezone.now() - timedelta(days=settings.RETENTION_DAYS)).astimezone(UTC)
    return max(moment.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0) for moment in (oldest, kept))


def verified(workspace_id: UUID, statements: tuple[str, ...], period: Period) -> Verified:
    names = list(statements)
    if "row_numbers" in names and engines.current().has_label_rows:
        names.append("label_rows")
    if statements is DAILY and engines.current().has_followers:
        names += [trace_totals.TABLE, session_summaries.TABLE]
    found = differences(workspace_id, names, period)
    if any(number for number, _ in found.values()):
        # The sums of late rows may be under way.
        engines.current().fill_now(*period)
        found |= differences(workspace_id, [name for name, (number, _) in found.items() if number], period)
    return Verified(
        period,
        sum(number for number, _ in found.values()),
        [difference for _, shown in found.values() for difference in shown],
    )


def differences(workspace_id: UUID, names: list[str], period: Period) -> dict[str, tuple[int, list[Difference]]]:
    """Returns for each statement the number of differences, and some of them."""
    tables = Tables(workspace_id)
    return {name: differences_of(tables, name, period) for name in names}


def differences_of(tables: "Tables", name: str, period: Period) -> tuple[int, list[Difference]]:
    around = {"first": period.start - trace_totals.LONGEST_TRACE, "last": period.end + trace_totals.LONGEST_TRACE}
    params = {
        "workspace_id": tables.workspace_id,
        "start": period.start,
        "end": period.end,
        **around,
        "limit": SHOWN,
        "most_spans": trace_totals.MOST_SPANS,
        "first_of_session": EARLIEST,
    }
    with transaction.atomic(using="analytics"), connections["analytics"].cursor() as cursor:
        cursor.execute(SETTINGS)
        found = rows(STATEMENTS[name], params, None, **tables.names)
    return (found[0]["differing"] if found else 0), [difference_in(one) for one in found]


def difference_in(found: dict[str, Any]) -> Difference:
    key, measures = (json.loads(found[name], parse_float=Decimal) for name in ("key", "measures"))
    return Difference(found["name"], found["bucket"], key, {name: tuple(pair) for name, pair in measures.items()})


class Tables:
    """The tables of sums of the current engine, and the time that each is filled for, as SQL."""

    def __init__(self, workspace_id: UUID) -> None:
        self.workspace_id = workspace_id
        self.state = engines.rollup_states(workspace_id)[workspace_id]
        self.names: dict[str, str] = {}
        for entry in CATALOGUE:
            self.add_entry(entry)
        self.names |= trace_totals.names_of_differences(self.of_state("traces_until"))
        self.names["sessions_until"] = self.of_state("sessions_until")

    def add_entry(self, entry: Rollup | UserSetTable) -> None:
        since, until = literal(EARLIEST), literal(LATEST)
        if not self.state.aggregates:
            since, until = self.filled_rows(entry)
        self.names |= {f"{entry.name}_rows_since": since, f"{entry.name}_rows_until": until}
        for table in entry.tables.values():
            since, until = self.filled_buckets(entry, table)
            self.names |= {
                table: self.stored_sums(entry, table),
                f"{table}_since": since,
                f"{table}_until": until,
            }

    def stored_sums(self, entry: Rollup | UserSetTable, table: str) -> str:
        """Returns SQL for a FROM with the sums of a table, one row for each combination of all keys."""
        if self.state.aggregates:
            return summed_copies(entry, self.state.stored_table(self.known_table(entry, table)))
        return unpacked_rows(entry, table) if isinstance(entry, Rollup) and entry.packed else table

    def known_table(self, entry: Rollup | UserSetTable, table: str) -> str:
        """Returns the table, or one of the same columns where the engine lacks it: it is filled for no time."""
        return table if self.state.has_table(table) else next(iter(entry.aggregates.values()))

    def filled_rows(self, entry: Rollup | UserSetTable) -> tuple[str, str]:
        """Returns the time of the rows that any of the tables has."""
        if isinstance(entry, UserSetTable):
            return literal(EARLIEST), self.of_state("filled_until")
        if entry.is_follower:
            return self.of_state("followed_since"), self.of_state("followed_until")
        return literal(EARLIEST), literal(LATEST) if entry.is_filled_by_inserts else self.of_state("filled_until")

    def filled_buckets(self, entry: Rollup | UserSetTable, table: str) -> tuple[str, str]:
        """Returns the time of the narrowest buckets that the table has."""
        if self.state.aggregates:
            filled = self.state.aggregates.get(table)
            return literal(EARLIEST), literal(filled.watermark if filled else EARLIEST)
        is_narrowest = isinstance(entry, Rollup) and table == entry.narrowest
        if is_narrowest:
            return literal(EARLIEST), literal(LATEST)
        if isinstance(entry, Rollup) and entry.is_follower:
            hour = f"time_bucket('{HOUR.interval}', {{}})"
            after = f"{self.of_state('followed_since')} + interval '{HOUR.interval}' - interval '1 microsecond'"
            return hour.format(after), hour.format(self.of_state("followed_until"))
        return literal(EARLIEST), self.of_state("filled_until")

    def of_state(self, column: str) -> str:
        return STATE.format(column, self.workspace_id)
