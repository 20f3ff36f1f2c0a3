"""Makes the endpoints below `/api/v1/alerts/channels`, and the list of deliveries."""

from typing import Annotated, Any, Literal
from uuid import UUID

from django.http import HttpResponse
from django.views.decorators.http import require_http_methods, require_safe
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from alerts import changes, items
from alerts.bodies import ChannelChanges, NewChannel
from alerts.models import Channel
from analytics.answers import json_response
from analytics.endpoints import NoParameters, body_of, cursor_of, methods, parameters_of, place_of
from web.row_places import RowPlace
from workspaces.access import WorkspaceRequest, workspace_access
from workspaces.models import Workspace


class DeliveryQuery(BaseModel):
    model_config = ConfigDict(extra="forbid")

    channel_id: Annotated[UUID | None, Field(description="Only those of this channel.")] = None
    event_id: Annotated[UUID | None, Field(description="Only those of this event.")] = None
    state: Annotated[Literal["waiting", "sent", "failed"] | None, Field(description="Only those in this state.")] = None
    cursor: Annotated[
        Annotated[str, AfterValidator(place_of)] | None, Field(description="The `next_cursor` of the page before.")
    ] = None


def answer(channel: Channel, status: int = 200) -> HttpResponse:
    [found] = items.channel_items(Channel.objects.filter(pk=channel.pk))
    return json_response(found, status)


@workspace_access("read")
def listing(request: WorkspaceRequest) -> HttpResponse:
    parameters_of(request.GET, NoParameters)
    return json_response({"data": items.channels_of(request.workspace)})


@workspace_access("write")
def create(request: WorkspaceRequest) -> HttpResponse:
    parameters_of(request.GET, NoParameters)
    body = body_of(request, NewChannel, "channel")
    channel, is_new = changes.create(request.workspace, body, request.access.credential)
    return answer(channel, 201 if is_new else 200)


@workspace_access("read")
def one(request: WorkspaceRequest, channel_id: UUID) -> HttpResponse:
    parameters_of(request.GET, NoParameters)
    return answer(changes.find(request.workspace, channel_id))


@workspace_access("write")
def change(request: WorkspaceRequest, channel_id: UUID) -> HttpResponse:
    parameters_of(request.GET, NoParameters)
    body = body_of(request, ChannelChanges, "channel")
    return answer(changes.change(request.workspace, channel_id, body, request.access.credential))


@workspace_access("write")
def delete(request: WorkspaceRequest, channel_id: UUID) -> HttpResponse:
    parameters_of(request.GET, NoParameters)
    changes.delete(request.workspace, channel_id, request.access.credential)
    return HttpResponse(status=204)


@require_http_methods(["POST"])
@workspace_access("write")
def test_view(request: WorkspaceRequest, channel_id: UUID) -> HttpResponse:
    parameters_of(request.GET, NoParameters)
    delivery = changes.send_test(request.workspace, channel_id, request.access.credential)
    return json_response(items.delivery_item(delivery), 202)


@require_safe
@workspace_access("read")
def deliveries_view(request: WorkspaceRequest) -> HttpResponse:
    query = parameters_of(request.GET, DeliveryQuery)
    return json_response(delivery_page(request.workspace, query))


def delivery_page(workspace: Workspace, query: DeliveryQuery) -> items.DeliveryList:
    conditions: dict[str, Any] = query.model_dump(exclude_none=True, exclude={"cursor"})
    found = items.deliveries_of(workspace, query.cursor, **conditions)  # type: ignore[arg-type]
    shown, more = found[: items.DELIVERIES_AT_ONCE], found[items.DELIVERIES_AT_ONCE :]
    place = RowPlace(shown[-1].created_at, shown[-1].pk) if more else None
    return {"data": [items.delivery_item(delivery) for delivery in shown], "next_cursor": cursor_of(place)}


channels_view = methods(GET=listing, POST=create)
channel_view = methods(GET=one, PATCH=change, DELETE=delete)
