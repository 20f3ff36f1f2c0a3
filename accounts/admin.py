"""Gives the admin the product's own sign-in, which asks for the second factor.

Takes the tables of django-allauth out: they hold secrets, and people manage their own factors.
"""

# Imported first: what is not registered yet cannot be taken out.
from allauth.account import admin as account_admin  # noqa: F401
from allauth.account.models import EmailAddress
from allauth.mfa import admin as mfa_admin  # noqa: F401
from allauth.mfa.models import Authenticator
from allauth.socialaccount import admin as socialaccount_admin  # noqa: F401
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialToken
from django.contrib import admin

from accounts.sign_in import admin_sign_in, change_password

admin.site.unregister([EmailAddress, Authenticator, SocialAccount, SocialApp, SocialToken])
admin.site.login = admin_sign_in  # type: ignore[method-assign]
admin.site.password_change = change_password  # type: ignore[method-assign]
