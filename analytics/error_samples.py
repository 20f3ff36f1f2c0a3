"""Finds when a group of errors was first and last seen, and one message and trace id. Only rows have these facts."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Literal, NamedTuple

from typing_extensions import TypedDict

from traces import windows
from traces.db import rows
from traces.filters import Filters
from traces.windows import TimeRange

SAMPLED_ERRORS = 100
"""The query looks for a message in this many of the group's newest errors."""


class ErrorSums(TypedDict):
    """One group of errors, by status and error_type, with the buckets that have its first and last error."""

    status: Literal["error", "timeout"]
    error_type: str | None
    first_since: datetime
    first_until: datetime
    last_since: datetime
    last_until: datetime


class ErrorSamples(TypedDict):
    """All None where the rows of the errors are past their retention."""

    first_seen: datetime | None
    last_seen: datetime | None
    sample_message: str | None
    sample_trace_id: str | None


class Sample(TypedDict):
    index: int
    seen: datetime | None
    message: str | None
    trace_id: str | None


class Search(NamedTuple):
    """A group of errors, and the period in which to look for one of them."""

    sql: str
    """FIRST_ERROR or LAST_ERRORS."""
    group: ErrorSums
    period: TimeRange


GROUPS = """unnest(
        %(statuses)s::text[], %(error_types)s::text[], %(since)s::timestamptz[], %(until)s::timestamptz[]
    ) WITH ORDINALITY AS groups (status, error_type, since, until, index)"""
IS_IN_GROUP = """{filters}
      AND {days}
      AND timestamp >= since AND timestamp < until
      AND traces.status = groups.status AND traces.status <> 'success'
      AND coalesce(traces.error_type, '') = coalesce(groups.error_type, '')"""
FIRST_ERROR = f"""
SELECT index, seen, NULL::text AS message, NULL::text AS trace_id
FROM {GROUPS}
LEFT JOIN LATERAL (
    SELECT timestamp AS seen
    FROM traces
    WHERE {IS_IN_GROUP}
    ORDER BY timestamp
    LIMIT 1
) AS first ON true
WHERE index = ANY(ARRAY{{indexes}})
"""  # noqa: S608 (built from constants)
LAST_ERRORS = f"""
SELECT index, seen, message, trace_id
FROM {GROUPS}
LEFT JOIN LATERAL (
    SELECT
        max(timestamp) AS seen,
        (array_agg(error_message ORDER BY error_message IS NULL, timestamp DESC, span_id))[1] AS message,
        (array_agg(trace_id ORDER BY error_message IS NULL, timestamp DESC, span_id))[1] AS trace_id
    FROM (
        SELECT timestamp, span_id, trace_id, error_message
        FROM traces
        WHERE {IS_IN_GROUP}
        ORDER BY timestamp DESC
        LIMIT %(sampled)s
    ) AS sampled
) AS last ON true
WHERE index = ANY(ARRAY{{indexes}})
"""  # noqa: S608 (as above)


def error_samples(filters: Filters, groups: Sequence[ErrorSums]) -> list[ErrorSamples]:
    """Returns the samples of each group, in the order of the groups."""
    samples = find_samples(
        filters,
        [Search(FIRST_ERROR, group, TimeRange(group["first_since"], group["first_until"])) for group in groups]
        + [Search(LAST_ERRORS, group, TimeRange(group["last_since"], group["last_until"])) for group in groups],
    )
    firsts = samples[: len(groups)]
    lasts = with_messages(filters, groups, samples[len(groups) :])
    return [
        {
            "first_seen": first["seen"],
            "last_seen": last["seen"],
            "sample_message": last["message"],
            "sample_trace_id": last["trace_id"],
        }
        for first, last in zip(firsts, lasts, strict=True)
    ]


def with_messages(filters: Filters, groups: Sequence[ErrorSums], lasts: Sequence[Sample]) -> list[Sample]:
    """Searches the whole window again for groups whose last bucket has no message."""
    searches = {
        index: Search(LAST_ERRORS, group, TimeRange(filters.start, group["last_until"]))
        for index, (group, last) in enumerate(zip(groups, lasts, strict=True))
        if last["message"] is None
    }
    samples = dict(zip(searches, find_samples(filters, list(searches.values())), strict=True))
    return [samples.get(index, last) for index, last in enumerate(lasts)]


def find_samples(filters: Filters, searches: Sequence[Search]) -> list[Sample]:
    """Runs all searches in one query. The samples come in the order of the searches."""
    if not searches:
        return []
    params = {
        "statuses": [search.group["status"] for search in searches],
        "error_types": [search.group["error_type"] for search in searches],
        "since": [search.period.start for search in searches],
        "until": [search.period.end for search in searches],
        "sampled": SAMPLED_ERRORS,
    }
    numbered = dict(enumerate(searches, start=1))
    parts = [
        sql.format(filters=filters.row_condition, days=days, indexes=indexes)
        for sql in (FIRST_ERROR, LAST_ERRORS)
        for days, indexes in windows.group_by_days(periods(numbered, sql)).items()
    ]
    return rows(" UNION ALL ".join(parts) + " ORDER BY index", filters.params | params, row_type=Sample)


def periods(searches: Mapping[int, Search], sql: str) -> dict[int, TimeRange]:
    """Returns the periods of the searches with this query, by their index."""
    return {index: search.period for index, search in searches.items() if search.sql == sql}
