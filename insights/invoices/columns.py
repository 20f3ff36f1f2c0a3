"""Says which column of a provider's file means what: by hand, as it was chosen before, or by a preset."""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from insights.invoices.cells import DayOrder, DecimalMark

Unit = Literal["usd", "cents"]
ColumnName = Annotated[str, Field(max_length=200)]


class Columns(BaseModel):
    """The columns of a file, by their names in its header."""

    model_config = ConfigDict(extra="forbid")

    day: Annotated[ColumnName, Field(min_length=1, description="The column of days or moments.")]
    model: Annotated[ColumnName, Field(min_length=1, description="The column of models, or of line items.")]
    amount: Annotated[ColumnName, Field(min_length=1, description="The column of amounts in USD.")]
    token_class: Annotated[ColumnName, Field(description="The column of the kind of tokens, if there is one.")] = ""
    quantity: Annotated[ColumnName, Field(description="The column of the number of tokens, if there is one.")] = ""
    currency: Annotated[ColumnName, Field(description="The column of the currency, which must be USD.")] = ""
    unit: Annotated[Unit, Field(description="What an amount of 1 is.")] = "usd"
    decimal_mark: Annotated[
        DecimalMark | None, Field(description="point: 1,234.50. comma: 1.234,50. By default as the amounts say.")
    ] = None
    day_order: Annotated[DayOrder | None, Field(description="Of days like 01/02/2026. By default as the days say.")] = (
        None
    )

    @property
    def named(self) -> dict[str, str]:
        """Returns the columns that are used, by what they mean."""
        return {name: column for name in COLUMN_FIELDS if (column := getattr(self, name))}


COLUMN_FIELDS = ("day", "model", "amount", "token_class", "quantity", "currency")


class Preset(NamedTuple):
    name: str
    provider: str
    source: str
    """Where the names of the columns come from."""
    columns: Mapping[str, str]
    unit: Unit = "usd"


PRESETS = (
    Preset(
        "Anthropic, costs as the Console exports them",
        "anthropic",
        "seen in exports; Anthropic documents that the export exists, and not its columns",
        {"day": "usage_date_utc", "model": "model", "amount": "cost_usd", "token_class": "token_type"},
    ),
    Preset(
        "Anthropic, Cost Report of the Admin API",
        "anthropic",
        "the fields of the Cost Report, whose amounts are in cents",
        {
            **{"day": "starting_at", "model": "model", "amount": "amount"},
            **{"token_class": "token_type", "currency": "currency"},
        },
        "cents",
    ),
    Preset(
        "OpenAI, costs as the dashboard exports them",
        "openai",
        "the fields of the Costs API, joined by an underscore; seen in exports, the columns are not documented",
        {
            **{"day": "start_time_iso", "model": "line_item", "amount": "amount_value"},
            **{"currency": "amount_currency"},
        },
    ),
    Preset(
        "OpenAI, Costs API",
        "openai",
        "the fields of the Costs API, with the point that separates them",
        {"day": "start_time", "model": "line_item", "amount": "amount.value", "currency": "amount.currency"},
    ),
)
"""A file fits a preset if it has all of its columns."""

LIKELY = {
    "day": re.compile(r"(usage_?)?(start_?)?(date|day|time|tag|datum)", re.I),
    "amount": re.compile(r"(cost|amount|total|charge|price|betrag|kosten|usd)", re.I),
    "model": re.compile(r"(model|line_?item|sku|description|product|modell)", re.I),
    "token_class": re.compile(r"(token_?type|token_?class|usage_?type)", re.I),
    "quantity": re.compile(r"(quantity|tokens|units|menge|anzahl)", re.I),
    "currency": re.compile(r"(currency|währung)", re.I),
}


def preset_of(names: list[str]) -> Preset | None:
    """Returns the preset that the header fits."""
    known = {name.lower() for name in names}
    return next((preset for preset in PRESETS if known >= {*preset.columns.values()}), None)


def suggested(names: list[str]) -> dict[str, Any]:
    """Returns the columns that a form begins with: those of a preset, else those whose names say what they mean."""
    if preset := preset_of(names):
        by_name = {name.lower(): name for name in names}
        return {**{field: by_name[column] for field, column in preset.columns.items()}, "unit": preset.unit}
    found: dict[str, Any] = {}
    for field, pattern in LIKELY.items():
        column = next((name for name in names if pattern.search(name) and name not in found.values()), "")
        found |= {field: column} if column else {}
    return found


# --- Kinds of tokens ---

CLASSES = (
    ("cache_read", re.compile(r"cache[_ -]?(read|hit)|cached|from the cache", re.I)),
    ("cache_write", re.compile(r"cache[_ -]?(write|creat)", re.I)),
    ("audio", re.compile(r"audio", re.I)),
    ("image", re.compile(r"image", re.I)),
    ("search", re.compile(r"search", re.I)),
    ("output", re.compile(r"output|completion|generated", re.I)),
    ("input", re.compile(r"input|prompt|context", re.I)),
)


@lru_cache(maxsize=4096)
def class_of(text: str) -> str:
    """Returns the class of tokens that a text names, by the names of the ledger; empty where it names none."""
    uncached = re.sub(r"un_?cached|no_?cache", "", text, flags=re.I)
    return next((name for name, pattern in CLASSES if pattern.search(uncached)), "")


@lru_cache(maxsize=4096)
def model_and_class(text: str) -> tuple[str, str]:
    """Splits a line item like "gpt-4o-2024-08-06, cached input" into its model and its class of tokens."""
    model, comma, rest = text.rpartition(", ")
    found = class_of(rest) if comma else ""
    return (model.strip(), found) if found else (text.strip(), "")
