"""The engine that the analytics database runs on."""

from collections.abc import Callable
from contextvars import ContextVar
from importlib import import_module
from typing import TypeVar, cast
from uuid import UUID

from django.db import connections

from traces.db import rows
from traces.engines.protocol import Engine, RollupState

Answer = TypeVar("Answer")

# The initial migration leaves the name of its engine there.
MARK = "SELECT obj_description(to_regclass('traces'), 'pg_class') AS mark"

_known: dict[tuple[str, ...], Engine] = {}
"""By database, since each is asked once."""
_stable_states: ContextVar[dict[UUID, RollupState] | None] = ContextVar("stable_states", default=None)
"""Those that the answer which is computed has read so far."""


def engine_named(name: str) -> Engine:
    return cast(Engine, import_module(f"traces.engines.{name}").ENGINE)


def current() -> Engine:
    """The engine whose schema the analytics database has; that of PostgreSQL before it has any."""
    database = database_name()
    if database not in _known:
        [found] = rows(MARK, {})
        if not found["mark"]:
            return engine_named("postgresql")
        _known[database] = engine_named(found["mark"].removeprefix("engine: "))
    return _known[database]


def database_name() -> tuple[str, ...]:
    config = connections["analytics"].settings_dict
    return tuple(str(config[name]) for name in ("HOST", "PORT", "NAME"))


def forget() -> None:
    """Forgets the engine of each database; for after its schema was changed."""
    _known.clear()


def rollup_states(*workspace_ids: UUID) -> dict[UUID, RollupState]:
    """Up to where the rollups of each workspace are filled."""
    states = _stable_states.get()
    if states is None:
        return current().rollup_states(set(workspace_ids), is_stable=False)
    missing = set(workspace_ids) - states.keys()
    if missing:
        states |= current().rollup_states(missing, is_stable=True)
    return states


def recompute_if_hour_closed(compute: Callable[[], Answer]) -> Answer:
    """Answers what `compute` does, with every hour counted once.

    An hour that is closed meanwhile would be in its day, and once more in the narrow buckets beside it. Then the
    answer is computed again without the day and week that have begun: no closing changes the others.
    """
    states: dict[UUID, RollupState] = {}
    token = _stable_states.set(states)
    try:
        answer = compute()
    finally:
        _stable_states.reset(token)
    return compute() if states and current().has_closed_hours_since(states) else answer
