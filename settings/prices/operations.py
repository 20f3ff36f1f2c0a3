"""Describes the endpoints of prices for the API document."""

from typing import Any

from analytics.openapi import WITH_BODY, WORKSPACE, Schema
from analytics.operation_parts import body, in_path, with_status, without_answer
from settings.document_parts import operation
from settings.prices.api import NewReprice
from settings.prices.effect import PriceEffect
from settings.prices.items import NewPrice, PriceChanges, PriceItem, PriceList
from settings.rows_updates import UpdateItem

PRICES = "/api/v1/settings/prices"
SOME_PRICE = 7
ID = in_path("price_id", "The price's id.", {"type": "integer", "minimum": 1, "maximum": 2**63 - 1})
NEW_PRICE = {
    "provider": "openai",
    "model_pattern": "gpt-4o",
    "input_usd_per_million": 2.25,
    "output_usd_per_million": 9,
    "valid_from": "2026-11-01T00:00:00Z",
}
END = {"valid_until": "2027-01-01T00:00:00Z"}
MONTH = {"from": "2026-11-01T00:00:00Z"}
EXAMPLE: dict[str, Any] = {"path": {"price_id": SOME_PRICE}}


def operations() -> dict[str, Schema]:
    """Returns the operations by path. The one that deletes the example comes last, since a test runs them in order."""
    return {
        PRICES: {"get": list_prices(), "post": create_price()},
        f"{PRICES}/preview": {"post": preview_price()},
        f"{PRICES}/reprice": {"post": reprice()},
        f"{PRICES}/{{price_id}}": {"get": one_price(), "patch": end_price(), "delete": delete_price()},
    }


def list_prices() -> Schema:
    return operation("list-prices", "The workspace's own prices, and the newest job that applies them.", PriceList)


def create_price() -> Schema:
    made = operation(
        "create-price",
        "Makes a price that counts instead of the list's. Stored calls keep their cost until they are priced again.",
        PriceItem,
        *(*WITH_BODY, 409),
        requestBody=body(NewPrice, NEW_PRICE),
        **{"x-example": {"body": NEW_PRICE}},
    )
    return with_status(made, 201, "The price, which is new.")


def preview_price() -> Schema:
    return operation(
        "preview-price",
        "What a price would change in the last 30 days, by model. Nothing is stored.",
        PriceEffect,
        *WITH_BODY,
        requestBody=body(NewPrice, NEW_PRICE),
        **{"x-example": {"body": NEW_PRICE}},
    )


def reprice() -> Schema:
    ordered = operation(
        "reprice",
        "Orders a job that prices the stored calls of a time again; the list of prices says how far it is.",
        UpdateItem,
        *(*WITH_BODY, 409),
        requestBody=body(NewReprice, MONTH),
        **{"x-example": {"body": MONTH}},
    )
    return with_status(ordered, 202, "The job, which waits.")


def one_price() -> Schema:
    return operation("one-price", "One price.", PriceItem, 404, parameters=[ID, WORKSPACE], **{"x-example": EXAMPLE})


def end_price() -> Schema:
    return operation(
        "end-price",
        "Says when a price ends. Calls from then on have the price before it.",
        PriceItem,
        *(*WITH_BODY, 404),
        parameters=[ID, WORKSPACE],
        requestBody=body(PriceChanges, END),
        **{"x-example": EXAMPLE | {"body": END}},
    )


def delete_price() -> Schema:
    deleted = operation(
        "delete-price",
        "Deletes a price, as if it had never been, once stored calls are priced again.",
        PriceItem,
        404,
        parameters=[ID, WORKSPACE],
        **{"x-example": EXAMPLE},
    )
    return without_answer(deleted)
