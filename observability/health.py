import time
from functools import cache as cached
from pathlib import Path
from threading import Lock

from django.apps import apps
from django.core.cache import cache
from django.db import Error as DatabaseError
from django.db import connections
from django.db.migrations.recorder import MigrationRecorder
from django.http import HttpRequest, HttpResponse, JsonResponse

from jobs.state import PROBE_SECONDS, JobsState, jobs_state
from web import deadline
from web.clock import clock
from web.declared_access import public
from web.version import VERSION

# Everybody may ask, and each check asks both databases.
CHECKED_EVERY_SECONDS = 2


@public
def livez(request: HttpRequest) -> HttpResponse:
    return HttpResponse("ok", content_type="text/plain")


@public
def readyz(request: HttpRequest) -> HttpResponse:
    """Returns 200 when both databases work and are migrated, and the clocks agree.

    A missing cache costs only speed, and late jobs hinder no request, so these are only named.
    """
    states = checks.states()
    ready = all(state == "ok" for state in states.values())
    degraded = {"cache": cache_state(), "jobs": checks.jobs}
    response = JsonResponse({**states, **degraded, "version": VERSION}, status=200 if ready else 503)
    response["Cache-Control"] = "no-store"
    return response


class Checks:
    """The states of the last check. Requests that come while one is under way wait for it."""

    def __init__(self) -> None:
        self.lock = Lock()
        self.forget()

    def forget(self) -> None:
        self.checked_at = -float("inf")
        self.last: dict[str, str] = {}
        self.jobs: JobsState = {"state": "unavailable", "lag_seconds": None}

    def states(self) -> dict[str, str]:
        with self.lock:
            if time.monotonic() - self.checked_at > CHECKED_EVERY_SECONDS:
                self.last = {alias: database_state(alias) for alias in connections} | {"clock": clock_state()}
                is_up = self.last["default"] != "unavailable"
                self.jobs = jobs_state() if is_up else {"state": "unavailable", "lag_seconds": None}
                self.checked_at = time.monotonic()
            return self.last


checks = Checks()


def database_state(alias: str) -> str:
    try:
        with deadline.at_most(PROBE_SECONDS):
            applied = MigrationRecorder(connections[alias]).applied_migrations()
    except Exception:  # whatever the reason, the result is the same: not ready
        return "unavailable"
    return "ok" if shipped_migrations() <= applied.keys() else "migrations pending"


@cached
def shipped_migrations() -> frozenset[tuple[str, str]]:
    """Returns app and name of each migration, by its file. Django's loader imports all of them: 13 MB for good."""
    folders = [(app.label, Path(app.path) / "migrations") for app in apps.get_app_configs()]
    return frozenset((app, file.stem) for app, folder in folders for file in folder.glob("[!_~]*.py"))


def clock_state() -> str:
    """Returns whether the server and the database of traces agree about the time. Otherwise ingestion answers 503."""
    try:
        with deadline.at_most(PROBE_SECONDS):
            return clock.fault() or "ok"
    except DatabaseError:
        return "unknown"


def database_answers(alias: str) -> bool:
    try:
        with deadline.at_most(PROBE_SECONDS), connections[alias].cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return False
    return True


def cache_state() -> str:
    cache.set("readyz", 1, 10)
    return "ok" if cache.get("readyz") and not getattr(cache, "is_degraded", False) else "degraded"
