"""Decides who may see and change a workspace. Views declare the access that they need with the decorators below.

The credential decides which workspaces are visible, and `X-Workspace-ID` selects among them. If a
request has a key, only the key counts: a bad key never falls back to a cookie or to an open workspace.
"""

from base64 import b64decode
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import wraps
from ipaddress import ip_address
from typing import Any, Literal, NoReturn
from urllib.parse import unquote
from uuid import UUID

from allauth.mfa.utils import is_mfa_enabled
from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.middleware.csrf import CsrfViewMiddleware
from django.shortcuts import redirect, render
from django.views.decorators.csrf import csrf_exempt
from django_htmx.middleware import HtmxDetails

from web.declared_access import View, declare
from web.problems import Problem
from workspaces.models import ApiKey, Membership, Role, Workspace, workspaces_of
from workspaces.request_slots import request_slot

Scope = Literal["ingest", "read", "write", "manage"]
"""`manage` is the right of owners: members, keys and what else decides who sees the workspace. No key has it."""

LAST_WORKSPACE = "last_workspace"
SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
SCOPES_OF_ROLE: dict[str, frozenset[str]] = {
    Role.VIEWER: frozenset({"read"}),
    Role.EDITOR: frozenset({"read", "write"}),
    Role.OWNER: frozenset({"read", "write", "manage"}),
}
HEADER: list[str | int] = ["header", "X-Workspace-ID"]


@dataclass(frozen=True)
class Access:
    """The workspace and scopes that a credential opens."""

    workspace: Workspace
    scopes: frozenset[str]
    credential: str
    """Its name: `key aop_ab12cd34`, a user's name, or `anyone` for an open workspace."""
    key: ApiKey | None = None


class WorkspaceRequest(HttpRequest):
    """The request of a view that `workspace_access` or `page_access` decorates."""

    workspace: Workspace
    access: Access
    """Set by `workspace_access` only."""
    workspaces: list[Workspace]
    """Set by `page_access` only: the workspaces that the visitor may switch to."""
    htmx: HtmxDetails


def workspace_access(
    scope: Scope, or_ingest: bool = False, key_selects: bool = False, or_reading_key: bool = False
) -> Callable[[View], View]:
    """Decorates an API view: sets `request.workspace` and `request.access`, or raises a 401, 403 or 422 Problem.

    With `or_ingest` a key with the scope ingest may do so too, and needs no X-Workspace-ID: agents have such keys. With
    `key_selects` no key needs it: programs that cannot send headers of their own ask too. With `or_reading_key` a key
    needs only the scope read, where people need more.
    """

    words = f"{scope}{' or ingest' if or_ingest else ''}{', or read with a key' if or_reading_key else ''}"

    def decorate(view: View) -> View:
        # Only sessions can be abused by other sites, and for them `check_csrf` runs Django's check.
        @csrf_exempt
        @wraps(view)
        def checked(request: WorkspaceRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            needed = "read" if or_reading_key and has_key(request) else scope
            request.access = access_of(request, needed, or_ingest, key_selects)
            request.workspace = request.access.workspace
            if scope == "read":
                # Readers of the same answer wait for it together. Only the one that computes it takes a slot: see
                # analytics/cache.py.
                return view(request, *args, **kwargs)
            with request_slot(request.workspace.id):
                return view(request, *args, **kwargs)

        return declare(checked, words, is_ingestion=scope == "ingest")

    return decorate


def access_of(request: HttpRequest, scope: Scope, or_ingest: bool = False, key_selects: bool = False) -> Access:
    """Returns what the request's credential opens, or raises a Problem."""
    secret = secret_in_request(request, scope)
    if secret is not None:
        return access_of_key(request, secret, scope, or_ingest, key_selects)
    if scope != "ingest" and request.user.is_authenticated:
        return access_of_session(request, scope)
    if scope == "manage":
        raise unauthorized("Sign in as an owner of the workspace.")
    return open_access(request)


def has_key(request: HttpRequest) -> bool:
    """Returns whether the request has a credential of its own, good or bad, so that its session does not count."""
    return secret_in_request(request, "read") is not None


def secret_in_request(request: HttpRequest, scope: Scope) -> str | None:
    """Returns the key in the request; "" for other credentials, and None for a request without credentials."""
    authorization = request.headers.get("Authorization")
    if authorization is None:
        # Only ingestion takes this header. For other scopes it is a bad key, so that no session takes its place.
        api_key = request.headers.get("X-API-Key")
        return api_key if scope == "ingest" or api_key is None else ""
    # Some exporters do not decode OTEL_EXPORTER_OTLP_HEADERS and send "Bearer%20<key>".
    kind, _, value = unquote(authorization.strip()).partition(" ")
    if kind.lower() == "bearer":
        return value.strip()
    if kind.lower() == "basic" and scope == "ingest":
        return password(value.strip())
    return ""


def password(encoded: str) -> str:
    """Returns the password of HTTP Basic: Langfuse SDKs send `Basic <public>:<key>`."""
    try:
        return b64decode(encoded, validate=True).decode().partition(":")[2]
    except ValueError:  # not base64, not ASCII before decoding, or not UTF-8 after it
        return ""


def access_of_key(
    request: HttpRequest, secret: str, scope: Scope, or_ingest: bool = False, key_selects: bool = False
) -> Access:
    key = ApiKey.objects.find_valid(secret) if secret else None
    if key is None:
        raise unauthorized("The API key is unknown, expired or revoked.")
    needs_header = not (or_ingest or key_selects or scope == "ingest")
    is_selected = needs_header or "X-Workspace-ID" in request.headers
    if is_selected and selected_id(request) != key.workspace_id:
        refuse_workspace()
    if scope == "manage":
        raise Problem(403, "No API key may do this. Owners do it when they are signed in.")
    if scope not in key.scopes and not (or_ingest and "ingest" in key.scopes):
        raise Problem(403, f"This API key lacks the scope {scope}.")
    key.record_use(request.headers.get("User-Agent", ""))
    return Access(key.workspace, key.scopes, f"key {key.prefix}", key)


def access_of_session(request: HttpRequest, scope: Scope) -> Access:
    selected = selected_id(request)
    if request.method not in SAFE_METHODS:
        check_csrf(request)
    # Everybody may read and write an open workspace. Its members and keys are managed by its owners, as elsewhere.
    if selected in settings.OPEN_WORKSPACE_IDS and scope != "manage":
        return open_access(request)
    access = access_of_member(request.user, selected)
    if access is None:
        refuse_workspace()
    if lacks_second_factor(request.user, access.workspace):
        raise Problem(403, "This workspace opens with a second factor only. Set one up: Settings, Security.")
    if scope not in access.scopes:
        raise Problem(403, f"Your role in this workspace lacks the right to {scope}.")
    return access


def access_of_member(user: Any, workspace_id: UUID) -> Access | None:
    if user.is_superuser:
        workspace = Workspace.objects.filter(pk=workspace_id).first()
        return Access(workspace, SCOPES_OF_ROLE[Role.OWNER], user.get_username()) if workspace else None
    memberships = Membership.objects.filter(user=user, workspace_id=workspace_id)
    membership = memberships.select_related("workspace").first()
    if membership is None:
        return None
    return Access(membership.workspace, SCOPES_OF_ROLE[membership.role], user.get_username())


def access_of_visitor(request: WorkspaceRequest) -> Access:
    """Returns the access of a page's visitor to the workspace that `page_access` has chosen."""
    member = None if request.workspace.is_open else access_of_member(request.user, request.workspace.id)
    return member or access_to_open(request, request.workspace)


def open_access(request: HttpRequest) -> Access:
    """Opens a workspace that is listed in OPEN_WORKSPACE_IDS; without credentials no other is open."""
    if not settings.OPEN_WORKSPACE_IDS:
        raise unauthorized("Send an API key as Authorization: Bearer <key>, or sign in.")
    selected = selected_id(request)
    if selected not in settings.OPEN_WORKSPACE_IDS:
        raise unauthorized("Send an API key as Authorization: Bearer <key>, or sign in.")
    refuse_cross_site(request)
    workspace = Workspace.objects.filter(pk=selected).first()
    if workspace is None:
        refuse_workspace()
    return access_to_open(request, workspace)


def access_to_open(request: HttpRequest, workspace: Workspace) -> Access:
    return Access(workspace, frozenset({"ingest", "read", "write"}), request.user.get_username() or "anyone")


def refuse_cross_site(request: HttpRequest) -> None:
    """Raises 403 for a write from another site: an open workspace has no CSRF token to check.

    X-Workspace-ID already stops other sites: browsers send this header from another site only with a permission that
    the product does not give. This check still works if the product ever gives it.
    """
    if request.method not in SAFE_METHODS and request.headers.get("Sec-Fetch-Site", "none") not in (
        "none",
        "same-origin",
    ):
        raise Problem(403, "A page of another site must not write to an open workspace.")


def selected_id(request: HttpRequest) -> UUID:
    value = request.headers.get("X-Workspace-ID")
    if value is None:
        raise Problem(422, "X-Workspace-ID is missing.", [{"loc": HEADER, "msg": "required: a workspace's UUID"}])
    try:
        return UUID(value)
    except ValueError:
        raise Problem(422, "X-Workspace-ID is not valid.", [{"loc": HEADER, "msg": "must be a UUID"}]) from None


def check_csrf(request: HttpRequest) -> None:
    check = CsrfViewMiddleware(lambda _: HttpResponse())
    check.process_request(request)
    if check.process_view(request, view_with_csrf_check, (), {}):
        raise Problem(403, "The CSRF token is missing or wrong; reload the page and try again.")


def view_with_csrf_check(request: HttpRequest) -> HttpResponse:
    """Replaces the view in Django's check. The view itself is exempt, because requests with keys have no token."""
    return HttpResponse()


def unauthorized(detail: str) -> Problem:
    return Problem(401, detail, headers={"WWW-Authenticate": 'Bearer realm="traces"'})


def refuse_workspace() -> NoReturn:
    """Raises the same 403 Problem whether the workspace exists or not."""
    raise Problem(403, "This credential does not open the workspace in X-Workspace-ID.")


def page_access(view: View) -> View:
    """Decorates a dashboard page. Sets `request.workspace` from `?workspace=`, or to the last one that was shown."""

    @wraps(view)
    def checked(request: WorkspaceRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        request.workspaces = visible_workspaces(request)
        if not request.workspaces:
            if not request.user.is_authenticated:
                return redirect_to_login(request.get_full_path())
            return render(request, "no_workspace.html", {"may_create": may_create(request.user)}, status=404)
        selected = request.GET.get("workspace")
        candidates = [
            workspace for workspace in request.workspaces if selected is None or str(workspace.id) == selected.lower()
        ]
        last_seen = last_workspace(request)
        if selected is None:
            candidates.sort(key=lambda workspace: str(workspace.id) != last_seen)
        if not candidates:
            if not request.user.is_authenticated:
                return redirect_to_login(request.get_full_path())
            raise Http404("There is no such workspace, or it is not yours.")
        request.workspace = candidates[0]
        if lacks_second_factor(request.user, request.workspace):
            return redirect("settings-security")
        response = view(request, *args, **kwargs)
        if last_seen != str(request.workspace.id):
            remember(response, request.workspace)
        return response

    return declare(checked, "page")


def lacks_second_factor(user: Any, workspace: Workspace) -> bool:
    """Returns whether the workspace demands a second factor that the person has not set up.

    A person who has one has also used it: the sign-in asks for it, and setting one up ends all other sessions.
    """
    demands = workspace.requires_second_factor and not workspace.is_open
    return bool(demands and user.is_authenticated and not has_second_factor(user))


def has_second_factor(user: Any) -> bool:
    return bool(is_mfa_enabled(user))


def account_access(view: View) -> View:
    """Decorates a page of people who are signed in, which needs no workspace.

    `request.workspace` is the one that they saw last; None for those who have none.
    """

    @wraps(view)
    def checked(request: Any, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not request.user.is_authenticated:
            return redirect_to_login(request.get_full_path())
        request.workspaces = visible_workspaces(request)
        named = request.GET.get("workspace", "").lower() or last_workspace(request)
        found = sorted(request.workspaces, key=lambda workspace: str(workspace.id) != named)
        request.workspace = found[0] if found else None
        return view(request, *args, **kwargs)

    return declare(checked, "signed in")


def may_write(request: WorkspaceRequest) -> bool:
    """Returns whether the visitor of a page may change its workspace. Everybody may change an open one."""
    if request.workspace.is_open:
        refuse_cross_site(request)
        return True
    access = access_of_member(request.user, request.workspace.id)
    return access is not None and "write" in access.scopes


def may_manage(request: WorkspaceRequest) -> bool:
    """Returns whether the visitor of a page may do what owners do. In an open workspace too only owners may."""
    access = access_of_member(request.user, request.workspace.id) if request.user.is_authenticated else None
    return access is not None and "manage" in access.scopes


def check_may_manage(request: WorkspaceRequest) -> None:
    if not may_manage(request):
        raise Problem(403, "Only owners of the workspace may do this.")


def check_may_write(request: WorkspaceRequest) -> None:
    if not may_write(request):
        raise Problem(403, "Your role in this workspace lacks the right to write.")


def may_create(user: Any) -> bool:
    """Returns whether the user may make a workspace: a superuser always, others as many as MEMBER_WORKSPACES says."""
    if not user.is_authenticated:
        return False
    return user.is_superuser or Workspace.objects.filter(created_by=user).count() < settings.MEMBER_WORKSPACES


def user_of(request: WorkspaceRequest) -> Any:
    """Returns the signed-in user of a page or a call; None for a key, and for somebody who is not signed in."""
    access = getattr(request, "access", None)
    has_key = access is not None and access.key is not None
    return request.user if request.user.is_authenticated and not has_key else None


def visitor_name(request: HttpRequest) -> str:
    """Returns the name under which a page's visitor makes a change."""
    return request.user.get_username() or "anyone"


def remember(response: HttpResponseBase, workspace: Workspace) -> None:
    """Stores the default of `?workspace=` in a cookie, which gives no access."""
    response.set_cookie(
        LAST_WORKSPACE,
        str(workspace.id),
        max_age=timedelta(days=365),
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )


def last_workspace(request: HttpRequest) -> str | None:
    """Returns the id of the workspace that the visitor looked at last."""
    return request.COOKIES.get(LAST_WORKSPACE)


def visible_workspaces(request: HttpRequest) -> list[Workspace]:
    visible = Q(pk__in=settings.OPEN_WORKSPACE_IDS)
    if request.user.is_authenticated:
        visible |= Q(pk__in=workspaces_of(request.user).values("pk"))
    return list(Workspace.objects.filter(visible))


def client_address(request: HttpRequest) -> str | None:
    """Returns the address that the sign-in locks after too many wrong passwords.

    Behind a proxy it is the last address in X-Forwarded-For, which the proxy added. The client may have written the
    others itself.
    """
    forwarded = request.META.get("HTTP_X_FORWARDED_FOR", "") if settings.BEHIND_PROXY else ""
    for address in (forwarded.rpartition(",")[2].strip(), request.META.get("REMOTE_ADDR", "")):
        with suppress(ValueError):
            return str(ip_address(address))
    return None
