"""The pages of a person: the profile, the password, and the browsers in which they are signed in."""

from collections.abc import Callable
from typing import Any

from allauth.account.decorators import reauthentication_required
from allauth.account.internal.flows.login import record_authentication
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.forms import PasswordChangeForm, SetPasswordForm
from django.forms import ModelForm
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import email_change, sessions
from accounts.context import remember
from accounts.forms import ProfileForm
from accounts.models import Profile, SignedInSession
from accounts.notices import send_notice
from accounts.page import AccountRequest, account_page, signed_in
from web import mail

PAGE = ["GET", "HEAD", "POST"]


@signed_in
@require_http_methods(PAGE)
def profile_page(request: AccountRequest) -> HttpResponseBase:
    profile, _ = Profile.objects.get_or_create(user=request.user)
    form = ProfileForm(request.POST or None, instance=profile)
    if request.method == "POST" and form.is_valid():
        form.save()
        remember(request, profile)
        messages.success(request, "Your profile is saved.")
        return redirect("settings-profile")
    return account_page(request, "profile", profile_context(request, form), 422 if form.errors else 200)


def profile_context(request: AccountRequest, form: ModelForm) -> dict[str, Any]:
    return {
        "form": form,
        "themes": Profile._meta.get_field("theme").choices,
        "mail_is_on": mail.is_on(),
        "pending": email_change.pending(request.user),
        "has_password": request.user.has_usable_password() and settings.LOCAL_PASSWORDS,
    }


@signed_in
@require_POST
@reauthentication_required
def change_email(request: AccountRequest) -> HttpResponseBase:
    fault = email_change.begin(request.user, request.POST.get("address", "").strip())
    if fault:
        messages.error(request, fault)
    return redirect("settings-profile")


@signed_in
@require_http_methods(PAGE)
def password_page(request: AccountRequest) -> HttpResponseBase:
    if not settings.LOCAL_PASSWORDS:
        return account_page(request, "password", {"form": None})
    needs_old = request.user.has_usable_password()
    form_class: Any = PasswordChangeForm if needs_old else SetPasswordForm
    form = form_class(request.user, request.POST or None)
    if request.method != "POST":
        return account_page(request, "password", {"form": form})
    save: Callable[..., HttpResponseBase] = changed if needs_old else set_first_password
    return save(request, form)


@reauthentication_required
def set_first_password(request: AccountRequest, form: SetPasswordForm) -> HttpResponseBase:
    return changed(request, form)


def changed(request: AccountRequest, form: Any) -> HttpResponseBase:
    """Saves the new password. It ends all other sessions; this one stays."""
    if not form.is_valid():
        return account_page(request, "password", {"form": form}, 422)
    form.save()
    sessions.end_all(request.user, but=request.session.session_key)
    sessions.forget(request)
    update_session_auth_hash(request, request.user)
    sessions.record(request, request.user)
    record_authentication(request, request.user, "password")
    send_notice(request.user, "password_changed")
    messages.success(request, "Your password is changed. All other sessions have ended.")
    return redirect("settings-security")


@signed_in
@require_safe
def security_page(request: AccountRequest) -> HttpResponseBase:
    factors = list(Authenticator.objects.filter(user=request.user).order_by("created_at"))
    by_type: dict[str, list[Any]] = {kind: [] for kind in Authenticator.Type.values}
    for factor in factors:
        by_type[factor.type].append(factor)
    context = {
        "apps": by_type[Authenticator.Type.TOTP],
        "passkeys": by_type[Authenticator.Type.WEBAUTHN],
        "codes_left": [len(codes.wrap().get_unused_codes()) for codes in by_type[Authenticator.Type.RECOVERY_CODES]],
        "has_password": request.user.has_usable_password() and settings.LOCAL_PASSWORDS,
        "local_passwords": settings.LOCAL_PASSWORDS,
        "provider": settings.OIDC,
        "is_connected": bool(settings.OIDC) and request.user.socialaccount_set.exists(),
        "required_by": demanding_workspaces(request),
    }
    return account_page(request, "security", context)


def demanding_workspaces(request: AccountRequest) -> list[str]:
    """Returns the names of the workspaces that open with a second factor only."""
    memberships = request.user.memberships.filter(workspace__requires_second_factor=True)
    return list(memberships.order_by("workspace__name").values_list("workspace__name", flat=True))


@signed_in
@require_safe
def sessions_page(request: AccountRequest) -> HttpResponseBase:
    sessions.record(request, request.user)
    shown = [
        {
            "session": session,
            "device": sessions.device(session.user_agent),
            "is_this": session.session_key == request.session.session_key,
        }
        for session in sessions.living(request.user)
    ]
    return account_page(request, "sessions", {"sessions": shown})


@signed_in
@require_POST
def end_sessions(request: AccountRequest) -> HttpResponse:
    """Ends the session whose id is sent, or all but this one."""
    own = SignedInSession.objects.filter(user=request.user)
    session_id = request.POST.get("session", "")
    if session_id == "others":
        count = sessions.end_all(request.user, but=request.session.session_key)
        messages.success(request, f"{count} {'session has' if count == 1 else 'sessions have'} ended.")
    elif session_id in {str(pk) for pk in own.values_list("pk", flat=True)}:
        sessions.end(own.filter(pk=session_id))
        messages.success(request, "The session has ended.")
    return redirect("settings-sessions")
