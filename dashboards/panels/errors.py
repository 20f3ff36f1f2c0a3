"""The errors of the window by kind, the newest first, each with a message and a trace."""

from typing import Any

from analytics import performance
from analytics.answers import LIVE_TTL_SECONDS
from analytics.answers import answer as cached
from dashboards.asking import Asked, PanelAnswer, PanelKind
from traces.filters import Filters


def answer(asked: Asked) -> PanelAnswer:
    filters = asked.filters
    found = cached(performance.errors, filters, asked.workspace, LIVE_TTL_SECONDS)
    return PanelAnswer(found.body, filters, found.is_hit, found.age_seconds)


def context(asked: Asked, data: Any, filters: Filters) -> dict[str, Any]:
    return {"errors": sorted(data["data"], key=lambda row: row["last_seen"] or "", reverse=True)}


KIND = PanelKind(
    "errors",
    "Newest errors",
    "What failed, when it was last seen, and a trace of it.",
    answer,
    context,
)
