"""What the pages of an account share: who may see them, and their variables."""

from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache

from accounts.models import Profile
from web.declared_access import View
from workspaces.access import account_access
from workspaces.models import Workspace
from workspaces.time_zones import time_zones

UTC = ZoneInfo("UTC")


class AccountRequest(HttpRequest):
    """The request of a view that `signed_in` decorates."""

    user: User
    workspaces: list[Workspace]
    workspace: Workspace | None
    """The one that was seen last."""


def signed_in(view: View) -> View:
    """Decorates a page of the account of whoever is signed in. No cache stores it."""
    return account_access(never_cache(view))


def account_context(request: AccountRequest) -> dict[str, Any]:
    """Returns the variables of the shell."""
    shown: dict[str, Any] = {"zone": zone_of(request.user, request.workspace)}
    if request.workspace:
        shown |= {"workspace": request.workspace, "workspaces": request.workspaces}
    return shown


def zone_of(user: Any, workspace: Workspace | None) -> ZoneInfo:
    """Returns the zone that a person has chosen, else that of the workspace."""
    chosen = Profile.objects.filter(user=user).values_list("time_zone", flat=True).first()
    if chosen and chosen in time_zones():
        return ZoneInfo(chosen)
    return workspace.zone if workspace else UTC


def account_page(request: AccountRequest, template: str, context: dict[str, Any], status: int = 200) -> HttpResponse:
    return render(request, f"accounts/{template}.html", {**account_context(request), **context}, status=status)


def in_shell(view_class: Any, template: str) -> Callable[..., Any]:
    """Makes a view of one of django-allauth's, in the shell of the settings."""

    class InShell(view_class):  # type: ignore[misc]
        template_name = f"accounts/{template}.html"

        def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
            return {**account_context(self.request), **super().get_context_data(**kwargs)}

    view: View = InShell.as_view()
    return signed_in(view)
