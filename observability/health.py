from django.core.cache import cache
from django.db import Error as DatabaseError
from django.db import connections
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse

from web import deadline
from web.declared_access import public
from web.version import VERSION

# Health checkers treat a slower probe as failed.
PROBE_SECONDS = 2


@public
def livez(request: HttpRequest) -> HttpResponse:
    return HttpResponse("ok", content_type="text/plain")


@public
def readyz(request: HttpRequest) -> HttpResponse:
    """Returns 200 when both databases work and are migrated. A missing cache costs only speed, so it is only named."""
    checks = {alias: database_state(alias) for alias in connections}
    ready = all(state == "ok" for state in checks.values())
    response = JsonResponse({**checks, "cache": cache_state(), "version": VERSION}, status=200 if ready else 503)
    response["Cache-Control"] = "no-store"
    return response


def database_state(alias: str) -> str:
    try:
        with deadline.at_most(PROBE_SECONDS):
            executor = MigrationExecutor(connections[alias])
            pending = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except Exception:  # whatever the reason, the result is the same: not ready
        return "unavailable"
    return "migrations pending" if pending else "ok"


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
