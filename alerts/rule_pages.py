"""Renders the pages of rules and events: all of them, one of them, and the form that makes or changes a rule."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import DatabaseError
from django.http import HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods
from pydantic import ConfigDict

from alerts import items, rule_changes, rule_forms, rule_items
from alerts.backtest import preview
from alerts.comparisons import UNUSUAL
from alerts.course import moment_of
from alerts.facts import complete, paths
from alerts.models import AlertEvent, Channel, Rule
from alerts.notices import ids_of
from alerts.offers import OFFERS, body_of, offer_named
from alerts.pages import author, check_may_write, page_context, page_url
from alerts.readings import NO_ANSWER
from alerts.rule_api import EventQuery
from alerts.rule_bodies import NewRule, RuleChanges, validated
from analytics.endpoints import cursor_of, parameters_of
from analytics.pages import uncached
from web.problems import Problem, transient_cause
from workspaces.access import WorkspaceRequest, page_access, workspace_access
from workspaces.models import Workspace
from workspaces.request_slots import request_slot

STILL = timedelta(minutes=5)
"""Rules that were last looked at so long ago stand still."""
MUTES = {"1h": timedelta(hours=1), "1d": timedelta(days=1), "7d": timedelta(days=7)}


class PageQuery(EventQuery):
    model_config = ConfigDict(extra="ignore")


# --- All rules and events ---


@require_http_methods(["GET", "HEAD", "POST"])
@page_access
def alerts_page(request: WorkspaceRequest) -> HttpResponseBase:
    if request.method == "POST":
        return made_offer(request)
    query = parameters_of(request.GET, PageQuery)
    rules = rule_items.rules_of(request.workspace)
    events, following = events_of(request.workspace, query)
    now = datetime.now(UTC)
    context = page_context(request) | {
        "rules": [{"rule": rule, "item": rule_items.rule_item(rule, now)} for rule in rules],
        "events": events,
        "next_cursor": following,
        "is_filtered": bool(query.rule_id or query.budget_id or query.state or query.open is not None),
        "offers": [offer for offer in OFFERS if not any(rule.name == offer.title for rule in rules)],
        "failing": items.failing_channels(request.workspace),
        "has_channels": Channel.objects.filter(workspace=request.workspace, is_active=True).exists(),
        "standing_still": standing_still(rules, now),
    }
    return uncached(render(request, "alerts/rules.html", context))


def events_of(workspace: Workspace, query: EventQuery) -> tuple[list[AlertEvent], str | None]:
    conditions: dict[str, Any] = query.model_dump(exclude_none=True, exclude={"cursor", "open"})
    if query.open is not None:
        conditions["ended_at__isnull"] = query.open
    place: Any = query.cursor
    events, following = rule_items.events_of(workspace, place, **conditions)
    return events, cursor_of(following)


def standing_still(rules: Sequence[Rule], now: datetime) -> datetime | None:
    """Returns when rules were last looked at, if that is long ago. None: they are looked at, or there are none."""
    may_be_judged = (rule for rule in rules if rule.is_active and rule.fault != NO_ANSWER)
    waiting = [rule for rule in may_be_judged if rule.updated_at < now - STILL]
    looked_at = [rule.evaluated_at or rule.created_at for rule in waiting]
    return min(looked_at) if looked_at and max(looked_at) < now - STILL else None


def made_offer(request: WorkspaceRequest) -> HttpResponseBase:
    """Makes a rule that is offered, told on all channels."""
    check_may_write(request)
    offer = offer_named(request.POST.get("offer", ""))
    if offer is None:
        raise Problem(422, "There is no such offer.")
    channels = Channel.objects.filter(workspace=request.workspace, is_active=True)[:10]
    body = validated(body_of(offer, [str(channel.pk) for channel in channels]), NewRule)
    rule, _ = rule_changes.create(request.workspace, body, author(request), datetime.now(UTC))
    return redirect(page_url(request, "rule-page", rule.pk))


# --- One rule ---


@require_http_methods(["GET", "HEAD", "POST"])
@page_access
def rule_page(request: WorkspaceRequest, rule_id: UUID) -> HttpResponseBase:
    if request.method == "POST":
        act(request, rule_id)
        is_gone = "delete" in request.POST
        return redirect(page_url(request, "alerts-page") if is_gone else page_url(request, "rule-page", rule_id))
    rule = rule_changes.find(request.workspace, rule_id)
    query = PageQuery.model_validate({"rule_id": rule_id})
    events, following = events_of(request.workspace, query)
    context = page_context(request) | {
        "rule": rule,
        "item": rule_items.rule_item(rule, datetime.now(UTC)),
        "channels": rule.channels.all(),
        "events": events,
        "next_cursor": following,
        "failing": items.failing_channels(request.workspace),
        "mutes": MUTES,
    }
    return uncached(render(request, "alerts/rule.html", context))


def act(request: WorkspaceRequest, rule_id: UUID) -> None:
    """Does what a button of the page asks for."""
    check_may_write(request)
    now = datetime.now(UTC)
    if "delete" in request.POST:
        rule_changes.delete(request.workspace, rule_id, author(request))
        return
    length = MUTES.get(request.POST.get("mute", ""))
    changes = RuleChanges(muted_until=now + length if length else None)
    rule_changes.change(request.workspace, rule_id, changes, author(request), now)


# --- The form ---


@require_http_methods(["GET", "HEAD", "POST"])
@page_access
def new_rule(request: WorkspaceRequest) -> HttpResponseBase:
    return form_page(request, None)


@require_http_methods(["GET", "HEAD", "POST"])
@page_access
def edit_rule(request: WorkspaceRequest, rule_id: UUID) -> HttpResponseBase:
    return form_page(request, rule_changes.find(request.workspace, rule_id))


def form_page(request: WorkspaceRequest, rule: Rule | None) -> HttpResponseBase:
    check_may_write(request)
    problem: Problem | None = None
    if request.method == "POST":
        try:
            return redirect(page_url(request, "rule-page", saved(request, rule).pk))
        except Problem as error:
            if error.status not in (409, 422):
                raise
            problem = error
    form = request.POST if problem else rule_forms.form_of(rule, request.GET)
    channels = list(Channel.objects.filter(workspace=request.workspace))
    context = page_context(request) | {
        "rule": rule,
        "form": form,
        "chosen": form.getlist("channels") if rule or problem else [str(one.pk) for one in channels],
        "channels": channels,
        "metrics": rule_forms.metric_choices(form.get("metric", "")),
        "comparisons": rule_forms.COMPARISON_WORDS.items(),
        "windows": windows(form),
        "pers": pers(form),
        "no_data_words": rule_forms.NO_DATA_WORDS.items(),
        "errors": rule_forms.errors_by_field(problem) if problem else {},
    }
    return uncached(render(request, "alerts/rule_form.html", context, status=422 if problem else 200))


def windows(form: QueryDict) -> list[tuple[str, str]]:
    """Returns the windows of the list with their words; what is chosen is among them."""
    chosen = form.get("window", "")
    return [*rule_forms.WINDOWS.items(), *([(chosen, chosen)] if chosen not in {"", *rule_forms.WINDOWS} else [])]


def pers(form: QueryDict) -> list[tuple[str, str]]:
    choices, chosen = rule_forms.per_choices(), form.get("per", "")
    return [*choices, *([(chosen, f"each {chosen}")] if chosen not in dict(choices) else [])]


def saved(request: WorkspaceRequest, rule: Rule | None) -> Rule:
    body, now = rule_forms.body_of_form(request.POST), datetime.now(UTC)
    if rule is None:
        made, _ = rule_changes.create(request.workspace, validated(body, NewRule), author(request), now)
        return made
    changes = validated(body, RuleChanges)
    return rule_changes.change(request.workspace, rule.pk, changes, author(request), now)


@require_http_methods(["POST"])
@workspace_access("read")
def backtest_panel(request: WorkspaceRequest) -> HttpResponse:
    """Renders what the rule of the form would have told in the past."""
    context: dict[str, Any] = {"workspace": request.workspace, "form": request.POST}
    try:
        body = validated(rule_forms.body_of_form(request.POST), NewRule)
        with request_slot(request.workspace.id):
            found = preview(request.workspace, body, datetime.now(UTC))
        context |= {"found": found, "body": body}
    except Problem as problem:
        context["errors"] = rule_forms.errors_by_field(problem)
    return uncached(render(request, "alerts/_backtest.html", context))


# --- One event ---


@require_http_methods(["GET", "HEAD", "POST"])
@page_access
def event_page(request: WorkspaceRequest, event_id: UUID) -> HttpResponseBase:
    if request.method == "POST":
        check_may_write(request)
        rule_changes.acknowledge(request.workspace, event_id, author(request), datetime.now(UTC))
        return redirect(page_url(request, "alert-event", event_id))
    event = rule_changes.find_event(request.workspace, event_id)
    complete(event)
    known = known_course(event)
    deliveries = items.deliveries_of(request.workspace, None, event_id__in=ids_of(event))
    context = page_context(request) | {
        "event": event,
        "message": event.notice.message if event.notice else None,
        "deliveries": [items.delivery_item(one) for one in deliveries],
        "paths": paths(event)[:-1],
        "course": known,
        # That of the comparison unusual is no value of the chart.
        "limit": None if event.details.get("comparison") == UNUSUAL else event.limit,
        "place": [f"{known['place'] * 100:.4g}"] if known else [],
    }
    return uncached(render(request, "alerts/event.html", context))


def known_course(event: AlertEvent) -> Any:
    """Returns the chart of that moment; None while the database of traces does not answer."""
    if event.budget_event is not None or not event.details.get("metric"):
        return None
    try:
        with request_slot(event.workspace_id):
            return moment_of(event)
    except (DatabaseError, Problem) as error:
        if isinstance(error, DatabaseError) and transient_cause(error) is None:
            raise
        return None
