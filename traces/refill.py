"""Fills the followers for rows that were stored before there were followers, from the newest day back to the oldest.

It is the command `manage.py refill`, which an upgrade needs; after an upgrade of the embedded database the worker's
task `traces.refill` does it. Under the workspace's lock it adds at most ROWS_AT_ONCE rows in each transaction, with all
their sums, and moves `rollup_state.followed_since`. So it may be stopped at any time and run again while traces arrive,
and what is not filled yet is read from rows. The worker's task `traces.follow` fills the other end.

While a version is replaced, old processes store late rows that the followers do not get. `refill_again` sums the last
days anew. TimescaleDB does all this itself.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from django.conf import settings
from django.utils import timezone

from traces import engines, lookup, scores
from traces.db import rows
from traces.engines.postgresql import FOLLOW, FOLLOW_WIDER, begin_following, day_before, hour_of
from traces.filters import EARLIEST, LATEST
from traces.rollups import read_statement
from traces.write_cursor import WriteCursor, write_cursor

UNFOLLOW = read_statement("postgresql", "unfollow")
KEEP_REPLACED = read_statement("postgresql", "keep_replaced")
HOUR, DAY = timedelta(hours=1), timedelta(days=1)

# The workspace's writers wait for one transaction: for so many rows.
ROWS_AT_ONCE = 5_000
NOT_FILLED = """
SELECT workspace_id
FROM rollup_state
WHERE followed_since IS DISTINCT FROM %(earliest)s
ORDER BY workspace_id
"""
HAS_REPLACED = "SELECT to_regclass('replaced_sums.places_hourly') IS NOT NULL AS found"
NEWEST_REPLACED = """
SELECT max(bucket)
FROM replaced_sums.places_hourly
WHERE workspace_id = %(workspace_id)s AND bucket < %(before)s AND calls <> 0
"""
COUNTS = """
SELECT
    (
        SELECT count(*)
        FROM traces
        WHERE workspace_id = %(workspace_id)s AND timestamp >= %(since)s AND timestamp < %(until)s
    ),
    (
        SELECT coalesce(sum(calls), 0)
        FROM totals_minutely
        WHERE workspace_id = %(workspace_id)s AND bucket >= %(since)s AND bucket < %(until)s
    )
"""
DROP_REPLACED = "DROP SCHEMA IF EXISTS replaced_sums CASCADE"
SET_SINCE = "UPDATE rollup_state SET followed_since = %(since)s WHERE workspace_id = %(workspace_id)s"
# The minutes of `totals` have the number of all rows, and reading them takes no time.
ROWS_BY_TIME = """
SELECT time_bucket(%(width)s, bucket) AS part, sum(calls)::bigint AS number
FROM totals_minutely
WHERE workspace_id = %(workspace_id)s AND bucket >= %(since)s AND bucket < %(until)s AND calls > 0
GROUP BY part
ORDER BY part DESC
"""
OLDEST = "SELECT min(timestamp) FROM {table} WHERE workspace_id = %(workspace_id)s"


class Filled(NamedTuple):
    """A part of a day (UTC) that was filled."""

    day: date
    rows: int


def workspaces_to_refill() -> list[UUID]:
    """Returns the workspaces whose followers do not have all stored rows up to where they are filled."""
    if not engines.current().has_followers:
        return []
    return [row["workspace_id"] for row in rows(NOT_FILLED, {"earliest": EARLIEST})]


def is_needed() -> bool:
    """Returns whether a workspace has to be filled, or sums of version 0.1.0 are left that nobody needs."""
    return bool(workspaces_to_refill()) or rows(HAS_REPLACED, {})[0]["found"]


def refill(workspace_id: UUID) -> Iterator[Filled]:
    """Fills the followers back to the oldest row. Yields each part that is committed, the newest first."""
    begin_following(workspace_id, midnight_of(timezone.now()))
    filled = refill_next(workspace_id)
    while filled:
        yield filled
        filled = refill_next(workspace_id)


def refill_next(workspace_id: UUID) -> Filled | None:
    """Adds the newest rows that are not filled yet, of one day. Returns None if there are none."""
    with write_cursor() as cursor:
        engines.current().lock(cursor, workspace_id)
        before = cursor.followed_since
        newest = lookup.newest_before(cursor, workspace_id, before)
        replaced = newest_replaced(cursor, workspace_id, before)
        if replaced and (newest is None or midnight_of(newest) <= midnight_of(replaced)):
            end = min(before, midnight_of(replaced) + DAY)
            if not has_all_rows(cursor, workspace_id, midnight_of(replaced), end):
                return keep_replaced(cursor, workspace_id, midnight_of(replaced), end)
        if newest is None:
            set_since(cursor, workspace_id, EARLIEST)
            return None
        day = midnight_of(newest)
        since = start_of_newest(cursor, workspace_id, day, min(before, day + DAY))
        number = add_rows(cursor, workspace_id, since, before)
        # An hour whose first rows are not added yet stays out of the wider buckets.
        add_hours(cursor, workspace_id, ceiling(since), ceiling(before))
        set_since(cursor, workspace_id, since)
        return Filled(day.date(), number)


def newest_replaced(cursor: WriteCursor, workspace_id: UUID, before: datetime) -> datetime | None:
    """Returns the newest hour before `before` that the sums of version 0.1.0 have; None if there is none."""
    cursor.execute(HAS_REPLACED)
    if cursor.fetchone() != (True,):
        return None
    cursor.execute(NEWEST_REPLACED, {"workspace_id": workspace_id, "before": before})
    [(newest,)] = cursor.fetchall()
    hour: datetime | None = newest
    return hour


def has_all_rows(cursor: WriteCursor, workspace_id: UUID, since: datetime, until: datetime) -> bool:
    """Returns whether no retention has deleted rows of this time."""
    cursor.execute(COUNTS, {"workspace_id": workspace_id, "since": since, "until": until})
    [(stored, summed)] = cursor.fetchall()
    return bool(stored >= summed)


def keep_replaced(cursor: WriteCursor, workspace_id: UUID, day: datetime, until: datetime) -> Filled:
    """Takes the newest hours of a day from the sums of version 0.1.0: retention has deleted rows of them."""
    hour = hour_of(until)
    if hour < until:
        # The last minutes of this hour are filled from rows, and the old sums have the whole hour.
        params: dict[str, Any] = {"workspace_id": workspace_id, "since": hour, "until": hour + HOUR}
        cursor.execute(UNFOLLOW, params | {"until_hour": hour})
        until = hour + HOUR
    since = next(parts_of(rows_by_time(cursor, workspace_id, day, until, HOUR)), day)
    cursor.execute(KEEP_REPLACED, {"workspace_id": workspace_id, "since": since, "until": until})
    [(calls,)] = cursor.fetchall()
    set_since(cursor, workspace_id, since)
    return Filled(day.date(), int(calls))


def drop_replaced() -> None:
    """Drops the sums of version 0.1.0, unless a workspace still needs them."""
    if engines.current().has_followers and not workspaces_to_refill():
        with write_cursor() as cursor:
            cursor.execute(DROP_REPLACED)


def start_of_newest(cursor: WriteCursor, workspace_id: UUID, day: datetime, until: datetime) -> datetime:
    """Returns where the newest rows of the day before `until` begin, of whole minutes and not too many."""
    parts = list(parts_of(rows_by_time(cursor, workspace_id, day, until, timedelta(minutes=1))))
    return parts[0] if len(parts) > 1 else day


def parts_of(newest_first: Iterable[tuple[datetime, int]]) -> Iterator[datetime]:
    """Yields the start of each part of at most ROWS_AT_ONCE rows, or of one minute or hour that has more."""
    start, number = None, 0
    for part, rows_of_part in newest_first:
        if start and number + rows_of_part > ROWS_AT_ONCE:
            yield start
            number = 0
        start, number = part, number + rows_of_part
    if start:
        yield start


def refill_again(workspace_id: UUID, days: int) -> Iterator[Filled]:
    """Sums the rows of the last days anew. Yields each part that is committed, the newest first.

    Days whose rows have been deleted are left alone: only their sums are left of them.
    """
    with write_cursor() as cursor:
        engines.current().lock(cursor, workspace_id)
        since, until = cursor.followed_since, cursor.followed_until  # which the worker moves on meanwhile
        oldest = oldest_stored_day(cursor, workspace_id)
    if oldest is None or since == until:
        return
    midnight = midnight_of(until)
    first = max(midnight - (days - 1) * DAY, ceiling(since), oldest)
    while midnight + DAY > first:
        yield from refill_day_again(workspace_id, max(first, midnight), midnight + DAY)
        midnight -= DAY


def refill_day_again(workspace_id: UUID, since: datetime, until: datetime) -> Iterator[Filled]:
    with write_cursor() as cursor:
        hours = rows_by_time(cursor, workspace_id, since, until, HOUR)
    starts = list(parts_of(hours))
    # Hours without rows belong to the part before them, and the first part begins with the day.
    for start in [*starts[:-1], since]:
        with write_cursor() as cursor:
            engines.current().lock(cursor, workspace_id)
            end = min(until, cursor.followed_until)
            params: Any = {"workspace_id": workspace_id, "since": start, "until": end}
            cursor.execute(UNFOLLOW, params | {"until_hour": hour_of(end)})
            number = add_rows(cursor, workspace_id, start, end)
            add_hours(cursor, workspace_id, start, hour_of(end))
        yield Filled(since.date(), number)
        until = start


def refill_scores_again(workspace_id: UUID, days: int) -> None:
    """Sums the scores of the last days anew, of each day in a transaction. All engines need it after an upgrade."""
    with write_cursor() as cursor:
        oldest = oldest_stored_day(cursor, workspace_id, scores.TABLE)
    midnight = midnight_of(timezone.now())
    for day in (midnight - number * DAY for number in range(-1, days)):
        if oldest and oldest <= day:
            with write_cursor() as cursor:
                engines.current().lock(cursor, workspace_id)
                scores.sum_again(cursor, workspace_id, day, day + DAY)


def oldest_stored_day(cursor: WriteCursor, workspace_id: UUID, table: str = "traces") -> datetime | None:
    """Returns the first day whose rows are all stored: a retention may have deleted some of an older one."""
    cursor.execute(OLDEST.format(table=table), {"workspace_id": workspace_id})
    [(oldest,)] = cursor.fetchall()
    return max(midnight_of(oldest), day_before(timezone.now(), settings.RETENTION_DAYS)) if oldest else None


def rows_by_time(
    cursor: WriteCursor, workspace_id: UUID, since: datetime, until: datetime, width: timedelta
) -> Sequence[tuple[datetime, int]]:
    """Returns the minutes or hours that have rows, and how many, the newest first."""
    params = {"workspace_id": workspace_id, "since": since, "until": until, "width": width}
    cursor.execute(ROWS_BY_TIME, params)
    return cursor.fetchall()


def add_rows(cursor: WriteCursor, workspace_id: UUID, since: datetime, until: datetime) -> int:
    cursor.execute(FOLLOW, {"workspace_id": workspace_id, "since": since, "until": until})
    [(number,)] = cursor.fetchall()
    return int(number)


def add_hours(cursor: WriteCursor, workspace_id: UUID, since: datetime, until: datetime) -> None:
    if since < until:
        cursor.execute(FOLLOW_WIDER, {"workspace_id": workspace_id, "since": since, "until": until})


def set_since(cursor: WriteCursor, workspace_id: UUID, since: datetime) -> None:
    cursor.execute(SET_SINCE, {"workspace_id": workspace_id, "since": since})


def ceiling(moment: datetime) -> datetime:
    return hour_of(moment + HOUR - timedelta(microseconds=1)) if moment < LATEST else moment


def midnight_of(moment: datetime) -> datetime:
    return datetime.combine(moment.astimezone(UTC).date(), time(), UTC)
