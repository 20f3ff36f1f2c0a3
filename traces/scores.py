"""Scores: what people, evaluators and code think of a trace, a span or a session. Their table, and the sums of it.

A score takes agent, provider, model and user from its trace. It may come before the trace: whenever spans of the trace
are stored, `correct` gives its scores the new values. Every statement here runs under the workspace's lock
(`writer.writing`), so that the sums stay equal to the rows: the old row is taken away and the new one added.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

import orjson
from django.conf import settings

from traces import engines
from traces.row import CALL_OPERATIONS, Row
from traces.write_cursor import WriteCursor, write_cursor
from web.queue import for_each

TABLE = "scores"
SUM_TABLES = ("score_sums_hourly", "score_places_hourly")
"""The sums. Versions before environment and release wrote the first; the view `score_sums` adds both up."""
SEARCH_DISTANCE = timedelta(days=7)
"""How far from the day of a score its trace is looked for. If nothing is there, all stored days are searched."""
DAY = timedelta(days=1)


@dataclass(slots=True, frozen=True, kw_only=True)
class Score:
    id: str
    timestamp: datetime
    name: str
    trace_id: str | None = None
    span_id: str | None = None
    session_id: str | None = None
    number: Decimal | None = None
    """The value if it is a number. Of a boolean it is 1 or 0."""
    category: str | None = None
    """The value if it is a text. Of a boolean it is `true` or `false`."""
    comment: str | None = None
    source: str
    author: str | None = None
    """The credential that sent it."""
    has_own_time: bool = field(default=True, compare=False)
    """Not stored: false where the client gave no time, so that `timestamp` is that of its arrival."""
    # Of its trace, or of its span if that is stored:
    agent_id: str | None = None
    provider: str | None = None
    model: str | None = None
    operation: str | None = None
    """Of its span; None for a score of a whole trace or of a session."""
    user_id: str | None = None
    environment: str | None = None
    release: str | None = None
    labels: dict[str, str] | None = None


class StoreResult(NamedTuple):
    accepted: int
    updated: int
    duplicates: int


COLUMNS = {column.name: "text" for column in fields(Score) if column.name != "has_own_time"}
COLUMNS |= {"timestamp": "timestamptz", "number": "numeric", "labels": "jsonb"}
HAS_SCORES = "SELECT EXISTS (SELECT FROM scores WHERE workspace_id = %(workspace_id)s)"
BY_IDS = """
SELECT {names}
FROM scores
WHERE workspace_id = %(workspace_id)s AND id = ANY(%(ids)s::text[])
"""
BY_TRACES = """
SELECT {names}
FROM scores
WHERE workspace_id = %(workspace_id)s AND trace_id = ANY(%(trace_ids)s::text[])
"""
WRITE = """
INSERT INTO scores (workspace_id, {names})
SELECT %(workspace_id)s, {names}
FROM json_to_recordset(%(scores)s::json) AS batch ({types})
ON CONFLICT (workspace_id, id) DO UPDATE SET {updates}
"""
# Reads no table: Citus reads those of a writing statement at a time of its own, and the replaced scores are known.
ADD_SUMS = """
WITH changes AS (
    SELECT 1 AS sign, *
    FROM json_to_recordset(%(scores)s::json) AS batch ({types})
    UNION ALL
    SELECT -1 AS sign, *
    FROM json_to_recordset(%(replaced)s::json) AS replaced ({types})
)
INSERT INTO score_places_hourly (workspace_id, bucket, {keys}, scores, numbers, number, squared_number)
SELECT
    %(workspace_id)s,
    date_bin('1 hour', timestamp, timestamptz '2000-01-03 00:00:00+00'),
    {keys},
    sum(sign),
    sum(sign * (number IS NOT NULL)::integer),
    sum(sign * coalesce(number, 0)),
    sum(sign * coalesce(number * number, 0))
FROM changes
GROUP BY 2, {keys}
ORDER BY 2, {keys}
ON CONFLICT (workspace_id, bucket, {keys}) DO UPDATE SET
    scores = score_places_hourly.scores + excluded.scores,
    numbers = score_places_hourly.numbers + excluded.numbers,
    number = score_places_hourly.number + excluded.number,
    squared_number = score_places_hourly.squared_number + excluded.squared_number
"""
SUM_KEYS = ("name", "agent_id", "provider", "model", "category", "environment", "release")
NAMES_SQL = {
    "keys": ", ".join(SUM_KEYS),
    "names": ", ".join(COLUMNS),
    "types": ", ".join(f"{name} {kind}" for name, kind in COLUMNS.items()),
    "updates": ", ".join(f"{name} = excluded.{name}" for name in COLUMNS if name != "id"),
}
BY_IDS, BY_TRACES, WRITE, ADD_SUMS = (sql.format_map(NAMES_SQL) for sql in (BY_IDS, BY_TRACES, WRITE, ADD_SUMS))


def store(cursor: WriteCursor, workspace_id: UUID, scores: Iterable[Score]) -> StoreResult:
    """Stores the scores. Of several copies with one id the newest stays; of two of the same time, the later to come."""
    copies = list(scores)
    newest: dict[str, Score] = {}
    for score in copies:
        if score.id not in newest or score.timestamp >= newest[score.id].timestamp:
            newest[score.id] = score
    stored = stored_scores(cursor, workspace_id, newest)
    found = rows_of_their_traces(cursor, workspace_id, newest.values())
    current = [with_facts(score, found) for score in newest.values()]
    changed = [score for score in current if score.id not in stored or replaces(score, stored[score.id])]
    write(cursor, workspace_id, changed, [stored[score.id] for score in changed if score.id in stored])
    added = len(newest.keys() - stored.keys())
    updated = len(changed) - added
    return StoreResult(added, updated, len(copies) - added - updated)


def correct(cursor: WriteCursor, workspace_id: UUID, rows: Iterable[Row]) -> None:
    """Gives the scores of the traces of these rows, which were just stored, the values that the traces have now."""
    cursor.execute(HAS_SCORES, {"workspace_id": workspace_id}, prepare=True)
    if cursor.fetchone() != (True,):
        return
    trace_ids = sorted({row.trace_id for row in rows})
    cursor.execute(BY_TRACES, {"workspace_id": workspace_id, "trace_ids": trace_ids})
    scores = scores_in(cursor)
    if scores:
        found = rows_of_their_traces(cursor, workspace_id, scores)
        corrected = [with_facts(score, found) for score in scores]
        changed = [(new, old) for new, old in zip(corrected, scores, strict=True) if new != old]
        write(cursor, workspace_id, [new for new, _ in changed], [old for _, old in changed])


def replaces(score: Score, stored: Score) -> bool:
    """Tells whether the copy is newer than the stored one, and says something else. The first author stays."""
    timestamp = score.timestamp if score.has_own_time else stored.timestamp
    return score.timestamp >= stored.timestamp and replace(score, author=stored.author, timestamp=timestamp) != stored


def stored_scores(cursor: WriteCursor, workspace_id: UUID, ids: Iterable[str]) -> dict[str, Score]:
    cursor.execute(BY_IDS, {"workspace_id": workspace_id, "ids": list(ids)})
    return {score.id: score for score in scores_in(cursor)}


def scores_in(cursor: WriteCursor) -> list[Score]:
    found = (dict(zip(COLUMNS, values, strict=True)) for values in cursor.fetchall())
    return [Score(**values | {"labels": read_labels(values["labels"])}) for values in found]


def read_labels(text: str | None) -> dict[str, str] | None:
    """Returns the labels. The connection leaves JSON as text."""
    return orjson.loads(text) if text else None


def write(cursor: WriteCursor, workspace_id: UUID, scores: Sequence[Score], replaced: Sequence[Score]) -> None:
    """Stores the scores, and takes from the sums what they replace."""
    if scores:
        params = {"workspace_id": workspace_id, "scores": as_json(scores), "replaced": as_json(replaced)}
        cursor.execute(WRITE, params)
        cursor.execute(ADD_SUMS, params)


def as_json(scores: Iterable[Score]) -> str:
    values = [{name: getattr(score, name) for name in COLUMNS} for score in scores]
    return orjson.dumps(values, default=str).decode()


# An old process does not know the environment of a score that it replaces.
SUM_AGAIN = """
INSERT INTO score_places_hourly (workspace_id, bucket, {keys}, scores, numbers, number, squared_number)
SELECT
    workspace_id,
    date_bin('1 hour', timestamp, timestamptz '2000-01-03 00:00:00+00') AS bucket,
    {keys},
    count(*),
    count(number),
    coalesce(sum(number), 0),
    coalesce(sum(number * number), 0)
FROM scores
WHERE workspace_id = %(workspace_id)s AND timestamp >= %(since)s AND timestamp < %(until)s
GROUP BY workspace_id, bucket, {keys}
""".format_map(NAMES_SQL)
DELETE_SUMS = """
DELETE FROM {table}
WHERE workspace_id = %(workspace_id)s AND bucket >= %(since)s AND bucket < %(until)s
"""


def sum_again(cursor: WriteCursor, workspace_id: UUID, since: datetime, until: datetime) -> None:
    """Sums the scores of these whole hours anew."""
    params = {"workspace_id": workspace_id, "since": since, "until": until}
    for table in SUM_TABLES:
        cursor.execute(DELETE_SUMS.format(table=table), params)
    cursor.execute(SUM_AGAIN, params)


# --- What a score takes from its trace ---

# By the index of traces, as in lookup.py: once for each trace and week.
ROWS_OF_TRACES = """
SELECT
    found.trace_id,
    found.span_id,
    found.parent_span_id,
    found.operation,
    found.agent_id,
    found.provider,
    found.model,
    found.user_id,
    found.environment,
    found.release,
    found.labels
FROM unnest(%(trace_ids)s::text[]) AS wanted (trace_id)
CROSS JOIN LATERAL generate_series(
    date_bin('168 hours', %(first)s, timestamptz '2000-01-03 00:00:00+00'), %(last)s, interval '168 hours'
) AS week
JOIN LATERAL (
    SELECT *
    FROM traces
    WHERE {workspace}
        AND timestamp BETWEEN %(first)s AND %(last)s
        AND date_bin('168 hours', timestamp, timestamptz '2000-01-03 00:00:00+00') = week
        AND {in_week}
        AND hashtextextended(trace_id, uuid_hash_extended(workspace_id, 0))
            = hashtextextended(wanted.trace_id, uuid_hash_extended(%(workspace_id)s, 0))
    OFFSET 0
) AS found ON found.trace_id = wanted.trace_id
ORDER BY found.timestamp, found.span_id
"""


class TraceRow(NamedTuple):
    trace_id: str
    span_id: str
    parent_span_id: str | None
    operation: str
    agent_id: str
    provider: str | None
    model: str | None
    user_id: str | None
    environment: str | None
    release: str | None
    labels: Any


Search = tuple[datetime, str]
"""The day of a score and its trace. A score finds the same rows, whichever others it came with."""
FoundRows = dict[Search, list[TraceRow]]
"""The rows of each trace, the oldest first."""


def search_of(score: Score) -> Search:
    return day_of(score.timestamp), score.trace_id or ""


def day_of(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def rows_of_their_traces(cursor: WriteCursor, workspace_id: UUID, scores: Iterable[Score]) -> FoundRows:
    """Returns the stored rows of the traces that the scores belong to."""
    searches = {search_of(score) for score in scores if score.trace_id is not None}
    found: FoundRows = {}
    for day in sorted({day for day, _ in searches}):
        trace_ids = {trace_id for its_day, trace_id in searches if its_day == day}
        near = rows_by_trace(cursor, workspace_id, trace_ids, day - SEARCH_DISTANCE, day + DAY + SEARCH_DISTANCE)
        found |= {(day, trace_id): trace_rows for trace_id, trace_rows in near.items()}
    if missing := searches - found.keys():
        today = day_of(datetime.now(UTC))
        first, last = today - timedelta(days=settings.RETENTION_DAYS), today + 2 * DAY
        anywhere = rows_by_trace(cursor, workspace_id, {trace_id for _, trace_id in missing}, first, last)
        found |= {(day, trace_id): anywhere[trace_id] for day, trace_id in missing if trace_id in anywhere}
    return found


def rows_by_trace(
    cursor: WriteCursor, workspace_id: UUID, trace_ids: Iterable[str], first: datetime, last: datetime
) -> dict[str, list[TraceRow]]:
    params = {"workspace_id": workspace_id, "trace_ids": sorted(trace_ids), "first": first, "last": last}
    cursor.execute(ROWS_OF_TRACES.format(**engines.search_conditions()), params)
    found: dict[str, list[TraceRow]] = defaultdict(list)
    for row in map(TraceRow._make, cursor.fetchall()):
        found[row.trace_id].append(row._replace(labels=read_labels(row.labels)))
    return found


NO_FACTS: dict[str, Any] = dict.fromkeys(
    ("agent_id", "provider", "model", "operation", "user_id", "environment", "release", "labels")
)


def with_facts(score: Score, found: FoundRows) -> Score:
    """Returns the score with what its span says; without a stored span, what its trace says."""
    rows = found.get(search_of(score), [])
    if not rows:
        return replace(score, **NO_FACTS)
    span = next((row for row in rows if row.span_id == score.span_id), None)
    root = next((row for row in rows if row.parent_span_id is None), rows[0])

    def of_trace(name: str) -> Any:
        known = (value for row in (span or root, *rows) if (value := getattr(row, name)))
        return next(known, None)

    provider, model = (span.provider, span.model) if span else the_only_model(rows)
    return replace(
        score,
        agent_id=(span or root).agent_id,
        provider=provider,
        model=model,
        operation=span.operation if span else None,
        user_id=of_trace("user_id"),
        environment=span.environment if span else of_trace("environment"),
        release=span.release if span else of_trace("release"),
        labels=span.labels if span else of_trace("labels"),
    )


def the_only_model(rows: Iterable[TraceRow]) -> tuple[str | None, str | None]:
    """Returns provider and model if all calls have the same."""
    models = {(row.provider, row.model) for row in rows if row.operation in CALL_OPERATIONS}
    return models.pop() if len(models) == 1 else (None, None)


# --- Retention: by whole days in UTC, as for traces ---


WITH_OLD = """
SELECT workspace_id FROM scores WHERE timestamp < %(cutoff)s
UNION
SELECT workspace_id FROM score_sums WHERE bucket < %(sums_cutoff)s
ORDER BY workspace_id
"""
DELETE_OLD_SUMS = "DELETE FROM {table} WHERE workspace_id = %(workspace_id)s AND bucket < %(sums_cutoff)s"
DELETE_OLD = "DELETE FROM scores WHERE workspace_id = %(workspace_id)s AND timestamp < %(cutoff)s"


def delete_old(now: datetime, is_due: Callable[[UUID], bool], lock: Callable[[WriteCursor, UUID], None]) -> None:
    """Deletes scores and their sums past their retention, in the workspaces that are due.

    `lock` takes the workspace's lock.
    """
    cutoffs: dict[str, Any] = {
        "cutoff": day_of(now) - timedelta(days=settings.RETENTION_DAYS),
        "sums_cutoff": day_of(now) - timedelta(days=settings.ROLLUP_RETENTION_DAYS),
    }
    with write_cursor() as cursor:
        cursor.execute(WITH_OLD, cutoffs)
        workspace_ids = [workspace_id for (workspace_id,) in cursor.fetchall()]

    def delete(workspace_id: UUID) -> None:
        with write_cursor() as cursor:
            lock(cursor, workspace_id)
            for table in SUM_TABLES:
                cursor.execute(DELETE_OLD_SUMS.format(table=table), cutoffs | {"workspace_id": workspace_id})
            cursor.execute(DELETE_OLD, cutoffs | {"workspace_id": workspace_id})

    for_each(filter(is_due, workspace_ids), delete)
