"""Renders the pages of keys: all of them, one that was made just now with its secret, and one to change or end."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.http.response import HttpResponseBase
from django.views.decorators.http import require_http_methods

from analytics.budget_pages import as_data
from budgets.bodies import validated
from settings.faults import shown_errors
from settings.keys.items import SCOPES, KeyBody, KeyChanges, Rotation, changes_of, item, moment
from settings.keys.lines import lines_with
from settings.page import back_to, page, page_context
from web.problems import Problem
from workspaces import keys
from workspaces.access import WorkspaceRequest, check_may_manage, page_access, visitor_name
from workspaces.keys import NewKey

EXPIRIES = (("", "never"), ("30", "in 30 days"), ("90", "in 90 days"), ("365", "in a year"))
OVERLAPS = ((24, "24 hours"), (1, "1 hour"), (168, "7 days"), (0, "not at all"))
SCOPE_WORDS = {
    "ingest": "sends traces and scores",
    "read": "reads every figure, and trace",
    "write": "sets budgets, rules and what else editors do",
    "content": "reads prompts and completions too, with read",
}


@require_http_methods(["GET", "HEAD", "POST"])
@page_access
def keys_page(request: WorkspaceRequest) -> HttpResponseBase:
    """Lists the keys. A POST makes one and shows its secret, which is in no other answer."""
    errors: list[str] = []
    if request.method == "POST":
        check_may_manage(request)
        try:
            return show_secret(request, new_key(request), None)
        except Problem as problem:
            errors = shown_errors(problem)
    context = page_context(request) | {
        "keys": as_data([item(key) for key in keys.listed_keys(request.workspace)]),
        "scopes": [(scope, SCOPE_WORDS[scope], scope in chosen_scopes(request)) for scope in SCOPES],
        "expiries": EXPIRIES,
        "form": request.POST,
        "errors": errors,
    }
    return page(request, "keys/all", context, status=422 if errors else 200)


def chosen_scopes(request: WorkspaceRequest) -> list[str]:
    return request.POST.getlist("scopes") if request.method == "POST" else ["ingest"]


def new_key(request: WorkspaceRequest) -> NewKey:
    values = {"name": request.POST.get("name", ""), "scopes": request.POST.getlist("scopes")} | days_of(request)
    body: KeyBody = validated(values, KeyBody, "key")
    expires_at = moment(body.expires_in_days)
    return keys.create_key(request.workspace, body.name, [*body.scopes], expires_at, visitor_name(request))


def days_of(request: WorkspaceRequest) -> dict[str, Any]:
    """Returns the end that the form chooses; nothing where it leaves it as it is."""
    days = request.POST.get("expires_in_days", "")
    if days == "unchanged":
        return {}
    return {"expires_in_days": int(days) if days.isascii() and days.isdigit() else None}


def show_secret(request: WorkspaceRequest, new: NewKey, replaced: Any) -> HttpResponseBase:
    base = f"{request.scheme}://{request.get_host()}"
    context = page_context(request) | {
        "key": as_data(item(new.key)),
        "secret": new.secret,
        "replaced": replaced,
        "lines": lines_with(base, new.secret) if new.key.can_ingest else [],
        "base": base,
    }
    return page(request, "keys/made", context)


@require_http_methods(["GET", "HEAD", "POST"])
@page_access
def key_page(request: WorkspaceRequest, key_id: UUID) -> HttpResponseBase:
    """Shows one key. A POST changes, rotates or revokes it."""
    errors: list[str] = []
    if request.method == "POST":
        check_may_manage(request)
        try:
            return act(request, key_id)
        except Problem as problem:
            errors = shown_errors(problem)
    key = keys.find_key(request.workspace, key_id)
    context = page_context(request) | {
        "key": as_data(item(key)),
        "clock_fault": key.clock_fault,
        "replacement": key.replaced_by,
        "expiries": EXPIRIES,
        "overlaps": OVERLAPS,
        "errors": errors,
    }
    return page(request, "keys/one", context, status=422 if errors else 200)


def act(request: WorkspaceRequest, key_id: UUID) -> HttpResponseBase:
    if "rotate" in request.POST:
        hours = request.POST.get("overlap_hours", "")
        values = {"overlap_hours": int(hours)} if hours.isascii() and hours.isdigit() else {}
        body: Rotation = validated(values, Rotation, "rotation")
        overlap = timedelta(hours=body.overlap_hours)
        new = keys.rotate_key(request.workspace, key_id, overlap, visitor_name(request))
        return show_secret(request, new, keys.find_key(request.workspace, key_id))
    if "revoke" in request.POST:
        keys.revoke_key(request.workspace, key_id, visitor_name(request))
    else:
        values = {"name": request.POST.get("name", "")} | days_of(request)
        changes = changes_of(validated(values, KeyChanges, "key"))
        keys.change_key(request.workspace, key_id, changes, visitor_name(request))
    return back_to(request, "settings-keys")
