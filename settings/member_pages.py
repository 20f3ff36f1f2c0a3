"""Renders the page of members and invitations, and does what its buttons ask for."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods

from budgets.bodies import validated
from settings import items
from settings.api import link
from settings.bodies import MemberChanges, NewInvitation
from settings.page import back_to, messages_by_field, page, page_context
from web import mail
from web.problems import Problem
from workspaces import invitations, members
from workspaces.access import WorkspaceRequest, page_access
from workspaces.models import Membership

MOST_SHOWN = 200
DAYS = ((1, "1 day"), (7, "7 days"), (30, "30 days"))
ROLES = (
    ("viewer", "Viewer", "reads everything"),
    ("editor", "Editor", "also changes budgets, alerts and labels"),
    ("owner", "Owner", "also manages members, keys and settings"),
)
REFUSED = (409, 422, 429)
"""Answers that the page shows. Others are pages of their own."""


@require_http_methods(["GET", "HEAD", "POST"])
@page_access
def members_page(request: WorkspaceRequest) -> HttpResponseBase:
    problem, shown = None, {}
    if request.method == "POST":
        try:
            done = act(request)
            if not isinstance(done, dict):
                return done
            shown = done
        except Problem as error:
            if error.status not in REFUSED:
                raise
            problem = error
    return page(request, "members", context_of(request, problem) | shown, problem.status if problem else 200)


def context_of(request: WorkspaceRequest, problem: Problem | None) -> dict[str, Any]:
    context = page_context(request)
    search = request.GET.get("search", "").replace("\0", "")[:150].strip()
    found = items.members_of(request.workspace, search)
    is_inviting = request.POST.get("do") == "invite"
    return context | {
        "members": [
            items.member_item(member, request.user.pk, with_email=context["is_owner"])
            for member in found.order_by("user__username")[:MOST_SHOWN]
        ],
        "member_count": found.count(),
        "all_count": Membership.objects.filter(workspace=request.workspace).count(),
        "search": search,
        "invitations": items.invitations_of(request.workspace) if context["is_owner"] else [],
        "roles": ROLES,
        "days": DAYS,
        "is_mail_on": mail.is_on(),
        "form": request.POST if problem and is_inviting else {"role": "viewer", "expires_in_days": "7"},
        "errors": messages_by_field(problem) if is_inviting else {},
        "problem": problem if not is_inviting else None,
    }


# --- What the buttons do ---


def act(request: WorkspaceRequest) -> HttpResponseBase | dict[str, Any]:
    """Does what a button asks for. Returns the next address, or a context that the page shows once."""
    if not request.user.is_authenticated:
        raise Problem(403, "Sign in first: owners change the members.")
    actions = {"invite": invite, "role": change_role, "remove": remove, "send": send_again, "revoke": revoke}
    action = actions.get(request.POST.get("do", ""))
    if action is None:
        raise Problem(400, "The form does not say what to do.")
    return action(request)


def invite(request: WorkspaceRequest) -> HttpResponseBase | dict[str, Any]:
    form: dict[str, Any] = {name: request.POST.get(name, "") for name in ("email", "role")}
    days = request.POST.get("expires_in_days", "")
    form["expires_in_days"] = int(days) if days in {str(number) for number, _ in DAYS} else days
    body = validated(form, NewInvitation, "invitation")
    made = invitations.create(request.workspace, body.email, body.role, body.expires_in_days, request.user)
    return shown_once(request, *made)


def shown_once(request: WorkspaceRequest, invitation: Any, token: str | None) -> HttpResponseBase | dict[str, Any]:
    if token:
        return {"link": link(request, token), "link_role": invitation.role}
    messages.success(request, f"The invitation was sent to {invitation.email}.")
    return back_to(request, "settings-members")


def change_role(request: WorkspaceRequest) -> HttpResponseBase:
    body = validated({"role": request.POST.get("role", "")}, MemberChanges, "member")
    member = members.change_role(request.workspace, member_id(request), body.role, request.user)
    messages.success(request, f"{member.user} is {body.role} now.")
    return back_to(request, "settings-members")


def remove(request: WorkspaceRequest) -> HttpResponseBase:
    member = members.find(request.workspace, member_id(request))
    members.remove(request.workspace, member.pk, request.user)
    if member.user_id == request.user.pk and not request.user.is_superuser:
        return redirect("first-page")
    messages.success(request, f"{member.user} is no member any more.")
    return back_to(request, "settings-members")


def member_id(request: WorkspaceRequest) -> int:
    text = request.POST.get("member", "")
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise Problem(404, "There is no such member in this workspace.")
    return int(text)


def send_again(request: WorkspaceRequest) -> HttpResponseBase | dict[str, Any]:
    return shown_once(request, *invitations.send_again(request.workspace, invitation_id(request), request.user))


def revoke(request: WorkspaceRequest) -> HttpResponseBase:
    invitations.revoke(request.workspace, invitation_id(request), request.user)
    messages.success(request, "The invitation is revoked: its link does not work any more.")
    return back_to(request, "settings-members")


def invitation_id(request: WorkspaceRequest) -> UUID:
    try:
        return UUID(request.POST.get("invitation", ""))
    except ValueError:
        raise Problem(404, "There is no such invitation in this workspace.") from None
