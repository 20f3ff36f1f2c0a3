"""The workspace's own prices."""

import time
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from fnmatch import fnmatchcase
from functools import lru_cache
from uuid import UUID

from django.db import connections

from prices.list_price import MILLION, Rates
from prices.models import PriceOverride
from prices.providers import provider_name
from traces.row import Row
from workspaces.models import Workspace, columns_of

OVERRIDE_COLUMNS = columns_of(PriceOverride)
OVERRIDES = """
SELECT {columns}
FROM prices_priceoverride
WHERE workspace_id = %s
ORDER BY valid_from DESC, id
"""
CACHE_SECONDS = 60
"""How long a change that somebody makes with SQL, past the models, may stay unknown."""


def current_overrides(workspace: Workspace) -> Sequence[PriceOverride]:
    """Returns the overrides, the newest first, without asking for them again until one has changed."""
    return cached_overrides(workspace.id, workspace.epoch, int(time.monotonic() // CACHE_SECONDS))


@lru_cache(maxsize=1024)
def cached_overrides(workspace_id: UUID, epoch: UUID, period: int) -> tuple[PriceOverride, ...]:
    """Does the same. A changed override changes the epoch, so the older entry is not asked for any more."""
    return tuple(overrides_of(workspace_id))


def overrides_of(workspace_id: UUID) -> list[PriceOverride]:
    """Returns the overrides, the newest first. The ORM would take ten times as long as PostgreSQL to make the query."""
    database = PriceOverride.objects.db
    with connections[database].cursor() as cursor:
        cursor.execute(OVERRIDES.format(columns=", ".join(OVERRIDE_COLUMNS)), [workspace_id])
        return [PriceOverride.from_db(database, OVERRIDE_COLUMNS, values) for values in cursor.fetchall()]


def override_for(overrides: Sequence[PriceOverride], row: Row, models: Sequence[str]) -> PriceOverride | None:
    """Returns the newest override that was valid at the call's time.

    Its pattern fits the model's name as the product shows it, or is exactly one of the names that the client sent.
    """
    for override in overrides:
        if (
            is_valid_at(override, row.timestamp)
            and (not override.provider or provider_name(override.provider) == provider_name(row.provider))
            and (fnmatchcase(row.model or "", override.model_pattern) or override.model_pattern in models)
        ):
            return override
    return None


def is_valid_at(override: PriceOverride, moment: datetime) -> bool:
    return override.valid_from <= moment and (override.valid_until is None or moment < override.valid_until)


def price_by_override(row: Row, override: PriceOverride) -> None:
    """Prices the tokens of the call. What else it used, like searches, is part of these prices."""
    rates_of(override).set_cost(row)
    add_one_hour_writes(row, override)
    row.cost_source, row.price_id = "override", f"override:{override.pk}"


def rates_of(override: PriceOverride) -> Rates:
    read, write = override.cache_read_usd_per_million, override.cache_write_usd_per_million
    usd = (
        override.input_usd_per_million,
        override.output_usd_per_million,
        override.input_usd_per_million if read is None else read,
        override.input_usd_per_million if write is None else write,
    )
    return Rates(*(Decimal(value) / MILLION for value in usd))


def add_one_hour_writes(row: Row, override: PriceOverride) -> None:
    """Adds what writing to the cache for an hour costs more than writing to it for five minutes."""
    one_hour_tokens = int((row.usage_details or {}).get("cache_write_1h_tokens", 0))
    usd_per_million = override.cache_write_1h_usd_per_million
    if usd_per_million is None or not one_hour_tokens or row.cost_usd is None:
        return
    tokens = min(one_hour_tokens, row.cache_write_tokens or 0)
    extra_usd = (Decimal(usd_per_million) / MILLION - rates_of(override).cache_write) * tokens
    row.cache_write_cost_usd = (row.cache_write_cost_usd or 0) + extra_usd
    row.cost_usd += extra_usd
