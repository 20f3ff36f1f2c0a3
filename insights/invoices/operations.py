"""Describes the endpoints below `/api/v1/cost/invoices` for the API document."""

from functools import partial
from typing import Any

from analytics.openapi import WITH_BODY, WORKSPACE, Schema
from analytics.operation_parts import also_created, body, describe, in_path, without_answer
from insights.invoices.answers import InvoiceAnswer, InvoiceItem, InvoiceList
from insights.invoices.api import InvoiceChanges, NewInvoice
from insights.invoices.prices import NewPrice, PriceEffect
from insights.invoices.sheet import MOST_BYTES

ID = in_path("invoice_id", "The invoice's id.")
NEW_INVOICE: dict[str, Any] = {
    "id": "2c8f0f5e-93a1-4e0b-8a55-6f4f6f1b7d20",
    "provider": "openai",
    "file_name": "november.csv",
    "csv": "date,model,cost\n2026-11-01,gpt-4o,12.50\n2026-11-02,gpt-4o,13.75\n",
    "columns": {"day": "date", "model": "model", "amount": "cost"},
}
NAMES = {"models": {"gpt-4o": "gpt-4o"}}
EXAMPLE_PATH = {"invoice_id": NEW_INVOICE["id"]}


def operations() -> dict[str, Schema]:
    return {"/api/v1/cost/invoices": {"get": list_invoices(), "post": create()}, **operations_of_one()}


def operations_of_one() -> dict[str, Schema]:
    return {
        "/api/v1/cost/invoices/{invoice_id}/prices": {"post": make_price()},
        "/api/v1/cost/invoices/{invoice_id}": {"get": one(), "patch": change(), "delete": delete()},
    }


operation = partial(describe, "cost")


def list_invoices() -> Schema:
    return operation("list-invoices", "The invoices of the workspace.", InvoiceList)


def create() -> Schema:
    made = operation(
        "import-invoice",
        "Imports a provider's CSV file as an invoice. The same file again is the same invoice.",
        InvoiceItem,
        *(*WITH_BODY, 409),
        description=(
            "A fault of the file is a 422 that names its line and column. Compressed with `Content-Encoding: gzip` a "
            f"body may have {MOST_BYTES // 2**20} MiB of text."
        ),
        requestBody=body(NewInvoice, NEW_INVOICE),
        **{"x-example": {"body": NEW_INVOICE}},
    )
    return also_created(made, "The invoice, which is new.")


def one() -> Schema:
    return operation(
        "one-invoice",
        "An invoice beside the ledger, by day and model, and the likely reasons of the difference.",
        InvoiceAnswer,
        *(404,),
        parameters=[ID, WORKSPACE],
        **{"x-example": {"path": EXAMPLE_PATH}},
    )


def change() -> Schema:
    return operation(
        "change-invoice",
        "Says which of our models the provider's names are, for this invoice and later files with its header.",
        InvoiceAnswer,
        *(*WITH_BODY, 404),
        parameters=[ID, WORKSPACE],
        requestBody=body(InvoiceChanges, NAMES),
        **{"x-example": {"path": EXAMPLE_PATH, "body": NAMES}},
    )


def make_price() -> Schema:
    example = {"model": "gpt-4o", "factor": 0.92, "dry_run": True}
    return operation(
        "invoice-price",
        "Makes a price of the workspace from the invoice's first day on, and prices the stored calls again.",
        PriceEffect,
        *(*WITH_BODY, 404, 409),
        parameters=[ID, WORKSPACE],
        requestBody=body(NewPrice, example),
        **{"x-example": {"path": EXAMPLE_PATH, "body": example}},
    )


def delete() -> Schema:
    gone = operation(
        "delete-invoice",
        "Deletes an invoice. Prices that were made from it stay.",
        InvoiceItem,
        *(404,),
        parameters=[ID, WORKSPACE],
        **{"x-example": {"path": EXAMPLE_PATH}},
    )
    return without_answer(gone)
