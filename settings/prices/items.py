"""Makes, changes and deletes the prices of a workspace, and records who did it."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema
from typing_extensions import TypedDict

from alerts.rule_bodies import Moment, plain_number
from budgets.bodies import storable
from insights.invoices.prices import DIGITS, MOST_USD_PER_MILLION
from prices.models import PriceOverride
from settings.faults import invalid_form
from settings.rows_updates import UpdateItem
from web.problems import Problem
from workspaces import audit
from workspaces.models import Workspace

MOST_PRICES = 1000
PRICES = tuple(f"{name}_usd_per_million" for name in ("input", "output", "cache_read", "cache_write", "cache_write_1h"))
CONFIG = ConfigDict(extra="forbid")
UsdPerMillion = Annotated[
    Decimal,
    Field(ge=0, le=MOST_USD_PER_MILLION, allow_inf_nan=False),
    BeforeValidator(plain_number),
    WithJsonSchema({"type": "number", "minimum": 0, "maximum": float(MOST_USD_PER_MILLION)}),
]


class PriceItem(TypedDict):
    id: int
    provider: str | None
    """Null: any provider."""
    model_pattern: str
    input_usd_per_million: float
    output_usd_per_million: float
    cache_read_usd_per_million: float | None
    """Null: as input."""
    cache_write_usd_per_million: float | None
    """Null: as input."""
    cache_write_1h_usd_per_million: float | None
    """Null: as every cache write."""
    valid_from: datetime
    valid_until: datetime | None
    created_at: datetime


class PriceList(TypedDict):
    data: list[PriceItem]
    """The newest first: of several that fit a call, the first that is valid at its time counts."""
    reprice: UpdateItem | None
    """The newest job that prices stored calls again."""


class NewPrice(BaseModel):
    """A price that the workspace pays for a model, in USD for a million tokens."""

    model_config = CONFIG
    provider: Annotated[
        Annotated[str, Field(max_length=100, pattern=r"^[^\u0000]*$"), AfterValidator(storable)],
        Field(description="In any spelling. Empty: any provider."),
    ] = ""
    model_pattern: Annotated[
        Annotated[
            str, Field(min_length=1, max_length=200, pattern=r"^[^\u0000]*\S[^\u0000]*$"), AfterValidator(storable)
        ],
        Field(description="Like gpt-4o or acme-*."),
    ]
    input_usd_per_million: UsdPerMillion
    output_usd_per_million: UsdPerMillion
    cache_read_usd_per_million: Annotated[UsdPerMillion | None, Field(description="By default as input.")] = None
    cache_write_usd_per_million: Annotated[UsdPerMillion | None, Field(description="By default as input.")] = None
    cache_write_1h_usd_per_million: Annotated[
        UsdPerMillion | None, Field(description="By default as every cache write.")
    ] = None
    valid_from: Annotated[Moment | None, Field(description="By default now.")] = None
    valid_until: Annotated[Moment | None, Field(description="By default it does not end.")] = None


class PriceChanges(BaseModel):
    """When the price ends: null takes an end back."""

    model_config = CONFIG
    valid_until: Moment | None


def prices_of(workspace: Workspace) -> list[PriceOverride]:
    return list(PriceOverride.objects.filter(workspace=workspace).order_by("-valid_from", "id"))


def find_price(workspace: Workspace, price_id: int, is_locked: bool = False) -> PriceOverride:
    prices = PriceOverride.objects.filter(workspace=workspace)
    price = (prices.select_for_update() if is_locked else prices).filter(pk=price_id).first()
    if price is None:
        raise Problem(404, "There is no such price in this workspace.")
    return price


def price_of(workspace: Workspace, body: NewPrice, now: datetime) -> PriceOverride:
    """Returns the price of the body, which is not stored yet. Raises a 422 Problem."""
    values = body.model_dump() | {"valid_from": body.valid_from or now}
    amounts = {name: values[name].quantize(DIGITS) for name in PRICES if values[name] is not None}
    price = PriceOverride(workspace=workspace, **values | amounts)
    check(price)
    return price


def check(price: PriceOverride) -> None:
    try:
        price.full_clean(exclude=["workspace"])
    except ValidationError as error:
        raise invalid_form(error, "price") from error


@transaction.atomic
def create_price(workspace: Workspace, body: NewPrice, actor: str, now: datetime) -> PriceOverride:
    # The row of the workspace is the lock: otherwise two requests could go past the limit together.
    Workspace.objects.select_for_update().get(pk=workspace.pk)
    if PriceOverride.objects.filter(workspace=workspace).count() >= MOST_PRICES:
        raise Problem(409, f"A workspace has at most {MOST_PRICES:,} prices. Delete some first.")
    price = price_of(workspace, body, now)
    same = {"provider": price.provider, "model_pattern": price.model_pattern, "valid_from": price.valid_from}
    if PriceOverride.objects.filter(workspace=workspace, **same).exists():
        raise Problem(409, "There is a price for this model from the same moment. Delete it first.")
    price.save()
    audit.record(workspace, actor, "price.create", str(price), None, facts_of(price))
    return price


@transaction.atomic
def end_price(workspace: Workspace, price_id: int, valid_until: datetime | None, actor: str) -> PriceOverride:
    price = find_price(workspace, price_id, is_locked=True)
    before = facts_of(price)
    price.valid_until = valid_until
    check(price)
    if audit.record(workspace, actor, "price.change", str(price), before, facts_of(price)):
        price.save()
    return price


@transaction.atomic
def delete_price(workspace: Workspace, price_id: int, actor: str) -> None:
    price = find_price(workspace, price_id, is_locked=True)
    audit.record(workspace, actor, "price.delete", str(price), facts_of(price), None)
    price.delete()


def facts_of(price: PriceOverride) -> dict[str, Any]:
    names = ("provider", "model_pattern", *PRICES, "valid_from", "valid_until")
    return {name: plain(getattr(price, name)) for name in names}


def plain(value: Any) -> Any:
    """Returns an amount without zeros at its end, so that the audit compares 3 with 3.000000."""
    return f"{value.normalize():f}" if isinstance(value, Decimal) else value


def item(price: PriceOverride) -> PriceItem:
    amounts = {name: None if (value := getattr(price, name)) is None else float(value) for name in PRICES}
    return {
        "id": price.pk,
        "provider": price.provider or None,
        "model_pattern": price.model_pattern,
        "valid_from": price.valid_from,
        "valid_until": price.valid_until,
        "created_at": price.created_at,
        **amounts,  # type: ignore[typeddict-item]
    }


def oldest_start(now: datetime) -> datetime:
    """Returns before when no row is stored."""
    return now - timedelta(days=settings.RETENTION_DAYS + 1)
