from typing import Any

from django.conf import settings
from django.contrib import admin
from django.contrib.admin.forms import AdminAuthenticationForm
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import LoginView, LogoutView

from web.declared_access import public


class SignInForm(AuthenticationForm):
    """Refuses names that are longer than any user's: the table of failed attempts cannot store them."""

    def clean_username(self) -> str:
        username: str = self.cleaned_data["username"]
        if len(username) > (self.fields["username"].max_length or 150):  # type: ignore[attr-defined]
            raise self.get_invalid_login_error()
        return username


class AdminSignInForm(SignInForm, AdminAuthenticationForm):
    pass


sign_in_view: Any = LoginView.as_view(
    template_name="sign_in.html",
    redirect_authenticated_user=True,
    authentication_form=SignInForm,
    extra_context={"open_workspaces": lambda: settings.OPEN_WORKSPACE_IDS},
)
sign_in = public(sign_in_view)
sign_out = public(LogoutView.as_view())
admin.site.login_form = AdminSignInForm
