"""Lists sessions from `session_summaries`, in any order.

The table has one row for each session, over all its rows up to some minutes ago. A session whose rows of that time are
all in the window, and all pass the filters, has these figures. Newer rows are added to them. Where the window or a
filter cuts a session, only its rows that pass are summed.
"""

from datetime import datetime
from typing import Any

from django.conf import settings
from django.utils import timezone
from typing_extensions import TypedDict

from analytics.page_questions import IS_FOUND
from explorer.listing import ListKind, Page, after_sql, order_sql, page_params
from traces import engines
from traces.db import row, rows
from traces.engines.postgresql import day_before
from traces.filters import DIMENSION_BY_NAME, EARLIEST, Filters
from traces.session_summaries import COLUMNS, SPANS_OF_SESSIONS, SUMMED, VALUES, WITH_STORED
from traces.windows import rollup_state

MOST_CUT, MOST_CUT_SPANS, MOST_NEWER_SPANS = 1_000, 50_000, 20_000
"""Where more sessions are cut, or more rows are newer than the table, the sums of the window are read instead."""
ARRAYS = {column: name for name, column in VALUES.items()}
SORT_VALUES = {
    "user_id": "user_id",
    "cost_usd": "CASE WHEN priced_calls > 0 THEN cost_usd END",
    "duration_ms": "round(duration_ms::numeric, 9)::float8",
}
"""The SQL of each sorted column that is not a column of the table."""
UNTIL = f"""(
            SELECT coalesce(sessions_until, timestamptz '{EARLIEST.isoformat()}')
            FROM rollup_state
            WHERE workspace_id = %(workspace_id)s
        )"""  # noqa: S608 (constants)
IS_WHOLE = """workspace_id = %(workspace_id)s
            AND started_at >= %(start)s AND last_seen < %(end)s
            AND is_exact
            AND {all_pass}"""
CUT = """
SELECT session_id, spans
FROM session_summaries
WHERE workspace_id = %(workspace_id)s
    AND started_at < %(end)s AND last_seen >= %(start)s
    AND (
        NOT is_exact
        OR ({some_pass} AND (started_at < %(start)s OR last_seen >= %(end)s OR NOT ({all_pass})))
    )
LIMIT %(most_cut)s + 1
"""
NEWER = """
SELECT count(*) AS spans
FROM (
    SELECT
    FROM traces
    WHERE workspace_id = %(workspace_id)s AND timestamp >= %(until)s AND timestamp < %(end)s
    LIMIT %(most_newer)s + 1
) AS newer
"""
CUT_SPANS = SPANS_OF_SESSIONS.replace("LIMIT %(most_session_spans)s + 1", "OFFSET 0")
PAGE = f"""
WITH spans AS MATERIALIZED (
    SELECT *
    FROM {{cut_spans}} AS cut
    WHERE {{filters}}
    UNION ALL
    SELECT *
    FROM traces
    WHERE {{filters}} AND timestamp >= {UNTIL} AND session_id IS NOT NULL
), added AS ({SUMMED.format(spans="spans")}), whole AS NOT MATERIALIZED (
    SELECT *
    FROM session_summaries
    WHERE {{is_whole}}
        AND session_id <> ALL(%(cut)s::text[])
), sessions AS (
    SELECT added.session_id, {", ".join(f"{sql} AS {name}" for name, sql in WITH_STORED.items())}
    FROM added
    LEFT JOIN whole AS stored ON stored.session_id = added.session_id
    UNION ALL
    SELECT session_id, {", ".join(COLUMNS)}
    FROM whole
    WHERE session_id NOT IN (SELECT session_id FROM added)
), ranked AS (
    SELECT sessions.*, {{value}} AS value
    FROM {{sessions}} AS sessions
    WHERE {{is_found}}
), page AS (
    SELECT *
    FROM ranked
    WHERE {{after}}
    ORDER BY {{order}}
    LIMIT %(rows)s
)
SELECT
    session_id,
    value,
    user_numbers.user_id,
    array_remove(agents, '') AS agents,
    started_at,
    last_seen,
    traces::bigint AS traces,
    calls::bigint AS calls,
    errors::bigint AS errors,
    {SORT_VALUES["duration_ms"]} AS duration_ms,
    tokens::bigint AS tokens,
    {SORT_VALUES["cost_usd"]} AS cost_usd
FROM page
LEFT JOIN user_numbers ON workspace_id = %(workspace_id)s AND number = user_numbers[1]
ORDER BY {{order}}
"""  # noqa: S608 (constants)
WITH_USER = """(
        SELECT sessions.*, user_id
        FROM sessions
        LEFT JOIN user_numbers ON workspace_id = %(workspace_id)s AND number = sessions.user_numbers[1]
    )"""


class Spans(TypedDict):
    spans: int


class Cut(TypedDict):
    session_id: str
    spans: int


def listed(filters: Filters, page: Page, kind: ListKind) -> list[dict[str, Any]] | None:
    """Returns the sessions of the page and one more, with the value of the sorted column.

    None: the table cannot answer this, or not in time.
    """
    until = rollup_state(filters).sessions_until
    if not can_answer(filters, until):
        return None
    cut = cut_sessions(filters, until)
    return None if cut is None else page_of(filters, page, kind, cut)


def can_answer(filters: Filters, until: datetime) -> bool:
    """Returns whether the table knows the filters and all rows of the window that are older than it."""
    # Retention deletes rows, and what the table has of them; sums stay longer.
    is_stored = filters.start >= day_before(timezone.now(), settings.RETENTION_DAYS)
    knows_filters = all(column in ARRAYS for column in filters.active_filters)
    return is_stored and knows_filters and filters.start < until


def cut_sessions(filters: Filters, until: datetime) -> list[str] | None:
    """Returns the sessions with a part in the window that need not be all of them. None: there are too many rows."""
    params = filters.params | {"until": until, "most_cut": MOST_CUT, "most_newer": MOST_NEWER_SPANS}
    if filters.end > until and row(NEWER, params, Spans)["spans"] > MOST_NEWER_SPANS:
        return None
    cut = rows(CUT, params, Cut, all_pass=all_pass(filters), some_pass=some_pass(filters))
    if len(cut) > MOST_CUT or sum(session["spans"] for session in cut) > MOST_CUT_SPANS:
        return None
    return [session["session_id"] for session in cut]


def page_of(filters: Filters, page: Page, kind: ListKind, cut: list[str]) -> list[dict[str, Any]]:
    cut_spans = CUT_SPANS.format(
        session_ids="%(cut)s::text[]",
        workspace=engines.search_conditions()["workspace"],
        since="%(start)s",
        until=f"least(%(end)s, {UNTIL})",
    )
    return rows(
        PAGE,
        page_params(page, filters) | {"cut": cut},
        cut_spans=cut_spans,
        filters=filters.row_condition,
        is_whole=IS_WHOLE.format(all_pass=all_pass(filters)),
        sessions=WITH_USER if page.column == "user_id" else "sessions",
        value=SORT_VALUES.get(page.column, page.column),
        is_found=IS_FOUND.format(column="session_id") if page.search else "true",
        after=after_sql(page, kind, "session_id"),
        order=order_sql(page, "session_id"),
    )


# --- Filters, as conditions on the arrays: the values of all spans of a session ---


def all_pass(filters: Filters) -> str:
    """Returns the condition that all spans of a session pass the filters."""
    return " AND ".join(conditions(filters, "{array} <@ {included}", "NOT {array} && {excluded}")) or "true"


def some_pass(filters: Filters) -> str:
    """Returns the condition that some of its spans pass each filter, but not always the same ones."""
    return " AND ".join(conditions(filters, "{array} && {included}", "NOT {array} <@ {excluded}")) or "true"


def conditions(filters: Filters, of_included: str, of_excluded: str) -> list[str]:
    found = []
    for name in filters.active_names:
        dimension, values = DIMENSION_BY_NAME[name], filters.values[name]
        names = {
            "array": ARRAYS[dimension.column],
            "included": dimension.values_sql.format(parameter=name),
            "excluded": dimension.values_sql.format(parameter=f"not_{name}"),
        }
        found += [of_included.format(**names)] if values.included else []
        found += [of_excluded.format(**names)] if values.excluded else []
    return found
