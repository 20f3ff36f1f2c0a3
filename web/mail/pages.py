"""Shows the messages of the folder at /mail/, for trying out: only on this machine, and never in production."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from web.declared_access import declare
from web.mail import folder
from web.mail.frame import html_part, with_frame
from web.this_machine import is_from_this_machine

ACCESS = "this machine, outside production"
MAX_LISTED = 100


class Message(NamedTuple):
    name: str
    subject: str
    sender: str
    to: str
    message_id: str
    sent_at: datetime
    text: str
    html: str


def mail_folder(request: HttpRequest) -> Path:
    """Returns the folder, if the request may read it."""
    if settings.PRODUCTION or not settings.EMAIL_FILE_PATH or not is_from_this_machine(request):
        raise Http404
    return Path(settings.EMAIL_FILE_PATH)


def read(path: Path, name: str) -> Message | None:
    found = folder.read(path, name)
    if found is None:
        return None
    text, html = found.get_body(["plain"]), found.get_body(["html"])
    return Message(
        name=name,
        subject=found.get("Subject", ""),
        sender=found.get("From", ""),
        to=found.get("To", ""),
        message_id=found.get("Message-ID", ""),
        sent_at=datetime.fromtimestamp(int(name[:20]) / 1e9, UTC),
        text=text.get_content() if text else "",
        html=html.get_content() if html else "",
    )


def read_or_404(path: Path, name: str) -> Message:
    found = read(path, name)
    if found is None:
        raise Http404
    return found


@never_cache
@require_safe
def messages(request: HttpRequest) -> HttpResponse:
    path = mail_folder(request)
    names = folder.names(path)
    context: dict[str, Any] = {
        # Another process may delete the oldest at any moment.
        "messages": [found for name in names[:MAX_LISTED] if (found := read(path, name))],
        "total": len(names),
        "folder": path,
        "max_files": folder.MAX_FILES,
    }
    return render(request, "mail_pages/messages.html", context)


@never_cache
@require_safe
@with_frame
def message(request: HttpRequest, name: str) -> HttpResponse:
    return render(request, "mail_pages/message.html", {"message": read_or_404(mail_folder(request), name)})


@never_cache
@require_safe
@html_part
def message_html(request: HttpRequest, name: str) -> str:
    return read_or_404(mail_folder(request), name).html


for view in (messages, message, message_html):
    declare(view, ACCESS)
