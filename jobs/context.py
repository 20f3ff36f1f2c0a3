"""Warns staff on every page while background work stands still."""

import time

from django.http import HttpRequest

from jobs.state import JobsState, jobs_state

# Staff load many pages, and each panel of a page is a request.
CHECKED_EVERY_SECONDS = 10


class LastState:
    """The state at the last check of this process."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        self.checked_at = -float("inf")
        self.state: JobsState = {"state": "ok", "lag_seconds": 0.0}

    def current(self) -> JobsState:
        if time.monotonic() - self.checked_at > CHECKED_EVERY_SECONDS:
            self.state, self.checked_at = jobs_state(), time.monotonic()
        return self.state


last_state = LastState()


def jobs_warning(request: HttpRequest) -> dict[str, str]:
    """Gives templates the warning, for staff only. It is a context processor of Django."""
    user = getattr(request, "user", None)
    if user is None or not user.is_staff:
        return {}
    return {"jobs_warning": warning(last_state.current())}


def warning(current: JobsState) -> str:
    """Returns what is wrong, in words; nothing while all is well or the database itself is away."""
    if current["state"] == "stopped":
        since = "" if current["lag_seconds"] is None else f" for {duration(current['lag_seconds'])}"
        return f"No worker has run{since}: nothing is deleted, sent or computed ahead."
    if current["state"] == "late":
        return f"Background work is {duration(current['lag_seconds'] or 0)} late."
    return ""


def duration(seconds: float) -> str:
    for unit, length in (("days", 86_400), ("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds:.0f} seconds"
