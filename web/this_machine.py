"""Recognises requests of this machine itself."""

from django.http import HttpRequest


def is_from_this_machine(request: HttpRequest) -> bool:
    """Returns whether nobody else sent the request, also not through a proxy that runs on this machine."""
    is_forwarded = any(name in request.headers for name in ("X-Forwarded-For", "Forwarded", "X-Real-IP"))
    return not is_forwarded and request.META.get("REMOTE_ADDR") in ("127.0.0.1", "::1")
