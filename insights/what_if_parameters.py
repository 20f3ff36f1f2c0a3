"""Parses the query string of `/api/v1/insights/what-if`: what the calls are priced as, and which calls.

`model` names the target, so the filters are called `from_<filter>` here.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import UUID
from zoneinfo import ZoneInfo

from django.http import QueryDict
from pydantic import Field, create_model

from analytics import query_string
from analytics.query_string import LABELS, NOT, Query, Text, WindowQuery, is_filter
from ingest.model_names import base_model
from prices.what_if import Target, provider_and_model
from traces.buckets import UTC_ZONE
from traces.filters import Filters
from web.problems import FieldError, Problem

FROM = "from_"
MODEL, TARGET = "model", "target"
UNKNOWN = "unknown: "
"""Begins the name of a parameter that has the name of a filter, so that it is refused."""
OWN = (TARGET, "tier", "cache_share", "price_date")
Tier = Literal["standard", "batch", "flex", "priority"]
# mypy cannot know these fields, as those of Query.
FIELDS: dict[str, Any] = {
    TARGET: (
        Annotated[
            Text | None,
            Field(description="The model that the calls are priced as, like gpt-4o-mini or openai/gpt-4o-mini."),
        ],
        None,
    ),
    "tier": (
        Annotated[Tier | None, Field(description="The service tier of all calls, instead of each call's own.")],
        None,
    ),
    "cache_share": (
        Annotated[
            float | None,
            Field(ge=0, le=100, description="So many percent of the input are read from a cache."),
        ],
        None,
    ),
    "price_date": (
        Annotated[date | None, Field(description="The day whose prices count, instead of that of each call.")],
        None,
    ),
}
WhatIfQuery: type[WindowQuery] = create_model("WhatIfQuery", __base__=Query, **FIELDS)


@dataclass(frozen=True)
class WhatIf:
    """What the calls are priced as. A part that is None stays as it is."""

    target: str | None
    tier: Tier | None
    cache_share: float | None
    price_date: date | None

    def target_for(self, provider: str | None, model: str | None) -> Target:
        """Returns what calls of this provider and model are priced as."""
        name = model or ""
        if self.target:
            provider, name = provider_and_model(self.target)
        return Target(provider, name, base_model(name) or name, self.tier, self.share, self.price_at)

    @property
    def share(self) -> Decimal | None:
        return None if self.cache_share is None else Decimal(str(self.cache_share)) / 100

    @property
    def price_at(self) -> datetime | None:
        return datetime.combine(self.price_date, time(12), UTC) if self.price_date else None


def inner_name(name: str) -> str:
    """Returns the name of a parameter in WhatIfQuery."""
    if name == MODEL:
        return TARGET
    if name.startswith(FROM) and (is_filter(name.removeprefix(FROM)) or name == f"{FROM}{LABELS}"):
        return name.removeprefix(FROM)
    return f"{UNKNOWN}{name}" if is_filter(name) or name in (TARGET, "labels", LABELS) else name


def outer_name(name: str) -> str:
    """Returns the name that clients give to a parameter of WhatIfQuery."""
    if name == TARGET:
        return MODEL
    if name.startswith(UNKNOWN):
        return name.removeprefix(UNKNOWN)
    return f"{FROM}{name}" if is_filter(name) or name == LABELS else name


def inner_query(query: QueryDict) -> QueryDict:
    inner = QueryDict(mutable=True)
    for name, values in query.lists():
        inner.setlist(inner_name(name), values)
    return inner


KNOWN = ", ".join(
    (*(outer_name(name) for name in (*OWN, *WindowQuery.model_fields)), f"{FROM}<filter>", f"{FROM}{NOT}<filter>")
)


def outer_error(error: FieldError) -> FieldError:
    message = f"unknown parameter; known are {KNOWN}" if error["msg"].startswith("unknown parameter") else error["msg"]
    place, *names = error["loc"]
    return {"loc": [place, *(outer_name(str(name)) for name in names)], "msg": message}


def parse(
    query: QueryDict, workspace_id: UUID, now: datetime | None = None, zone: ZoneInfo = UTC_ZONE
) -> tuple[WhatIf, Filters]:
    """Returns what the calls are priced as and the filters, or raises a 422 Problem that names every error."""
    try:
        valid, filters = query_string.parse_query(inner_query(query), workspace_id, WhatIfQuery, now, zone=zone)
    except Problem as problem:
        problem.errors = [outer_error(error) for error in problem.errors]
        raise
    return WhatIf(**{name: getattr(valid, name) for name in OWN}), filters


def errors(query: QueryDict) -> list[FieldError]:
    try:
        parse(query, UUID(int=0))
    except Problem as problem:
        return problem.errors
    return []
