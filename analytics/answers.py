"""An endpoint's data from the cache: what a view answers and what a panel shows beside it are one entry."""

from collections.abc import Callable, Mapping
from typing import Any

import orjson

from analytics import cache
from traces import engines
from traces.filters import Filters
from workspaces.models import Workspace

Question = Callable[[Filters], Mapping[str, Any]]

# Seconds an answer may be old.
LIVE, SERIES, OVERVIEW = 60, 120, 300


def answer(query: Question, filters: Filters, workspace: Workspace, tier: int, window: str = "") -> cache.Answer:
    """`window` names a window that follows from the filters one, like the previous: its moments move all the time."""
    domain = query.__module__.rpartition(".")[2]
    question = f"{domain}.{query.__name__}:{window}{filters.cache_key}"
    return cache.cached(
        workspace, question, tier, lambda: as_json(engines.recompute_if_hour_closed(lambda: query(filters)))
    )


def as_json(data: Mapping[str, Any]) -> bytes:
    return orjson.dumps(data, default=float, option=orjson.OPT_UTC_Z)
