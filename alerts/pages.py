"""Renders the pages of channels: all of them, one of them, and the form that makes or changes one."""

from typing import Any
from uuid import UUID

from django.http import Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe
from pydantic import ConfigDict

from alerts import changes, forms, items
from alerts.api import DeliveryQuery, delivery_page
from alerts.bodies import ChannelChanges, NewChannel
from alerts.channels import kinds
from alerts.channels.email import KIND as EMAIL
from alerts.kind import Kind
from alerts.models import Channel
from analytics.endpoints import parameters_of
from analytics.pages import uncached
from budgets.bodies import validated
from web import mail
from web.problems import Problem
from workspaces.access import WorkspaceRequest, may_write, page_access, visitor_name
from workspaces.access import check_may_write as check_may_write

author = visitor_name


class PageQuery(DeliveryQuery):
    model_config = ConfigDict(extra="ignore")


def page_context(request: WorkspaceRequest) -> dict[str, Any]:
    return {
        "workspace": request.workspace,
        "workspaces": request.workspaces,
        "is_writer": may_write(request),
    }


def page_url(request: WorkspaceRequest, name: str, *args: Any) -> str:
    return f"{reverse(name, args=args)}?workspace={request.workspace.id}"


# --- All channels, and one ---


@require_safe
@page_access
def channels_page(request: WorkspaceRequest) -> HttpResponse:
    query = parameters_of(request.GET, PageQuery)
    channels = with_kinds(items.channels_of(request.workspace))
    context = (
        page_context(request)
        | log_context(request, query)
        | {
            "channels": channels,
            "failing": items.failing_channels(request.workspace),
            "kinds": kinds().values(),
        }
    )
    return uncached(render(request, "alerts/channels.html", context))


def with_kinds(channels: list[items.ChannelItem]) -> list[dict[str, Any]]:
    """Adds the title of its kind to each channel."""
    titles = {kind.name: kind.title for kind in kinds().values()}
    return [{**channel, "kind_title": titles.get(channel["kind"], channel["kind"])} for channel in channels]


def log_context(request: WorkspaceRequest, query: DeliveryQuery) -> dict[str, Any]:
    found = delivery_page(request.workspace, query)
    now = timezone.now()
    is_waiting = any(one["next_at"] and one["next_at"] <= now for one in found["data"])
    return {"log": found, "channel_id": query.channel_id, "is_waiting": is_waiting and not query.cursor}


@require_http_methods(["GET", "HEAD", "POST"])
@page_access
def channel_page(request: WorkspaceRequest, channel_id: UUID) -> HttpResponseBase:
    problem = acted(request, channel_id) if request.method == "POST" else None
    if request.method == "POST" and problem is None:
        is_gone = "delete" in request.POST
        return redirect(page_url(request, "channels-page") if is_gone else own_url(request, channel_id))
    channel = changes.find(request.workspace, channel_id)
    [item] = with_kinds(items.channel_items(Channel.objects.filter(pk=channel.pk)))
    query = PageQuery.model_validate({"channel_id": channel_id})
    context = page_context(request) | log_context(request, query) | {"channel": item, "problem": problem}
    return uncached(render(request, "alerts/channel.html", context, status=problem.status if problem else 200))


def own_url(request: WorkspaceRequest, channel_id: UUID) -> str:
    return page_url(request, "channel-page", channel_id)


def acted(request: WorkspaceRequest, channel_id: UUID) -> Problem | None:
    """Does what a button of the page asks for. Returns why it could not."""
    check_may_write(request)
    try:
        if "delete" in request.POST:
            changes.delete(request.workspace, channel_id, author(request))
        else:
            changes.send_test(request.workspace, channel_id, author(request))
    except Problem as problem:
        if problem.status not in (409, 429):
            raise
        return problem
    return None


# --- The form ---


@require_http_methods(["GET", "HEAD", "POST"])
@page_access
def new_channel(request: WorkspaceRequest, kind: str) -> HttpResponseBase:
    if kind not in kinds():
        raise Http404
    return form_page(request, kinds()[kind], None)


@require_http_methods(["GET", "HEAD", "POST"])
@page_access
def edit_channel(request: WorkspaceRequest, channel_id: UUID) -> HttpResponseBase:
    channel = changes.find(request.workspace, channel_id)
    return form_page(request, changes.kind_of(channel), channel)


def form_page(request: WorkspaceRequest, kind: Kind, channel: Channel | None) -> HttpResponseBase:
    check_may_write(request)
    problem: Problem | None = None
    if request.method == "POST":
        try:
            return redirect(own_url(request, saved(request, kind, channel).pk))
        except Problem as error:
            if error.status not in (409, 422):
                raise
            problem = error
    errors = forms.errors_by_field(problem) if problem else {}
    context = page_context(request) | {
        "kind": kind,
        "is_mail_off": kind is EMAIL and not mail.is_on(),
        "channel": channel,
        "fields": forms.fields(kind, request.workspace, channel, request.POST if problem else None, errors),
        "name": request.POST.get("name", "") if problem else channel.name if channel else "",
        "is_off": "is_off" in request.POST if problem else channel is not None and not channel.is_active,
        "errors": errors,
    }
    return uncached(render(request, "alerts/form.html", context, status=422 if problem else 200))


def saved(request: WorkspaceRequest, kind: Kind, channel: Channel | None) -> Channel:
    body = forms.body_of_form(kind, channel, request.POST)
    if channel is None:
        made, _ = changes.create(request.workspace, validated(body, NewChannel, "channel"), author(request))
        return made
    checked = validated(body, ChannelChanges, "channel")
    return changes.change(request.workspace, channel.pk, checked, author(request))
