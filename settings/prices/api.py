"""Makes the endpoints below `/api/v1/settings/prices`."""

from datetime import UTC, datetime
from typing import Annotated

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_http_methods
from pydantic import BaseModel, Field

from alerts.rule_bodies import Moment
from analytics.answers import json_response
from analytics.endpoints import NoParameters, body_of, methods, parameters_of
from settings.models import RowsUpdate, UpdateKind
from settings.prices.effect import effect
from settings.prices.items import (
    CONFIG,
    NewPrice,
    PriceChanges,
    create_price,
    delete_price,
    end_price,
    find_price,
    item,
    oldest_start,
    price_of,
    prices_of,
)
from settings.rows_updates import newest_update, order_update, update_item
from web.problems import Problem
from workspaces.access import WorkspaceRequest, workspace_access
from workspaces.models import Workspace
from workspaces.request_slots import request_slot


class NewReprice(BaseModel):
    """The time whose calls are priced again."""

    model_config = CONFIG
    from_: Annotated[Moment, Field(alias="from")]
    to: Annotated[Moment | None, Field(description="By default now.")] = None


@workspace_access("read")
def listing(request: WorkspaceRequest) -> HttpResponse:
    parameters_of(request.GET, NoParameters)
    found = [item(price) for price in prices_of(request.workspace)]
    return json_response({"data": found, "reprice": newest_update(request.workspace, UpdateKind.PRICES)})


@workspace_access("write")
def create(request: WorkspaceRequest) -> HttpResponse:
    parameters_of(request.GET, NoParameters)
    body = body_of(request, NewPrice, "price")
    price = create_price(request.workspace, body, request.access.credential, datetime.now(UTC))
    return json_response(item(price), 201)


@require_http_methods(["POST"])
@workspace_access("read")
def preview_view(request: WorkspaceRequest) -> HttpResponseBase:
    """Says what a price would change, and changes nothing."""
    parameters_of(request.GET, NoParameters)
    now = datetime.now(UTC)
    price = price_of(request.workspace, body_of(request, NewPrice, "price"), now)
    with request_slot(request.workspace.id):
        return json_response(effect(request.workspace, price, now))


@workspace_access("read")
def one(request: WorkspaceRequest, price_id: int) -> HttpResponse:
    parameters_of(request.GET, NoParameters)
    return json_response(item(find_price(request.workspace, price_id)))


@workspace_access("write")
def change(request: WorkspaceRequest, price_id: int) -> HttpResponse:
    parameters_of(request.GET, NoParameters)
    body = body_of(request, PriceChanges, "price")
    return json_response(item(end_price(request.workspace, price_id, body.valid_until, request.access.credential)))


@workspace_access("write")
def delete(request: WorkspaceRequest, price_id: int) -> HttpResponse:
    parameters_of(request.GET, NoParameters)
    delete_price(request.workspace, price_id, request.access.credential)
    return HttpResponse(status=204)


@require_http_methods(["POST"])
@workspace_access("write")
def reprice_view(request: WorkspaceRequest) -> HttpResponseBase:
    """Orders a job that prices the stored calls of a time again. The list of prices says how far it is."""
    parameters_of(request.GET, NoParameters)
    body: NewReprice = body_of(request, NewReprice, "order")
    now = datetime.now(UTC)
    update = order_reprice(request.workspace, body.from_, body.to or now, request.access.credential, now)
    return json_response(update_item(update), 202)


def order_reprice(workspace: Workspace, start: datetime, end: datetime, actor: str, now: datetime) -> RowsUpdate:
    """Orders the job, for no more time than rows are stored."""
    start, end = max(start, oldest_start(now)), min(end, now)
    if start >= end:
        raise Problem(
            422, "The order is not valid.", [{"loc": ["body", "from"], "msg": "must be before the end and now"}]
        )
    return order_update(workspace, UpdateKind.PRICES, start, end, actor)


prices_view = methods(GET=listing, POST=create)
price_view = methods(GET=one, PATCH=change, DELETE=delete)
