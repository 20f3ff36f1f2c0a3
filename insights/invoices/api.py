"""Makes the endpoints below `/api/v1/cost/invoices`."""

from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

from django.http import HttpResponse
from pydantic import BaseModel, ConfigDict, Field

from analytics.budget_api import NoParameters, methods, parameters_of
from analytics.label_views import json_response
from budgets.bodies import parse
from insights.invoices.answers import invoice_answer, invoice_item, invoice_list
from insights.invoices.columns import Columns
from insights.invoices.importing import import_file
from insights.invoices.models import FILE_LENGTH, Invoice
from insights.invoices.prices import NewPrice, price
from insights.invoices.sheet import MOST_BYTES
from web.body import read_body
from web.problems import Problem
from workspaces.access import WorkspaceRequest, workspace_access
from workspaces.models import Workspace
from workspaces.request_slots import request_slot


class NewInvoice(BaseModel):
    """A provider's CSV file."""

    model_config = ConfigDict(extra="forbid")

    provider: Annotated[str, Field(min_length=1, max_length=100, description="Like openai, in any spelling.")]
    csv: Annotated[str, Field(min_length=1, description="The text of the file.")]
    file_name: Annotated[str, Field(max_length=FILE_LENGTH, description="For people.")] = "invoice.csv"
    columns: Annotated[
        Columns | None,
        Field(description="What its columns mean; by default as before for this header, else as a preset says."),
    ] = None


@workspace_access("read")
def listing(request: WorkspaceRequest) -> HttpResponse:
    parameters_of(request.GET, NoParameters)
    return json_response(invoice_list(Invoice.objects.filter(workspace=request.workspace)))


@workspace_access("write")
def create(request: WorkspaceRequest) -> HttpResponse:
    parameters_of(request.GET, NoParameters)
    new: NewInvoice = body_of(request, NewInvoice, "invoice", MOST_BYTES)
    data = new.csv.encode(errors="replace")
    imported = import_file(request.workspace, new.provider, new.file_name, data, new.columns, request.access.credential)
    response = json_response(invoice_item(imported.invoice))
    response.status_code = 201 if imported.is_new else 200
    return response


def body_of(request: WorkspaceRequest, model: type[BaseModel], what: str, most_bytes: int | None = None) -> Any:
    if request.content_type != "application/json":
        raise Problem(415, f"Send the {what} as Content-Type: application/json.")
    return parse(read_body(request, most_bytes), model, what)


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
invoice_view = methods(GET=one, DELETE=delete)
invoice_prices_view = methods(POST=make_price)
