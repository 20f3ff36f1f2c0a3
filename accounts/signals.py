"""Follows what Django and django-allauth announce."""

from typing import Any

from allauth.mfa.models import Authenticator
from allauth.mfa.signals import authentication_failed, authenticator_added
from django.contrib.auth import user_logged_in, user_logged_out, user_login_failed
from django.dispatch import receiver

from accounts import context, sessions
from accounts.models import Profile


@receiver(user_logged_in)
def record_session(request: Any, user: Any, **signal: Any) -> None:
    sessions.record(request, user)
    context.remember(request, Profile.objects.filter(user=user).first())


@receiver(user_logged_out)
def forget_session(request: Any, **signal: Any) -> None:
    sessions.forget(request)


@receiver(authenticator_added)
def end_other_sessions(request: Any, user: Any, authenticator: Authenticator, **signal: Any) -> None:
    """Ends the sessions that began without this second factor."""
    if authenticator.type != Authenticator.Type.RECOVERY_CODES:
        sessions.end_all(user, but=request.session.session_key)


@receiver(authentication_failed)
def count_wrong_code(request: Any, user: Any, **signal: Any) -> None:
    """Lets django-axes count a wrong code like a wrong password."""
    user_login_failed.send(__name__, credentials={"username": user.get_username()}, request=request)
