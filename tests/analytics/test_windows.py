"""A window is read in pieces: no moment twice, none left out, and no bucket wider than asked for."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from analytics import windows
from analytics.filters import BUCKET_ORIGIN, Filters
from analytics.rollups import HOUR, ROLLUPS

MONDAY = datetime(2026, 11, 2, tzinfo=UTC)
SECOND = timedelta(seconds=1)
steps = st.sampled_from([timedelta(microseconds=3), 7 * SECOND, 60 * SECOND, 3600 * SECOND, 86_400 * SECOND])
spans = st.builds(lambda step, times: step * times, steps, st.integers(1, 90))
buckets = st.sampled_from([timedelta(0), 60 * SECOND, 3600 * SECOND, 86_400 * SECOND, windows.ANY])


@given(st.sampled_from(ROLLUPS), spans, spans, buckets, st.integers(0, 90))
def test_pieces_make_up_the_window(rollup, before, length, bucket, days) -> None:  # type: ignore[no-untyped-def]
    start, summed_until = MONDAY + before, MONDAY + timedelta(days=days)
    filters = Filters(UUID(int=0), start, start + length, "daily")
    pieces = windows.pieces(filters, rollup, bucket, summed_until)
    for rows_behind in (True, False):
        read = [piece for piece in pieces if piece[3] == "true" or piece[3].startswith("EXISTS") == rows_behind]
        reached = start
        for width, begins, ends, _ in read:
            assert begins == reached
            reached = ends
            if width:
                assert width.length <= bucket
                assert (begins - BUCKET_ORIGIN) % width.length == (ends - begins) % width.length == timedelta(0)
                assert width.length <= HOUR.length or ends <= summed_until
        # Without rows behind the window, its last hour or minute is read to the end.
        assert reached == filters.end or (not rows_behind and reached - filters.end < HOUR.length)
