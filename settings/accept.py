"""Renders the page of an invitation, on which somebody accepts it: with their account, or with a new one."""

from typing import Any

from django.conf import settings as project
from django.contrib.auth import get_user_model, login
from django.contrib.auth.forms import UserCreationForm
from django.db import IntegrityError, transaction
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from settings.page import page
from web.declared_access import public
from web.problems import Problem
from workspaces.access import remember
from workspaces.invitations import InvitationRefused, accept, find_by_token
from workspaces.models import Invitation, Membership, Workspace

BACKEND = "django.contrib.auth.backends.ModelBackend"


class NewAccountForm(UserCreationForm):
    class Meta(UserCreationForm.Meta):
        model = get_user_model()


@public
@require_http_methods(["GET", "HEAD", "POST"])
def accept_page(request: HttpRequest, token: str) -> HttpResponseBase:
    try:
        invitation = find_by_token(token)
        return accepted(request, token, invitation) if request.method == "POST" else shown(request, invitation)
    except InvitationRefused as refusal:
        return page(request, "invitation", {"refusal": str(refusal)}, status=410)


def shown(request: HttpRequest, invitation: Invitation, form: Any = None) -> HttpResponseBase:
    is_member = (
        request.user.is_authenticated
        and Membership.objects.filter(workspace=invitation.workspace, user=request.user).exists()
    )
    context = {
        "invitation": invitation,
        "is_member": is_member,
        "form": form or NewAccountForm(),
        "local_passwords": project.LOCAL_PASSWORDS,
        "sign_in": f"{reverse('sign-in')}?next={request.path}",
    }
    return page(request, "invitation", context, status=422 if form else 200)


def accepted(request: HttpRequest, token: str, invitation: Invitation) -> HttpResponseBase:
    if request.user.is_authenticated:
        accept(token, request.user)
        return to_workspace(invitation.workspace)
    if not project.LOCAL_PASSWORDS:
        raise Problem(403, "Passwords are switched off here. Sign in with the provider, and open the invitation again.")
    form = NewAccountForm(request.POST)
    user = new_user(form, token, invitation) if form.is_valid() else None
    if user is None:
        return shown(request, invitation, form)
    login(request, user, backend=BACKEND)
    return to_workspace(invitation.workspace)


def new_user(form: NewAccountForm, token: str, invitation: Invitation) -> Any:
    """Makes the account and the member, or neither. Returns None where the name was taken in this moment."""
    try:
        with transaction.atomic():
            user = form.save(commit=False)
            user.email = proven_address(invitation)
            user.save()
            accept(token, user)
    except IntegrityError:
        form.add_error("username", "A user with that name exists already.")
        return None
    return user


def proven_address(invitation: Invitation) -> str:
    """Returns the address of the invitation, which only its owner can have read; nothing where another user has it."""
    is_taken = get_user_model().objects.filter(email__iexact=invitation.email).exists()
    return "" if is_taken else invitation.email


def to_workspace(workspace: Workspace) -> HttpResponseBase:
    response = redirect(f"{reverse('first-page')}?workspace={workspace.pk}")
    remember(response, workspace)
    return response
