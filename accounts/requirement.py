"""Lets owners demand a second factor of everybody who opens their workspace."""

from allauth.mfa.utils import is_mfa_enabled
from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from workspaces.access import WorkspaceRequest, check_may_manage, page_access, visitor_name
from workspaces.audit import record
from workspaces.models import Workspace

FIELD = "requires_second_factor"
CHOICES = {"0": False, "1": True}


@require_POST
@page_access
def change_requirement(request: WorkspaceRequest) -> HttpResponse:
    """Demands a second factor, or no longer. Owners who have none would lock themselves out, so they may not begin."""
    check_may_manage(request)
    is_demanded = CHOICES.get(request.POST.get(FIELD, ""))
    if is_demanded is None:
        messages.error(request, "Choose whether members need a second factor.")
    elif is_demanded and not is_mfa_enabled(request.user):
        messages.error(request, "Set up a second factor for yourself first, under Security.")
    elif is_demanded != request.workspace.requires_second_factor:
        save(request, is_demanded)
        messages.success(request, f"Members need {'a' if is_demanded else 'no'} second factor.")
    return redirect(f"{reverse('settings-general')}?workspace={request.workspace.pk}")


@transaction.atomic
def save(request: WorkspaceRequest, is_demanded: bool) -> None:
    workspace = Workspace.objects.select_for_update().get(pk=request.workspace.pk)
    before = {FIELD: workspace.requires_second_factor}
    workspace.requires_second_factor = is_demanded
    workspace.save(update_fields=[FIELD, "epoch"])
    record(workspace, visitor_name(request), "workspace.change", workspace.name, before, {FIELD: is_demanded})
