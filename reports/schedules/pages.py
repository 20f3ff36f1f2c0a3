"""Renders the pages of schedules: the list on the page Reports, one of them, and the form that makes or changes one."""

from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.http import Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from alerts.forms import names_of_members
from alerts.models import Channel
from alerts.pages import author, check_may_write, page_context, page_url
from alerts.rule_forms import filter_lines
from analytics.budget_pages import PageQuery, label_names
from analytics.endpoints import parameters_of
from analytics.pages import uncached
from analytics.templatetags.text import shorten_middle
from analytics.templatetags.times import local_short
from reports.kinds import KINDS
from reports.models import ReportFile, Schedule
from reports.models.schedule import ME, NOBODY
from reports.schedules import changes, forms, items
from reports.schedules.api import file_response, run_page
from reports.schedules.bodies import WEEKDAYS, NewSchedule, ScheduleChanges, validated
from reports.schedules.message import period_words
from reports.schedules.periods import MONTH, WEEK, next_due
from reports.views import listed_kinds
from traces.filters import LABEL_PREFIX, SHORTEST
from web import mail
from web.problems import Problem
from workspaces.access import WorkspaceRequest, page_access, user_of, workspace_access

RECEIVERS_SHOWN = 2


@require_safe
@workspace_access("read")
def schedule_list(request: WorkspaceRequest) -> HttpResponse:
    """Renders what goes out, for the page Reports."""
    schedules = list(items.schedules_of(request.workspace))
    found = items.schedule_items(schedules, datetime.now(UTC))
    context = {
        "workspace": request.workspace,
        "is_writer": "write" in request.access.scopes,
        "shown": [
            {"schedule": schedule, "item": item, "when": when_words(schedule), "to": receiver_words(schedule)}
            for schedule, item in zip(schedules, found, strict=True)
        ],
        "failed": items.failed_schedules(found),
    }
    return uncached(render(request, "reports/schedules/_list.html", context))


def when_words(schedule: Schedule) -> str:
    """Formats when it is due: each Monday at 08:00, about the week before."""
    at = f"at {schedule.hour:02}:00"
    if schedule.period == WEEK:
        return f"each {WEEKDAYS[schedule.weekday].capitalize()} {at}, about the week before"
    if schedule.period == MONTH:
        return f"on day {schedule.day} of each month {at}, about the month before"
    return f"each day {at}, about the day before"


def receiver_words(schedule: Schedule) -> str:
    found = [*schedule.members, *schedule.addresses, *(channel.name for channel in schedule.channels.all())]
    more = len(found) - RECEIVERS_SHOWN
    shown = ", ".join(map(shorten_middle, found[:RECEIVERS_SHOWN]))
    return (shown + (f" and {more} more" if more > 0 else "")) or "nobody"


# --- One schedule ---


@require_http_methods(["GET", "HEAD", "POST"])
@page_access
def schedule_page(request: WorkspaceRequest, schedule_id: UUID) -> HttpResponseBase:
    problem = acted(request, schedule_id) if request.method == "POST" else None
    if request.method == "POST" and problem is None:
        is_gone = "delete" in request.POST
        return redirect(page_url(request, "reports-page") if is_gone else own_url(request, schedule_id))
    schedule, now = changes.find(request.workspace, schedule_id), datetime.now(UTC)
    [item] = items.schedule_items([schedule], now)
    query = parameters_of(request.GET, PageQuery)
    history = run_page(request.workspace, schedule_id, query.cursor)
    context = page_context(request) | {
        "schedule": schedule,
        "item": item,
        "kind": KINDS[schedule.kind].title if schedule.kind in KINDS else schedule.kind,
        "when": when_words(schedule),
        "per": schedule.per.removeprefix(LABEL_PREFIX),
        "filter_lines": filter_lines(schedule.filters).splitlines(),
        "preview_url": preview_url(schedule, now),
        "runs": shown_runs(schedule, history),
        "next_cursor": history["next_cursor"],
        "is_working": any(run["state"] in ("waiting", "running") for run in history["data"]) and not query.cursor,
        "can_send_me": mail.is_on() and bool(own_address(request)),
        "is_mail_off": not mail.is_on() and bool(schedule.members or schedule.addresses),
        "problem": problem,
    }
    return uncached(render(request, "reports/schedules/one.html", context, status=problem.status if problem else 200))


def own_url(request: WorkspaceRequest, schedule_id: UUID) -> str:
    return page_url(request, "schedule-page", schedule_id)


def own_address(request: WorkspaceRequest) -> str:
    owner = user_of(request)
    return owner.email if owner else ""


def preview_url(schedule: Schedule, now: datetime) -> str:
    """Returns the address of the report page with the period of the next run so far; empty for kinds that it lacks."""
    if schedule.kind not in listed_kinds():
        return ""
    due = next_due(schedule.timing, schedule.workspace.zone, now)
    end = min(due.end, max(now, due.start + SHORTEST))
    window = {"start": due.start.isoformat(), "end": end.isoformat()}
    query = {"workspace": str(schedule.workspace_id), "kind": schedule.kind, "paper": schedule.paper, **window}
    if schedule.per:  # a page that offers the values leads to the report of each
        query["subject"] = schedule.per_dimension
    filters = [(name, value) for name, values in schedule.filters.items() for value in values]
    return f"{reverse('report-page')}?{urlencode([*query.items(), *filters])}"


def shown_runs(schedule: Schedule, history: items.RunList) -> list[dict[str, Any]]:
    """Returns the runs with their periods in words and the ids of their files."""
    runs = {run.pk: run for run in schedule.runs.filter(pk__in=[item["id"] for item in history["data"]])}
    files: dict[UUID, list[ReportFile]] = {}
    for file in ReportFile.objects.filter(run__in=runs).defer("body"):
        files.setdefault(file.run_id, []).append(file)
    return [
        {
            "run": runs[item["id"]],
            "item": item,
            "period": period_words(runs[item["id"]]),
            "created": local_short(item["created_at"], schedule.workspace.zone),
            "files": list(zip(files.get(item["id"], []), item["files"], strict=True)),
            "not_sent": [one for one in item["deliveries"] if one["state"] in ("failed", "left out")],
            "sent": sum(one["state"] == "sent" for one in item["deliveries"]),
        }
        for item in history["data"]
        if item["id"] in runs
    ]


def acted(request: WorkspaceRequest, schedule_id: UUID) -> Problem | None:
    """Does what a button of the page asks for. Returns why it could not."""
    check_may_write(request)
    now = datetime.now(UTC)
    try:
        if "delete" in request.POST:
            changes.delete(request.workspace, schedule_id, author(request))
        elif "again" in request.POST:
            changes.find(request.workspace, schedule_id)
            changes.try_again(request.workspace, uuid_of(request.POST["again"]), now)
        else:
            send_to = ME if "me" in request.POST else NOBODY
            changes.run_now(request.workspace, schedule_id, send_to, author(request), own_address(request), now)
    except Problem as problem:
        if problem.status not in (409, 429):
            raise
        return problem
    return None


def uuid_of(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise Http404 from error


@require_safe
@page_access
def schedule_file(request: WorkspaceRequest, file_id: UUID) -> HttpResponse:
    """Returns a file of the history."""
    file = ReportFile.objects.filter(run__schedule__workspace=request.workspace, pk=file_id).first()
    if file is None:
        raise Http404
    return file_response(file)


# --- The form ---


@require_http_methods(["GET", "HEAD", "POST"])
@page_access
def new_schedule(request: WorkspaceRequest) -> HttpResponseBase:
    return form_page(request, None)


@require_http_methods(["GET", "HEAD", "POST"])
@page_access
def edit_schedule(request: WorkspaceRequest, schedule_id: UUID) -> HttpResponseBase:
    return form_page(request, changes.find(request.workspace, schedule_id))


def form_page(request: WorkspaceRequest, schedule: Schedule | None) -> HttpResponseBase:
    check_may_write(request)
    problem: Problem | None = None
    if request.method == "POST":
        try:
            return redirect(own_url(request, saved(request, schedule).pk))
        except Problem as error:
            if error.status not in (409, 422):
                raise
            problem = error
    form = request.POST if problem else forms.form_of(schedule, request.GET)
    chosen = {name: form.getlist(name) for name in ("members", "channels", "formats")}
    context = page_context(request) | {
        "schedule": schedule,
        "form": form,
        "chosen": chosen,
        "members": names_of_members(request.workspace, chosen["members"]),
        "channels": list(Channel.objects.filter(workspace=request.workspace)),
        "is_mail_off": not mail.is_on(),
        "errors": forms.errors_by_field(problem) if problem else {},
        **forms.choices(form, label_names(request.workspace)),
    }
    return uncached(render(request, "reports/schedules/form.html", context, status=422 if problem else 200))


def saved(request: WorkspaceRequest, schedule: Schedule | None) -> Schedule:
    body, now = forms.body_of_form(request.POST), datetime.now(UTC)
    if schedule is None:
        new = validated(body, NewSchedule)
        made, _ = changes.create(request.workspace, new, author(request), user_of(request), now)
        return made
    return changes.change(request.workspace, schedule.pk, validated(body, ScheduleChanges), author(request), now)
