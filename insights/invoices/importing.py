"""Imports a provider's file as an invoice."""

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from typing import NamedTuple
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

from django.db import IntegrityError, transaction

from ingest.model_names import base_model
from insights.invoices.columns import Columns, suggested
from insights.invoices.lines import FileLines, read_lines
from insights.invoices.models import FILE_LENGTH, Invoice, InvoiceLine, InvoiceMapping
from insights.invoices.sheet import Sheet, read_sheet
from prices.providers import provider_name
from traces import sums
from traces.buckets import UTC_ZONE
from traces.db import rows
from traces.filters import Filters, FilterValues
from web.problems import Problem
from workspaces.models import Workspace

MOST_INVOICES = 500
"""Of a workspace."""
SEPARATORS = re.compile(r"[^a-z0-9]+")
LINES_AT_ONCE = 1000


class Imported(NamedTuple):
    invoice: Invoice
    is_new: bool


def import_file(
    workspace: Workspace,
    provider: str,
    file_name: str,
    data: bytes,
    columns: Columns | None,
    author: str,
    invoice_id: UUID | None = None,
) -> Imported:
    """Stores the file as an invoice, or returns the invoice that it already is. Raises 409 and 422 Problems.

    Without `columns` they are those that were chosen for this header before, or those of a preset.
    """
    name = known_provider(provider)
    sheet = read_sheet(data)
    columns = columns or kept_columns(workspace, sheet) or preset_columns(sheet)
    file_hash = sha256(data).hexdigest()
    same_file = Invoice.objects.filter(workspace=workspace, provider=name, file_hash=file_hash)
    if earlier := same_file.first():
        return same_invoice(earlier, columns)
    check_room(workspace, invoice_id)
    found = read_lines(sheet, columns)
    chosen = model_names_of(workspace, sheet)
    ours = our_models(workspace, name, found.days[0], found.days[-1])
    models = match_models({group.model for group in found.sums}, ours, chosen)
    invoice = Invoice(
        id=invoice_id or uuid4(),
        workspace=workspace,
        provider=name,
        first_day=found.days[0],
        last_day=found.days[-1],
        file_name=(file_name.replace("\0", "").strip() or "invoice.csv")[:FILE_LENGTH],
        file_hash=file_hash,
        fingerprint=sheet.fingerprint,
        columns=columns.model_dump(),
        total_usd=found.total_usd,
        line_count=sum(one.lines for one in found.sums.values()),
        decimals=found.decimals,
        stated_totals=[f"{total.normalize():f}" for total in found.totals],
        created_by=author,
    )
    try:
        store(invoice, found, models)
    except IntegrityError:
        # Another request has just imported it.
        check_room(workspace, None if same_file.exists() else invoice_id)
        return same_invoice(same_file.get(), columns)
    keep_columns(workspace, sheet, name, columns, author)
    return Imported(invoice, True)


def known_provider(spelling: str) -> str:
    name = provider_name(spelling) if spelling.strip() else None
    if name is None or "\0" in spelling or len(name) > 100:
        message = "must name a provider, like openai or anthropic"
        raise Problem(422, "The invoice is not valid.", [{"loc": ["body", "provider"], "msg": message}])
    return name


def same_invoice(earlier: Invoice, columns: Columns) -> Imported:
    if earlier.columns != columns.model_dump():
        raise Problem(409, "This file is an invoice already, with other columns. Delete that invoice first.")
    return Imported(earlier, False)


def check_room(workspace: Workspace, invoice_id: UUID | None) -> None:
    if invoice_id and Invoice.objects.filter(pk=invoice_id).exists():
        raise Problem(409, "This id belongs to another invoice.")
    if Invoice.objects.filter(workspace=workspace).count() >= MOST_INVOICES:
        raise Problem(409, f"The workspace has {MOST_INVOICES} invoices. Delete one first.")


@transaction.atomic
def store(invoice: Invoice, found: FileLines, models: Mapping[str, str]) -> None:
    invoice.save()
    InvoiceLine.objects.bulk_create(
        (
            InvoiceLine(
                invoice=invoice,
                day=group.day,
                model_named=group.model,
                model=models[group.model],
                token_class=group.token_class,
                quantity=one.quantity,
                amount_usd=one.amount_usd,
                line_count=one.lines,
            )
            for group, one in found.sums.items()
        ),
        batch_size=LINES_AT_ONCE,
    )


# --- Columns ---


def kept_columns(workspace: Workspace, sheet: Sheet) -> Columns | None:
    kept = InvoiceMapping.objects.filter(workspace=workspace, fingerprint=sheet.fingerprint).first()
    return Columns.model_validate(kept.columns) if kept else None


def preset_columns(sheet: Sheet) -> Columns:
    found = suggested(sheet.columns)
    if not {"day", "model", "amount"} <= found.keys():
        known = ", ".join(sheet.columns[:20])
        message = f"choose the columns of day, model and amount; there are {known}"
        raise Problem(422, "The columns are not known.", [{"loc": ["body", "columns"], "msg": message}])
    return Columns.model_validate(found)


def keep_columns(workspace: Workspace, sheet: Sheet, provider: str, columns: Columns, author: str) -> None:
    InvoiceMapping.objects.update_or_create(
        workspace=workspace,
        fingerprint=sheet.fingerprint,
        defaults={"provider": provider, "columns": columns.model_dump(), "changed_by": author},
    )


# --- Models ---


def model_names_of(workspace: Workspace, sheet: Sheet) -> dict[str, str]:
    """Returns the models that people chose for names of the provider."""
    kept = InvoiceMapping.objects.filter(workspace=workspace, fingerprint=sheet.fingerprint).first()
    return dict(kept.model_names) if kept else {}


def window_of(first_day: date, last_day: date, zone: ZoneInfo = UTC_ZONE) -> tuple[datetime, datetime]:
    """Returns the first moment of the days, and the first after them."""
    ends = (first_day, last_day + timedelta(days=1))
    start, end = (datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC) for day in ends)
    return start, end


def our_models(workspace: Workspace, provider: str, first_day: date, last_day: date) -> list[str]:
    """Returns the models of the provider that we saw on these days, those with the most calls first."""
    start, end = window_of(first_day, last_day)
    filters = Filters(
        workspace.id, start, end, granularity="daily", values={"provider": FilterValues((provider,))}, limit=1000
    )
    found = rows(
        """
        SELECT model
        FROM {calls} AS calls
        WHERE model IS NOT NULL
        GROUP BY model
        ORDER BY sum(calls) DESC, model
        LIMIT %(limit)s
        """,
        filters.params,
        calls=sums.calls_sql(filters, "provider", "model", "calls"),
    )
    return [one["model"] for one in found]


def match_models(named: Iterable[str], ours: Iterable[str], chosen: Mapping[str, str]) -> dict[str, str]:
    """Returns our model for each name of the provider.

    A name is one that somebody chose, our own name, the name without its release, or the same letters and digits, as
    in Claude Haiku 4.5. A name that is none of ours stays as it is.
    """
    ours = list(ours)
    by_letters = {squeezed(model): model for model in reversed(ours)}
    known = {*ours}
    return {
        name: chosen.get(name)
        or next((one for one in (name, base_model(name) or "") if one in known), None)
        or by_letters.get(squeezed(name))
        or by_letters.get(squeezed(base_model(name) or ""))
        or (base_model(name) or "")
        for name in named
    }


def squeezed(name: str) -> str:
    return SEPARATORS.sub("", name.lower())
