"""What the pages of an account share: who may see them, and their variables."""

from collections.abc import Callable
from functools import wraps
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib.auth.models import User
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.cache import never_cache

from accounts.models import Profile
from web.declared_access import View, declare
from workspaces.access import last_workspace, visible_workspaces
from workspaces.models import Workspace
from workspaces.time_zones import time_zones

UTC = ZoneInfo("UTC")


class AccountRequest(HttpRequest):
    """The request of a view that `signed_in` decorates."""

    user: User


def signed_in(view: View) -> View:
    """Decorates a page of the account of whoever is signed in. It belongs to no workspace."""

    @never_cache
    @wraps(view)
    def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not request.user.is_authenticated:
            return redirect_to_login(request.get_full_path())
        return view(request, *args, **kwargs)

    return declare(checked, "signed in")


def account_context(request: AccountRequest) -> dict[str, Any]:
    """Returns the variables of the shell: the workspace that was seen last, to which the navigation leads back."""
    workspaces = visible_workspaces(request)
    seen = request.GET.get("workspace", last_workspace(request))
    workspace = next((one for one in workspaces if str(one.id) == seen), workspaces[0] if workspaces else None)
    shown = {"zone": zone_of(request.user, workspace)}
    return {**shown, "workspace": workspace} if workspace else shown


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
