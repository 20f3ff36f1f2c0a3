"""The engine that the analytics database runs on."""

from collections.abc import Callable
from contextvars import ContextVar
from importlib import import_module
from typing import TypeVar, cast
from uuid import UUID

from django.db import connections

from traces.db import rows
from traces.engines.protocol import Engine, RollupState

Result = TypeVar("Result")

# The initial migration writes the name of its engine into this comment.
ENGINE_NAME_SQL = "SELECT obj_description(to_regclass('traces'), 'pg_class') AS comment"

_known: dict[tuple[str, ...], Engine] = {}
"""The engine of each database. Each database is queried once."""
_stable_states: ContextVar[dict[UUID, RollupState] | None] = ContextVar("stable_states", default=None)
"""The states that the answer in the making has read so far. They stay the same until it is complete."""


def engine_named(name: str) -> Engine:
    return cast(Engine, import_module(f"traces.engines.{name}").ENGINE)


def current() -> Engine:
    """Returns the engine whose schema the analytics database has. Before it has a schema, this is PostgreSQL's."""
    database = database_name()
    if database not in _known:
        [schema] = rows(ENGINE_NAME_SQL, {})
        if not schema["comment"]:
            return engine_named("postgresql")
        _known[database] = engine_named(schema["comment"].removeprefix("engine: "))
    return _known[database]


def database_name() -> tuple[str, ...]:
    config = connections["analytics"].settings_dict
    return tuple(str(config[name]) for name in ("HOST", "PORT", "NAME"))


def forget() -> None:
    """Forgets the engine of each database. To be called after a change of its schema."""
    _known.clear()


def rollup_states(*workspace_ids: UUID) -> dict[UUID, RollupState]:
    """Returns for each workspace up to where its rollups are filled."""
    states = _stable_states.get()
    if states is None:
        return current().rollup_states(set(workspace_ids), is_stable=False)
    missing = set(workspace_ids) - states.keys()
    if missing:
        states |= current().rollup_states(missing, is_stable=True)
    return states


def recompute_if_hour_closed(compute: Callable[[], Result]) -> Result:
    """Returns compute().

    If an hour closes meanwhile, the answer could count it twice: in its day and in its minutes. Then it is computed
    again without the current day and week, which are the only buckets that a closing changes.
    """
    states: dict[UUID, RollupState] = {}
    token = _stable_states.set(states)
    try:
        answer = compute()
    finally:
        _stable_states.reset(token)
    return compute() if states and current().has_closed_hours_since(states) else answer
