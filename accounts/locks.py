"""Counts wrong passwords and codes of somebody who is known, and refuses more, as django-axes does at the sign-in."""

from typing import Any

from axes.handlers.proxy import AxesProxyHandler
from axes.helpers import get_lockout_response
from django.contrib.auth import user_login_failed
from django.http import HttpRequest, HttpResponse


def lock_of(request: HttpRequest, user: Any) -> HttpResponse | None:
    """Returns the page of a name that is locked from this address; None where it is not."""
    credentials = {"username": user.get_username()}
    if AxesProxyHandler.is_allowed(request, credentials):
        return None
    response: HttpResponse = get_lockout_response(request, credentials=credentials)
    return response


def count_failure(request: HttpRequest, user: Any) -> None:
    user_login_failed.send(__name__, credentials={"username": user.get_username()}, request=request)
