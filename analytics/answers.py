"""Answers questions through the cache. The JSON API and the panels of the pages share its entries."""

from collections.abc import Callable, Mapping
from typing import Any

import orjson
from django.http import HttpResponse

from analytics import cache
from traces import engines
from traces.filters import Filters
from web.problems import Problem
from workspaces.models import Workspace

Question = Callable[[Filters], Mapping[str, Any]]

# How old an answer may be.
LIVE_TTL_SECONDS = 60
SERIES_TTL_SECONDS = 120
OVERVIEW_TTL_SECONDS = 300

MAX_BYTES = 4 * 1024 * 1024
"""Of an answer. Each point of a series has the names of its series, which a client may have made very long."""


def answer(
    question: Question, filters: Filters, workspace: Workspace, ttl_seconds: int, key_prefix: str = ""
) -> cache.Answer:
    """Returns the answer to a question from the cache, or computes it.

    `key_prefix` names a window that is computed from the window of a request, like the previous one. Its start and end
    move all the time, so the filters alone cannot be the key.
    """
    domain = question.__module__.rpartition(".")[2]
    key = f"{domain}.{question.__name__}:{key_prefix}{filters.cache_key}"
    return cache.cached(
        workspace, key, ttl_seconds, lambda: as_json(engines.recompute_if_hour_closed(lambda: question(filters)))
    )


def answer_data(
    question: Question, filters: Filters, workspace: Workspace, ttl_seconds: int, key_prefix: str = ""
) -> Any:
    """Returns the answer as parsed JSON, for templates."""
    return orjson.loads(answer(question, filters, workspace, ttl_seconds, key_prefix).body)


def as_json(data: Mapping[str, Any]) -> bytes:
    body = orjson.dumps(data, default=float, option=orjson.OPT_UTC_Z)
    check_size(len(body))
    return body


def json_response(data: Any, status: int = 200) -> HttpResponse:
    """Returns an answer that no cache stores: it depends on who asks."""
    response = HttpResponse(as_json(data), content_type="application/json", status=status)
    response["Cache-Control"] = "private, no-store"
    return response


def check_size(size: int) -> None:
    """Raises a 422 Problem for an answer of too many bytes. A question calls it before it makes a long answer."""
    if size > MAX_BYTES:
        raise Problem(422, "The answer is too large.", [{"loc": ["query", "limit"], "msg": too_large(size)}])


def too_large(size: int) -> str:
    megabytes = f"{size / 2**20:.1f} MB, and {MAX_BYTES // 2**20} are the most"
    return f"the names in this answer make it {megabytes}; use a smaller limit, wider buckets or a shorter window"
