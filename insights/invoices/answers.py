"""What the endpoints of invoices answer."""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any, Literal

from typing_extensions import TypedDict

from insights.invoices.comparison import Comparison, comparison, number
from insights.invoices.models import Invoice, Repricing


class InvoiceItem(TypedDict):
    id: str
    provider: str
    first_day: date
    last_day: date
    currency: Literal["USD"]
    file_name: str
    total_usd: float
    """The sum of its lines."""
    stated_totals_usd: list[float]
    """The amounts of the file's own lines of totals, which are in no sum."""
    lines: int
    columns: dict[str, Any]
    created_by: str
    created_at: datetime


class InvoiceList(TypedDict):
    data: list[InvoiceItem]
    """The newest days first."""


class RepricingItem(TypedDict):
    """A price that was made from the invoice."""

    id: str
    model: str
    state: Literal["waiting", "done"]
    requested_by: str
    requested_at: datetime
    finished_at: datetime | None
    changed_calls: int | None
    before_usd: float | None
    """Of all calls of the workspace in this time."""
    after_usd: float | None


class InvoiceAnswer(InvoiceItem, Comparison):
    """An invoice beside the ledger."""

    repricings: list[RepricingItem]


def invoice_item(invoice: Invoice) -> InvoiceItem:
    return {
        "id": str(invoice.pk),
        "provider": invoice.provider,
        "first_day": invoice.first_day,
        "last_day": invoice.last_day,
        "currency": "USD",
        "file_name": invoice.file_name,
        "total_usd": number(invoice.total_usd),
        "stated_totals_usd": [number(total) for total in invoice.stated_totals],
        "lines": invoice.line_count,
        "columns": invoice.columns,
        "created_by": invoice.created_by,
        "created_at": invoice.created_at,
    }


def invoice_list(invoices: Iterable[Invoice]) -> InvoiceList:
    return {"data": [invoice_item(invoice) for invoice in invoices]}


def invoice_answer(invoice: Invoice) -> InvoiceAnswer:
    return {
        **invoice_item(invoice),
        **comparison(invoice),
        "repricings": [repricing_item(one) for one in invoice.repricings.all()],
    }


def repricing_item(one: Repricing) -> RepricingItem:
    return {
        "id": str(one.pk),
        "model": one.model,
        "state": "done" if one.finished_at else "waiting",
        "requested_by": one.requested_by,
        "requested_at": one.requested_at,
        "finished_at": one.finished_at,
        "changed_calls": one.changed_calls,
        "before_usd": None if one.before_usd is None else number(one.before_usd),
        "after_usd": None if one.after_usd is None else number(one.after_usd),
    }
