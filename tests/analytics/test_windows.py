"""A window is read in pieces: no moment twice, none left out, and no bucket wider than asked for."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from analytics import windows
from analytics.engine import Closed
from analytics.filters import BUCKET_ORIGIN, Filters
from analytics.rollups import HOUR, ROLLUPS, SETS, USERS

MONDAY = datetime(2026, 11, 2, tzinfo=UTC)
SECOND = timedelta(seconds=1)
steps = st.sampled_from([timedelta(microseconds=3), 7 * SECOND, 60 * SECOND, 3600 * SECOND, 86_400 * SECOND])
spans = st.builds(lambda step, times: step * times, steps, st.integers(1, 90))
buckets = st.sampled_from([timedelta(0), 60 * SECOND, 3600 * SECOND, 86_400 * SECOND, windows.ANY])


layers = st.sampled_from([*(rollup.widths for rollup in ROLLUPS), *(sets.of.widths[:1] + sets.widths for sets in SETS)])


@given(layers, spans, spans, buckets, st.integers(0, 90 * 24), st.booleans())
def test_pieces_make_up_the_window(widths, before, length, bucket, hours, is_steady) -> None:  # type: ignore[no-untyped-def]
    start, closed = MONDAY + before, Closed(MONDAY + timedelta(hours=hours), is_steady)
    filters = Filters(UUID(int=0), start, start + length, "daily")
    pieces = windows.pieces(filters, widths, bucket, closed)
    for rows_behind in (True, False):
        read = [
            piece
            for piece in pieces
            if piece.condition == "true" or piece.condition.startswith("EXISTS") == rows_behind
        ]
        reached = start
        for width, begins, ends, *_ in read:
            assert begins == reached
            reached = ends
            if width:
                assert width.length <= bucket
                assert (begins - BUCKET_ORIGIN) % width.length == timedelta(0)
                if width != widths[0] or width.length > HOUR.length:
                    # Summed as hours are closed: the bucket that has begun ends there.
                    assert ends <= closed.before
                    assert (is_steady and ends == closed.before) or (ends - begins) % width.length == timedelta(0)
                else:
                    assert (ends - begins) % width.length == timedelta(0)
        # Without rows behind the window, its last narrow bucket is read to the end.
        assert reached == filters.end or (not rows_behind and reached - filters.end < widths[0].length)


@given(spans, spans, st.integers(0, 90 * 24), st.booleans())
def test_what_is_subtracted_leaves_each_moment_of_the_window_once(before, length, hours, is_steady) -> None:  # type: ignore[no-untyped-def]
    start, closed = MONDAY + before, Closed(MONDAY + timedelta(hours=hours), is_steady)
    filters = Filters(UUID(int=0), start, start + length, "daily")
    found = windows.pieces(filters, USERS.widths, windows.ANY, closed, may_subtract=True)
    read = [piece for piece in found if not piece.condition.startswith("NOT")]
    moments = sorted({moment for piece in read for moment in (piece.start, piece.end)} | {start, filters.end})
    for moment in moments:
        times = sum(-1 if piece.is_subtracted else 1 for piece in read if piece.start <= moment < piece.end)
        assert times == (start <= moment < filters.end)
    for piece in read:
        if piece.width not in (None, USERS.widths[0]):
            assert piece.end <= closed.before


def test_most_of_a_week_is_the_week_without_its_beginning() -> None:
    start = MONDAY + timedelta(hours=30)
    filters = Filters(UUID(int=0), start, MONDAY + timedelta(days=14), "daily")
    found = windows.pieces(filters, USERS.widths, windows.ANY, Closed(MONDAY + timedelta(days=30)), may_subtract=True)
    assert [(piece.width and piece.width.name, piece.end - piece.start, piece.is_subtracted) for piece in found] == [
        ("daily", timedelta(days=1), True),
        ("hourly", timedelta(hours=6), True),
        ("weekly", timedelta(days=14), False),
    ]
