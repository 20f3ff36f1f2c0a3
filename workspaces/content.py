"""Decides who may see content: the prompts, answers and tool results of spans.

Each workspace says who: all members, its editors and owners, or nobody. A key also needs the scope `content`. The
workspace is read with every request, so a change holds from the next one on.
"""

from functools import wraps
from typing import Any, NamedTuple

from django.conf import settings
from django.http.response import HttpResponseBase

from web.declared_access import View
from workspaces.access import Access, WorkspaceRequest, access_of_visitor
from workspaces.models import ContentPolicy

HIDDEN_FROM_ALL = "Content is hidden: this workspace shows it to nobody."
HIDDEN_FROM_VIEWERS = "Content is hidden: this workspace shows it to editors and owners only."
HIDDEN_FROM_KEY = "Content is hidden: this API key lacks the scope content."
NOT_STORED = "Content is not stored here: STORE_CONTENT=false, or the setting of the workspace, leaves it out."


class ContentRight(NamedTuple):
    """Whether the reader of a request may see content, and the sentence that stands in its place if not."""

    is_granted: bool
    reason: str
    is_stored: bool
    """Whether the content of spans that arrive now is stored."""


class ContentRequest(WorkspaceRequest):
    """The request of a view that `content_aware` decorates."""

    content: ContentRight


def content_aware(view: View) -> View:
    """Decorates a view below `workspace_access` or `page_access`: sets `request.content`."""

    @wraps(view)
    def checked(request: ContentRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        access = getattr(request, "access", None) or access_of_visitor(request)
        request.content = content_right(access)
        return view(request, *args, **kwargs)

    return checked


def content_right(access: Access) -> ContentRight:
    reason = reason_to_hide(access)
    return ContentRight(not reason, reason, settings.STORE_CONTENT and access.workspace.store_content)


def reason_to_hide(access: Access) -> str:
    """Returns why the content is hidden; nothing if it is not."""
    policy = access.workspace.content_visible_to
    if policy == ContentPolicy.NOBODY:
        return HIDDEN_FROM_ALL
    if access.key is not None:
        return "" if "content" in access.scopes else HIDDEN_FROM_KEY
    return HIDDEN_FROM_VIEWERS if policy == ContentPolicy.EDITORS and "write" not in access.scopes else ""
