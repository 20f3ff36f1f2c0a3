from allauth.account.views import ReauthenticateView
from allauth.mfa.recovery_codes.views import GenerateRecoveryCodesView, ViewRecoveryCodesView
from allauth.mfa.totp.views import ActivateTOTPView, DeactivateTOTPView
from allauth.mfa.webauthn.views import AddWebAuthnView, ReauthenticateWebAuthnView, RemoveWebAuthnView
from django.urls import path

from accounts import links, pages, sign_in
from accounts.oidc import views as provider
from accounts.page import in_shell
from accounts.requirement import change_requirement

again_by_passkey = in_shell(ReauthenticateWebAuthnView, "again_passkey")
remove_passkey = in_shell(RemoveWebAuthnView, "remove_factor")
new_codes = in_shell(GenerateRecoveryCodesView, "new_codes")

# Names with an underscore are those that django-allauth looks for.
urlpatterns = [
    path("sign-in", sign_in.sign_in, name="sign-in"),
    path("sign-in", sign_in.sign_in, name="account_login"),
    path("sign-out", sign_in.sign_out, name="sign-out"),
    path("sign-in/code", sign_in.second_factor, name="mfa_authenticate"),
    path("sign-in/inactive", sign_in.inactive_page, name="account_inactive"),
    path("sign-in/link", sign_in.link_page, name="sign-in-link"),
    path("sign-in/forgotten", links.forgotten, name="forgotten-password"),
    path("sign-in/reset", links.reset, name="reset-password"),
    path("sign-in/email", links.confirm_email, name="confirm-email"),
    path("sign-in/provider", provider.begin_page, name="provider"),
    path("sign-in/provider/again", provider.again, name="provider-again"),
    path("sign-in/provider/callback", provider.callback, name="provider-callback"),
    path("sign-in/again", in_shell(ReauthenticateView, "again"), name="account_reauthenticate"),
    path("sign-in/again/code", in_shell(sign_in.AgainByCodeView, "again_code"), name="mfa_reauthenticate"),
    path(
        "sign-in/again/passkey",
        in_shell(ReauthenticateWebAuthnView, "again_passkey"),
        name="mfa_reauthenticate_webauthn",
    ),
    path("settings/profile", pages.profile_page, name="settings-profile"),
    path("settings/profile/email", pages.change_email, name="change-email"),
    path("settings/security/password", pages.password_page, name="settings-password"),
    path("settings/sessions", pages.sessions_page, name="settings-sessions"),
    path("settings/sessions/end", pages.end_sessions, name="end-sessions"),
    path("settings/security", pages.security_page, name="settings-security"),
    path("settings/security", pages.security_page, name="mfa_index"),
    path("settings/security", pages.security_page, name="mfa_list_webauthn"),
    path("settings/general/second-factor", change_requirement, name="change-requirement"),
    path("settings/security/provider", provider.connect, name="connect-provider"),
    path("settings/security/app", in_shell(ActivateTOTPView, "add_app"), name="mfa_activate_totp"),
    path("settings/security/app/remove", in_shell(DeactivateTOTPView, "remove_factor"), name="mfa_deactivate_totp"),
    path("settings/security/passkey", in_shell(AddWebAuthnView, "add_passkey"), name="mfa_add_webauthn"),
    path(
        "settings/security/passkey/<int:pk>/remove",
        in_shell(RemoveWebAuthnView, "remove_factor"),
        name="mfa_remove_webauthn",
    ),
    path("settings/security/codes", in_shell(ViewRecoveryCodesView, "codes"), name="mfa_view_recovery_codes"),
    path(
        "settings/security/codes/new",
        in_shell(GenerateRecoveryCodesView, "new_codes"),
        name="mfa_generate_recovery_codes",
    ),
]
