"""Makes the endpoints below `/api/v1/settings` that are about the workspace and its people.

Members and keys with the scope read may read. Only owners change something, and they sign in for it: no scope of a key
is enough, so that nobody with a leaked key lets somebody in.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Annotated
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe
from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic_core import PydanticCustomError

from analytics.answers import json_response
from analytics.endpoints import NoParameters, body_of, methods, parameters_of
from budgets.bodies import storable
from settings import items
from settings.audit import AuditQuery, audit_csv, audit_page
from settings.bodies import GeneralChanges, MemberChanges, NewInvitation
from web.problems import Problem
from workspaces import general, invitations, members
from workspaces.access import WorkspaceRequest, workspace_access
from workspaces.models import Invitation, Membership

MEMBERS_AT_ONCE = 100


def no_parameters(request: WorkspaceRequest) -> None:
    parameters_of(request.GET, NoParameters)


# --- General ---


@workspace_access("read")
def read_general(request: WorkspaceRequest) -> HttpResponse:
    no_parameters(request)
    return json_response(items.general(request.workspace))


@workspace_access("manage")
def change_general(request: WorkspaceRequest) -> HttpResponse:
    no_parameters(request)
    changes = body_of(request, GeneralChanges, "workspace").model_dump(exclude_unset=True)
    return json_response(items.general(general.change(request.workspace, request.user, **changes)))


# --- Members ---


def member_place(cursor: str) -> int:
    try:
        return int(urlsafe_b64decode(cursor))
    except ValueError as error:
        raise PydanticCustomError("cursor", "must be the next_cursor of an earlier answer") from error


class MemberQuery(BaseModel):
    model_config = ConfigDict(extra="forbid")

    search: Annotated[
        Annotated[str, AfterValidator(storable)],
        Field(max_length=150, description="Only members whose name contains this."),
    ] = ""
    cursor: Annotated[
        Annotated[str, Field(max_length=40), AfterValidator(member_place)] | None,
        Field(description="The `next_cursor` of the page before."),
    ] = None


@workspace_access("read")
def list_members(request: WorkspaceRequest) -> HttpResponse:
    query = parameters_of(request.GET, MemberQuery)
    found = items.members_of(request.workspace, query.search).order_by("pk")
    if query.cursor is not None:
        found = found.filter(pk__gt=query.cursor)
    some = list(found[: MEMBERS_AT_ONCE + 1])
    shown, more = some[:MEMBERS_AT_ONCE], some[MEMBERS_AT_ONCE:]
    next_cursor = urlsafe_b64encode(str(shown[-1].pk).encode()).decode() if more else None
    return json_response({"data": [item_of(request, member) for member in shown], "next_cursor": next_cursor})


def item_of(request: WorkspaceRequest, member: Membership) -> items.Member:
    user_id = None if request.access.key else request.user.pk
    return items.member_item(member, user_id, with_email="manage" in request.access.scopes)


@workspace_access("manage")
def change_member(request: WorkspaceRequest, member_id: int) -> HttpResponse:
    no_parameters(request)
    body = body_of(request, MemberChanges, "member")
    member = members.change_role(request.workspace, member_id, body.role, request.user)
    return json_response(item_of(request, member))


@workspace_access("read")
def remove_member(request: WorkspaceRequest, member_id: int) -> HttpResponse:
    """Removes a member: an owner removes any, and everybody themselves."""
    no_parameters(request)
    if request.access.key or not request.user.is_authenticated:
        raise Problem(403, "Sign in: members are removed by owners, or leave by themselves.")
    members.remove(request.workspace, member_id, request.user)
    return HttpResponse(status=204)


# --- Invitations ---


@workspace_access("manage")
def list_invitations(request: WorkspaceRequest) -> HttpResponse:
    no_parameters(request)
    return json_response({"data": items.invitations_of(request.workspace)})


@workspace_access("manage")
def invite(request: WorkspaceRequest) -> HttpResponse:
    no_parameters(request)
    body = body_of(request, NewInvitation, "invitation")
    made = invitations.create(request.workspace, body.email, body.role, body.expires_in_days, request.user)
    return new_link(request, *made, status=201)


@require_http_methods(["POST"])
@workspace_access("manage")
def send_view(request: WorkspaceRequest, invitation_id: UUID) -> HttpResponse:
    no_parameters(request)
    return new_link(request, *invitations.send_again(request.workspace, invitation_id, request.user), status=200)


def new_link(request: WorkspaceRequest, invitation: Invitation, token: str | None, status: int) -> HttpResponse:
    item = items.invitation_item(invitation, inviter_may=True)
    return json_response({**item, "link": link(request, token)}, status)


def link(request: HttpRequest, token: str | None) -> str | None:
    return request.build_absolute_uri(reverse("invitation", args=[token])) if token else None


@workspace_access("manage")
def revoke(request: WorkspaceRequest, invitation_id: UUID) -> HttpResponse:
    no_parameters(request)
    invitations.revoke(request.workspace, invitation_id, request.user)
    return HttpResponse(status=204)


# --- Audit ---


@require_safe
@workspace_access("manage", or_reading_key=True)
def audit_view(request: WorkspaceRequest) -> HttpResponse:
    query = parameters_of(request.GET, AuditQuery)
    if query.format == "csv":
        return audit_file(request, query)
    return json_response(audit_page(request.workspace, query, query.limit))


def audit_file(request: WorkspaceRequest, query: AuditQuery) -> HttpResponse:
    headers = {"Content-Disposition": 'attachment; filename="audit.csv"', "Cache-Control": "private, no-store"}
    body = audit_csv(request.workspace, query)
    return HttpResponse(body, content_type="text/csv; charset=utf-8", headers=headers)


general_view = methods(GET=read_general, PATCH=change_general)
members_view = methods(GET=list_members)
member_view = methods(PATCH=change_member, DELETE=remove_member)
invitations_view = methods(GET=list_invitations, POST=invite)
invitation_view = methods(DELETE=revoke)
