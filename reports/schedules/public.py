"""Serves the links of messages: files, and unsubscribing. The link is enough; it needs no account."""

from datetime import UTC, datetime

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from reports.models import Schedule
from reports.schedules import people
from reports.schedules.api import file_response
from reports.schedules.links import SUBSCRIBE, UNSUBSCRIBE, file_of, person_of, person_token
from web.declared_access import public
from web.secret_addresses import unlisted
from workspaces.request_slots import request_slot


@public
@require_safe
def file_view(request: HttpRequest, token: str) -> HttpResponse:
    file = file_of(token, datetime.now(UTC))
    # It counts as a request of the workspace: a link that goes round takes no threads from others.
    with request_slot(file.run.schedule.workspace_id):
        return unlisted(file_response(file))


# A mail program sends the POST by itself (RFC 8058) and has no token of a form. The signed link is the right to do it.
@csrf_exempt
@public
@require_http_methods(["GET", "HEAD", "POST"])
def unsubscribe_view(request: HttpRequest, token: str) -> HttpResponse:
    schedule, address = person_of(UNSUBSCRIBE, token)
    if request.method == "POST":
        people.unsubscribe(schedule, address)
    return person_page(request, schedule, address, is_gone=people.is_unsubscribed(schedule, address))


@csrf_exempt
@public
@require_http_methods(["GET", "HEAD", "POST"])
def subscribe_view(request: HttpRequest, token: str) -> HttpResponse:
    schedule, address = person_of(SUBSCRIBE, token)
    if request.method == "POST":
        people.subscribe_again(schedule, address)
    return person_page(request, schedule, address, is_gone=people.is_unsubscribed(schedule, address))


def person_page(request: HttpRequest, schedule: Schedule, address: str, is_gone: bool) -> HttpResponse:
    context = {
        "name": schedule.name,
        "workspace_name": schedule.workspace.name,
        "address": address,
        "is_gone": is_gone,
        "leave": person_token(UNSUBSCRIBE, schedule, address),
        "come_back": person_token(SUBSCRIBE, schedule, address) if is_gone else "",
    }
    return unlisted(render(request, "reports/schedules/unsubscribe.html", context))
