"""Lets a response take longer than others do, as exports must: see `web/worker.py`."""

from django.http import HttpRequest

from web.unsent import Outgoing


def allow(request: HttpRequest) -> None:
    """Lets the answer to this request take an hour, while its client reads. Only our own server has a limit."""
    sock = request.META.get("gunicorn.socket")
    if isinstance(sock, Outgoing):
        sock.allow_long()
