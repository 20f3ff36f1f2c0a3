"""Says whether background work is done, and how late."""

from typing import Literal, TypedDict

from django.db import Error as DatabaseError

from jobs.clock import STAMP_EVERY, database_time
from jobs.models import Clock
from jobs.queue_table import waiting
from web import deadline

# Health checkers treat a slower probe as failed.
PROBE_SECONDS = 2
# Four stamps of the clock: a worker that restarts is no reason to call for help.
STOPPED_AFTER = 4 * STAMP_EVERY
LATE_AFTER_SECONDS = 120


class JobsState(TypedDict):
    state: Literal["ok", "late", "stopped", "unavailable"]
    lag_seconds: float | None
    """How long the oldest job is due; while no worker runs, how long the clock stands still. None if unknown."""


def jobs_state() -> JobsState:
    try:
        with deadline.at_most(PROBE_SECONDS):
            return measured_state()
    except DatabaseError:
        return {"state": "unavailable", "lag_seconds": None}


def measured_state() -> JobsState:
    clock = Clock.objects.first()
    if clock is None:
        return {"state": "stopped", "lag_seconds": None}
    silence = database_time() - clock.ticked_at
    if silence > STOPPED_AFTER:
        return {"state": "stopped", "lag_seconds": round(silence.total_seconds(), 1)}
    lag_seconds = round(max((task["seconds"] for task in waiting()), default=0.0), 1)
    return {"state": "late" if lag_seconds > LATE_AFTER_SECONDS else "ok", "lag_seconds": lag_seconds}
