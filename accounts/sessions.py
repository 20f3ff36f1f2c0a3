"""Knows in which browsers a person is signed in, and ends sessions: Django's row of a session goes, and with it all."""

import re
from datetime import timedelta
from typing import Any

from django.contrib.sessions.models import Session
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone

from accounts.models import AGENT_LENGTH, SignedInSession
from workspaces.access import client_address

SEEN_AT = "seen_at"
RECORDED_EVERY = timedelta(minutes=5)

BROWSERS = (
    ("Edg/", "Edge"),
    ("OPR/", "Opera"),
    ("Firefox/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("CriOS/", "Chrome"),
    ("FxiOS/", "Firefox"),
    ("Safari/", "Safari"),
)
SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)
"""What a user agent contains, and what it is then. The first that fits wins: Edge also says Chrome and Safari."""


def device(user_agent: str) -> str:
    """Returns in words which browser on which system it is, like "Firefox on Linux"."""
    browser = next((name for mark, name in BROWSERS if mark in user_agent), "")
    system = next((name for mark, name in SYSTEMS if mark in user_agent), "")
    if browser and system:
        return f"{browser} on {system}"
    return browser or system or re.sub(r"[/ ].*", "", user_agent)[:40] or "An unknown program"


def record(request: HttpRequest, user: Any) -> None:
    """Stores the session of the request as one of this person, used now."""
    if not request.session.session_key:
        request.session.save()
    now = timezone.now()
    values = {
        "user": user,
        "user_agent": request.headers.get("User-Agent", "").replace("\0", "")[:AGENT_LENGTH],
        "address": client_address(request),
        "last_used_at": now,
    }
    SignedInSession.objects.update_or_create(session_key=request.session.session_key, defaults=values)
    request.session[SEEN_AT] = now.timestamp()


def record_use(request: HttpRequest) -> None:
    """Stores when the session was used, at most every five minutes. `request.session` is loaded already."""
    seen_at = request.session.get(SEEN_AT, 0.0)
    if timezone.now().timestamp() - seen_at > RECORDED_EVERY.total_seconds() and request.user.is_authenticated:
        record(request, request.user)


def forget(request: HttpRequest) -> None:
    SignedInSession.objects.filter(session_key=request.session.session_key).delete()


def living(user: Any) -> list[SignedInSession]:
    """Returns the sessions of a person that have not ended and not expired, the last used first."""
    keys = Session.objects.filter(expire_date__gt=timezone.now()).values("session_key")
    return list(SignedInSession.objects.filter(user=user, session_key__in=keys))


@transaction.atomic
def end(sessions: Any) -> int:
    """Ends sessions at once: the next request of each is not signed in. Returns how many there were."""
    keys = list(sessions.values_list("session_key", flat=True))
    Session.objects.filter(session_key__in=keys).delete()
    sessions.delete()
    return len(keys)


def end_all(user: Any, but: str | None = None) -> int:
    """Ends all sessions of a person but the one with this key."""
    return end(SignedInSession.objects.filter(user=user).exclude(session_key=but))
