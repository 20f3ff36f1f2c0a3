"""The answer to a question, from the cache. The JSON API and the panels of the pages share its entries."""

from collections.abc import Callable, Mapping
from typing import Any

import orjson

from analytics import cache
from traces import engines
from traces.filters import Filters
from workspaces.models import Workspace

Question = Callable[[Filters], Mapping[str, Any]]

# Seconds that an answer may be old.
LIVE, SERIES, OVERVIEW = 60, 120, 300


def answer(question: Question, filters: Filters, workspace: Workspace, tier: int, window: str = "") -> cache.Answer:
    """Answers a question from the cache, or computes the answer.

    `window` names a window that is computed from the one of a request, like the previous one. Its start and end move
    all the time, so that the filters alone are no key.
    """
    domain = question.__module__.rpartition(".")[2]
    key = f"{domain}.{question.__name__}:{window}{filters.cache_key}"
    return cache.cached(
        workspace, key, tier, lambda: as_json(engines.recompute_if_hour_closed(lambda: question(filters)))
    )


def answer_data(question: Question, filters: Filters, workspace: Workspace, tier: int, window: str = "") -> Any:
    """Returns the answer as its JSON says it, for templates."""
    return orjson.loads(answer(question, filters, workspace, tier, window).body)


def as_json(data: Mapping[str, Any]) -> bytes:
    return orjson.dumps(data, default=float, option=orjson.OPT_UTC_Z)
