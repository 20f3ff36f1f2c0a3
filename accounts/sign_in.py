"""The sign-in: name and password, or the company's provider, and then the second factor of those who have one.

Wrong passwords and wrong second factors count together: django-axes locks the name from the address after five.
"""

from collections.abc import Callable
from typing import Any

from allauth.account.internal.flows.login import perform_login, perform_password_login
from allauth.account.models import Login
from allauth.mfa.base.views import AuthenticateView, ReauthenticateView
from django.conf import settings
from django.contrib import admin
from django.contrib.auth import get_user_model
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import LoginView, LogoutView
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts.locks import lock_of
from accounts.tokens import user_to_sign_in
from web import mail
from web.declared_access import public


class SignInForm(AuthenticationForm):
    """Refuses names that are longer than any user's: the table of failed attempts cannot store them."""

    def clean_username(self) -> str:
        username: str = self.cleaned_data["username"]
        if len(username) > (self.fields["username"].max_length or 150):  # type: ignore[attr-defined]
            raise self.get_invalid_login_error()
        return username


class SignInView(LoginView):
    template_name = "sign_in.html"
    redirect_authenticated_user = True
    authentication_form = SignInForm

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not settings.LOCAL_PASSWORDS:
            return self.render_to_response({**self.shown(), "refused": True}, status=403)
        return super().post(request, *args, **kwargs)

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        user = form.get_user()
        login = Login(user=user, redirect_url=self.get_success_url())
        return perform_password_login(self.request, {"username": user.get_username()}, login)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return {**super().get_context_data(**kwargs), **self.shown()}

    def shown(self) -> dict[str, Any]:
        return {
            "open_workspaces": settings.OPEN_WORKSPACE_IDS,
            "local_passwords": settings.LOCAL_PASSWORDS,
            "mail_is_on": mail.is_on(),
            "provider": settings.OIDC,
            "next": self.get_redirect_url(),
        }


class AdminSignInView(SignInView):
    def get_default_redirect_url(self) -> str:
        return reverse("admin:index")


@never_cache
def admin_sign_in(request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
    """The sign-in of the admin: the same as that of the product, so the same locks and second factors protect it."""
    if not request.user.is_authenticated:
        signed_in: HttpResponse = AdminSignInView.as_view()(request)  # type: ignore[assignment]
        return signed_in
    if admin.site.has_permission(request):
        return redirect("admin:index")
    return render(request, "accounts/no_admin.html", status=403)


def change_password(request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
    """Leads from the admin to the one page on which people change their password."""
    return redirect("settings-password")


class LockedOut:
    """Refuses a second factor while django-axes locks the name. `signals.py` counts the wrong ones."""

    account: Callable[[], Any]

    @transaction.atomic
    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        # One after the other: otherwise many at once would try more than five codes.
        get_user_model().objects.select_for_update().get(pk=self.account().pk)
        response: HttpResponse | None = lock_of(request, self.account())
        return response or super().post(request, *args, **kwargs)  # type: ignore[misc]


class SecondFactorView(LockedOut, AuthenticateView):
    template_name = "accounts/second_factor.html"

    def account(self) -> Any:
        return self.stage.login.user


class AgainByCodeView(LockedOut, ReauthenticateView):
    def account(self) -> Any:
        return self.request.user


@public
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def link_page(request: HttpRequest) -> HttpResponseBase:
    """Signs in the superuser of a link that `manage.py sign_in_link` has printed. The second factor follows."""
    user = user_to_sign_in(request.GET.get("token", ""))
    if user is None or not user.is_superuser:
        return render(request, "accounts/bad_link.html", {"made_by": "manage.py sign_in_link"}, status=404)
    if request.method != "POST":
        return render(request, "accounts/sign_in_link.html", {"name": user.get_username()})
    return perform_login(request, Login(user=user, redirect_url=settings.LOGIN_REDIRECT_URL))


@public
def inactive_page(request: HttpRequest) -> HttpResponse:
    return render(request, "accounts/inactive.html", status=403)


sign_in = public(SignInView.as_view())
second_factor = public(SecondFactorView.as_view())
sign_out = public(LogoutView.as_view())
