"""Returns SQL for the buckets of a series. Its parameters are those of `Filters.params`.

The database computes buckets of equal length. Others, as in a week in which clocks change, are a list of moments.
"""

from traces.filters import Filters

EQUAL_BUCKETS = """(
    SELECT
        timestamp,
        least(timestamp + %(bucket)s, %(end)s) AS until
    FROM generate_series(%(first_bucket)s, %(end)s - interval '1 microsecond', %(bucket)s) AS timestamp
)"""
LISTED_BUCKETS = "unnest(%(bucket_starts)s::timestamptz[], %(bucket_ends)s::timestamptz[])"


def bucket_sql(filters: Filters) -> str:
    """Returns an expression for the start of the bucket in which the column `timestamp` lies."""
    if not filters.has_equal_buckets:
        starts = "%(bucket_starts)s::timestamptz[]"
        return f"({starts})[width_bucket(timestamp, {starts})]"
    if filters.bucket_offset:
        return "time_bucket(%(bucket)s, timestamp - %(bucket_offset)s) + %(bucket_offset)s"
    return "time_bucket(%(bucket)s, timestamp)"


def bucket_series_sql(filters: Filters) -> str:
    """Returns a table of all buckets that the window touches: `timestamp` is the start of each, `until` its end.

    A query names it with `AS buckets (timestamp, until)` and joins its sums to it, so that buckets without calls are in
    its result too. The last bucket ends with the window.
    """
    return EQUAL_BUCKETS if filters.has_equal_buckets else LISTED_BUCKETS
