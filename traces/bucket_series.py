"""Returns the buckets of a window, as SQL for the FROM of a query for a series."""


def bucket_series_sql() -> str:
    """Returns a derived table of `timestamp`, the start of each bucket that the window touches.

    A query joins its sums to it, so that buckets without calls are in its result too.
    """
    return """(
    SELECT generate_series(
        time_bucket(%(bucket)s, %(start)s),
        %(end)s - interval '1 microsecond',
        %(bucket)s
    ) AS timestamp
)"""
