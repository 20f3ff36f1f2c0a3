"""Shows a dashboard to anyone who has a public link: its panels and nothing else, by its own window and filters.

Where the link says so, readers choose the window and the values of the declared variables. No other parameter of the
address has an effect. Links into the product are taken out of the panels: they lead to pages that readers cannot open.
"""

import re
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import Http404, HttpRequest, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from analytics.query_string import parse_filters
from dashboards import checking, links, panel_view, questions, throttle
from dashboards.document import DashboardDocument
from dashboards.models import PublicLink
from dashboards.page import Cell, cells, chosen_variable
from traces.filters import RANGES
from web.declared_access import public
from web.problems import Problem
from web.secret_addresses import unlisted
from workspaces.models import Workspace

OF_MEMBERS = ("traces", "errors")
"""Kinds that show single traces and messages of errors: they are for members only."""
POLL_SECONDS = 60
"""A link may have many readers, each with sixty panels."""
FOR_MEMBERS = "Single traces and errors are shown to members of the workspace only."
TO_TRACES = re.compile(r"<a\b[^>]*\sclass=\"(?:to-traces?|for-members)\"[^>]*>.*?</a>", re.DOTALL)
LINK = re.compile(r"<a\b([^>]*?)\shref=\"[/?][^\"]*\"([^>]*)>(.*?)</a>", re.DOTALL)
LINK_OF_SERIES = re.compile(r'"meta": "(?:[^"\\]|\\.)*"')
View = Callable[..., HttpResponseBase]


def by_link(view: View) -> View:
    """Decorates a view of a public page: it gets the link of the token, or there is nothing at this address."""

    @public
    @require_safe
    @wraps(view)
    def checked(request: HttpRequest, token: str, **kwargs: Any) -> HttpResponseBase:
        link = links.find(token)
        if link is None:
            throttle.count_guess(request)
            raise Http404
        throttle.count_request(request, str(link.pk))
        return unlisted(view(request, link, token, **kwargs))

    return checked


@by_link
def public_page(request: HttpRequest, link: PublicLink, token: str) -> HttpResponseBase:
    dashboard, workspace = link.dashboard, link.dashboard.workspace
    stored = checking.stored(dashboard.document)
    query = permitted(request.GET, link, stored.document)
    context = {
        "dashboard": dashboard,
        "document": stored.document,
        "workspace": workspace,
        "cells": [public_cell(cell, token, query) for cell in cells(workspace, dashboard, stored, query)],
        "variables": [chosen_variable(one, query) for one in stored.document.variables] if link.may_choose else [],
        "window": {name: query.get(name, "") for name in questions.WINDOW},
        "ranges": RANGES if link.may_choose else (),
        "is_full": True,
        "is_editing": False,
        "expires_at": link.expires_at,
    }
    return render(request, "dashboards/public.html", context)


def public_cell(cell: Cell, token: str, query: QueryDict) -> Cell:
    if cell.kind is None:
        return cell
    if cell.kind.name in OF_MEMBERS:
        return cell._replace(kind=None, url="", notice=FOR_MEMBERS)
    address = reverse("public-panel", args=[token, cell.id])
    kind = cell.kind._replace(poll_seconds=max(cell.kind.poll_seconds, POLL_SECONDS))
    return cell._replace(kind=kind, url=f"{address}?{query.urlencode()}" if query else address)


@by_link
def public_panel(request: Any, link: PublicLink, token: str, panel_id: str) -> HttpResponseBase:
    """Renders the content of a panel for the public page."""
    if not request.htmx:
        raise Http404
    dashboard = link.dashboard
    stored = checking.stored(checking.only_panel(dashboard.document, panel_id))
    query = permitted(request.GET, link, stored.document)
    asked = panel_view.asked_panel(dashboard.workspace, dashboard.document, panel_id, query)
    if asked.panel.kind in OF_MEMBERS:
        raise Problem(404, FOR_MEMBERS)
    response = panel_view.panel_response(request, asked)
    response.content = without_links(response.content.decode(), dashboard.workspace).encode()
    return response


def permitted(query: QueryDict, link: PublicLink, document: DashboardDocument) -> QueryDict:
    """Returns what the reader may choose: nothing, or the window and the declared variables, where they are valid."""
    found = QueryDict(mutable=True)
    if not link.may_choose:
        return found
    for variable in document.variables:
        name = f"{questions.VARIABLE_PREFIX}{variable.name}"
        if name in query:
            found.setlist(name, [value for value in query.getlist(name) if "\0" not in value])
    found.update(valid_window(query, link.dashboard.workspace))
    return found


def valid_window(query: QueryDict, workspace: Workspace) -> dict[str, str]:
    """Returns the window of the address; nothing, so the document's own counts, if there is none or a wrong one."""
    window = {name: str(query[name]) for name in questions.WINDOW if query.get(name)}
    asked = QueryDict(mutable=True)
    asked.update(window)
    try:
        parse_filters(asked, workspace.pk, zone=workspace.zone)
    except Problem:
        return {}
    return window


def without_links(html: str, workspace: Workspace) -> str:
    """Takes the links into the product out of a panel, and with them the id of the workspace.

    Templates write each `<` and `>` of a text as an entity, so no text of a user looks like a tag.
    """
    html = TO_TRACES.sub("", html)
    html = LINK.sub(without_address, html)
    html = LINK_OF_SERIES.sub('"meta": null', html)
    return html.replace(str(workspace.pk), "")


def without_address(found: re.Match[str]) -> str:
    """Returns the content of a link in an element that leads nowhere: a group within a drawing, else a span."""
    before, after, content = found.groups()
    tag = "g" if content.lstrip().startswith("<rect") else "span"
    return f"<{tag}{before}{after}>{content}</{tag}>"
