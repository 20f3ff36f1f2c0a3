"""The engine that the analytics database runs on."""

from collections.abc import Callable
from contextvars import ContextVar
from importlib import import_module
from typing import TypeVar, cast
from uuid import UUID

from django.core.exceptions import ImproperlyConfigured
from django.db import connections

from traces.db import rows
from traces.engines.protocol import Engine, RollupState

Result = TypeVar("Result")

# The initial migration writes the name of its engine into this comment.
ENGINE_NAME_SQL = """
SELECT
    to_regclass('traces') IS NOT NULL AS has_schema,
    obj_description(to_regclass('traces'), 'pg_class') AS comment
"""

_engines: dict[tuple[str, ...], Engine] = {}
"""The engine of each database. Each database is queried once."""
_stable_states: ContextVar[dict[UUID, RollupState] | None] = ContextVar("stable_states", default=None)
"""The states that the running computation of an answer has read so far. It reads each state only once."""


def engine_named(name: str) -> Engine:
    return cast(Engine, import_module(f"traces.engines.{name}").ENGINE)


def current() -> Engine:
    """Returns the engine whose schema the analytics database has. Before it has a schema, this is PostgreSQL's."""
    database = database_name()
    if database not in _engines:
        [schema] = rows(ENGINE_NAME_SQL, {})
        if not schema["has_schema"]:
            return engine_named("postgresql")
        if not schema["comment"]:
            raise ImproperlyConfigured(
                "The comment of the table traces, which names its engine, is missing: restore it with "
                "COMMENT ON TABLE traces IS 'engine: postgresql' (or timescaledb, or citus)."
            )
        _engines[database] = engine_named(schema["comment"].removeprefix("engine: "))
    return _engines[database]


def search_conditions() -> dict[str, str]:
    """Returns the conditions of the searches in `traces/lookup.py` that differ between the engines."""
    engine = current()
    return {
        "workspace": engine.hidden_workspace,
        "in_week": engine.chunk_bounds.format(start="week", interval="168 hours"),
        "in_day": engine.chunk_bounds.format(start="day", interval="24 hours"),
    }


def database_name() -> tuple[str, ...]:
    config = connections["analytics"].settings_dict
    return tuple(str(config[name]) for name in ("HOST", "PORT", "NAME"))


def forget_engines() -> None:
    """Forgets the engine of each database. Must be called after a change of the schema."""
    _engines.clear()


def rollup_states(*workspace_ids: UUID) -> dict[UUID, RollupState]:
    """Returns for each workspace the time up to which its rollups are filled."""
    states = _stable_states.get()
    if states is None:
        return current().rollup_states(set(workspace_ids), is_stable=False)
    missing = set(workspace_ids) - states.keys()
    if missing:
        states |= current().rollup_states(missing, is_stable=True)
    return states


def recompute_if_hour_closed(compute: Callable[[], Result]) -> Result:
    """Returns the result of `compute`, which runs a second time if an hour was closed meanwhile.

    The first result could count this hour twice: in its day and in its minutes. The second run reads neither the
    current day nor the current week, which are the only buckets that closing an hour changes.
    """
    states: dict[UUID, RollupState] = {}
    token = _stable_states.set(states)
    try:
        answer = compute()
    finally:
        _stable_states.reset(token)
    return compute() if states and current().has_closed_hours_since(states) else answer
