"""Which engine the analytics database runs on, and what of that concerns readers and writers."""

from collections.abc import Callable
from contextvars import ContextVar
from datetime import datetime
from typing import NamedTuple, TypeVar
from uuid import UUID

from django.conf import settings
from django.db import connections

from analytics.db import rows
from analytics.filters import EARLIEST, LATEST

# A rollup is a view on TimescaleDB and a table elsewhere: what counts is how the schema was made.
ROLLUP_KIND = "SELECT relkind::text AS kind FROM pg_class WHERE oid = to_regclass('totals_hourly')"
# Installed in the database, or at least loaded by the server: packages alone do not make it usable.
AVAILABLE = """
SELECT EXISTS (SELECT FROM pg_available_extensions WHERE name = 'timescaledb')
    AND (
        EXISTS (SELECT FROM pg_extension WHERE extname = 'timescaledb')
        OR EXISTS (SELECT FROM pg_settings WHERE name = 'timescaledb.disable_load')
    ) AS is_available
"""

Answer = TypeVar("Answer")
known: dict[tuple[str, ...], bool] = {}


def is_timescaledb() -> bool:
    """Asked of each database once."""
    config = connections["analytics"].settings_dict
    database = tuple(str(config[name]) for name in ("HOST", "PORT", "NAME"))
    if database not in known:
        kinds = rows(ROLLUP_KIND, {})
        if not kinds:
            return False  # before the migrations
        known[database] = kinds[0]["kind"] == "v"
    return known[database]


def will_be_timescaledb() -> bool:
    """What the migrations make of a database: as forced, else TimescaleDB wherever there is one."""
    if settings.ANALYTICS_ENGINE:
        return bool(settings.ANALYTICS_ENGINE == "timescaledb")
    [server] = rows(AVAILABLE, {})
    return bool(server["is_available"])


class Closed(NamedTuple):
    before: datetime
    """From where on only the narrowest buckets of a rollup hold rows. It only ever moves forward."""
    is_steady: bool = False
    """It does not move while an answer is computed, so that the day and week that have begun can be read so far."""


seen: ContextVar[dict[UUID, Closed] | None] = ContextVar("seen", default=None)


def closed(*workspace_ids: UUID) -> dict[UUID, Closed]:
    if is_timescaledb():
        return dict.fromkeys(workspace_ids, Closed(LATEST))  # what is not summed yet is summed while it is read
    read = seen.get()
    if read is None:
        return {workspace_id: Closed(before) for workspace_id, before in closed_before(*workspace_ids).items()}
    for workspace_id, before in closed_before(*(set(workspace_ids) - read.keys())).items():
        read[workspace_id] = Closed(before, is_steady=True)
    return read


def steadily(compute: Callable[[], Answer]) -> Answer:
    """What `compute` answers, with every hour in it once.

    An hour that is closed meanwhile would be in its day, and once more in the narrow buckets beside it. Then the
    answer is computed again without the day and week that have begun: no closing changes the others.
    """
    read: dict[UUID, Closed] = {}
    token = seen.set(read)
    try:
        answer = compute()
    finally:
        seen.reset(token)
    if {workspace_id: hours.before for workspace_id, hours in read.items()} == closed_before(*read):
        return answer
    return compute()


def closed_before(*workspace_ids: UUID) -> dict[UUID, datetime]:
    if not workspace_ids:
        return {}
    found = rows(CLOSED_HOURS, {"workspace_ids": list(workspace_ids)})
    return dict.fromkeys(workspace_ids, EARLIEST) | {hours["workspace_id"]: hours["closed_before"] for hours in found}


CLOSED_HOURS = """
SELECT workspace_id, closed_before
FROM closed_hours
WHERE workspace_id = ANY(%(workspace_ids)s)
"""
