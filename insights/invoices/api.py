"""Makes the endpoints below `/api/v1/cost/invoices`."""

from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

from django.http import HttpResponse
from pydantic import BaseModel, ConfigDict, Field

from analytics.answers import json_response
from analytics.endpoints import NoParameters, body_of, methods, parameters_of
from insights.invoices.answers import invoice_answer, invoice_item, invoice_list
from insights.invoices.columns import Columns
from insights.invoices.importing import import_file
from insights.invoices.models import FILE_LENGTH, Invoice
from insights.invoices.naming import name_models
from insights.invoices.prices import NewPrice, price
from insights.invoices.sheet import MOST_BYTES
from web.problems import Problem
from workspaces.access import WorkspaceRequest, workspace_access
from workspaces.models import Workspace
from workspaces.request_slots import request_slot


class NewInvoice(BaseModel):
    """A provider's CSV file."""

    model_config = ConfigDict(extra="forbid")

    id: Annotated[UUID | None, Field(description="An id of your own.")] = None
    provider: Annotated[str, Field(min_length=1, max_length=100, description="Like openai, in any spelling.")]
    csv: Annotated[str, Field(min_length=1, description="The text of the file.")]
    file_name: Annotated[str, Field(max_length=FILE_LENGTH, description="For people.")] = "invoice.csv"
    columns: Annotated[
        Columns | None,
        Field(description="What its columns mean; by default as before for this header, else as a preset says."),
    ] = None


class InvoiceChanges(BaseModel):
    """Which of our models the provider's names are."""

    model_config = ConfigDict(extra="forbid")

    models: Annotated[
        dict[str, str],
        Field(min_length=1, max_length=100, description="Our model by the provider's name; an empty text is none."),
    ]


@workspace_access("read")
def listing(request: WorkspaceRequest) -> HttpResponse:
    parameters_of(request.GET, NoParameters)
    return json_response(invoice_list(Invoice.objects.filter(workspace=request.workspace)))


@workspace_access("write")
def create(request: WorkspaceRequest) -> HttpResponse:
    parameters_of(request.GET, NoParameters)
    new: NewInvoice = body_of(request, NewInvoice, "invoice", MOST_BYTES)
    data, author = new.csv.encode(errors="replace"), request.access.credential
    imported = import_file(request.workspace, new.provider, new.file_name, data, new.columns, author, new.id)
    return json_response(invoice_item(imported.invoice), 201 if imported.is_new else 200)


def find(workspace: Workspace, invoice_id: UUID) -> Invoice:
    invoice = Invoice.objects.filter(workspace=workspace, pk=invoice_id).first()
    if invoice is None:
        raise Problem(404, "There is no such invoice in this workspace.")
    return invoice


@workspace_access("read")
def one(request: WorkspaceRequest, invoice_id: UUID) -> HttpResponse:
    parameters_of(request.GET, NoParameters)
    invoice = find(request.workspace, invoice_id)
    with request_slot(request.workspace.id):
        return json_response(invoice_answer(invoice))


@workspace_access("write")
def change(request: WorkspaceRequest, invoice_id: UUID) -> HttpResponse:
    parameters_of(request.GET, NoParameters)
    invoice = find(request.workspace, invoice_id)
    changes: InvoiceChanges = body_of(request, InvoiceChanges, "change")
    name_models(invoice, changes.models, request.access.credential)
    return json_response(invoice_answer(invoice))


@workspace_access("write")
def delete(request: WorkspaceRequest, invoice_id: UUID) -> HttpResponse:
    parameters_of(request.GET, NoParameters)
    find(request.workspace, invoice_id).delete()
    return HttpResponse(status=204)


@workspace_access("write")
def make_price(request: WorkspaceRequest, invoice_id: UUID) -> HttpResponse:
    parameters_of(request.GET, NoParameters)
    invoice = find(request.workspace, invoice_id)
    new: NewPrice = body_of(request, NewPrice, "price")
    return json_response(price(invoice, new, request.access.credential, datetime.now(UTC)))


invoices_view = methods(GET=listing, POST=create)
invoice_view = methods(GET=one, PATCH=change, DELETE=delete)
invoice_prices_view = methods(POST=make_price)
