"""Lets a response take longer than others do, as exports must: see `web/worker.py`."""

from django.http import HttpRequest

from web.unsent import Outgoing


def allow(request: HttpRequest) -> None:
    """Lifts the limit of the time of this request while its client reads. Other servers than ours have no such limit."""
    sock = request.META.get("gunicorn.socket")
    if isinstance(sock, Outgoing):
        sock.allow_long()
