"""Renders the page of prices: all of them, what a new one would change, and the job that applies them."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from django.db import DatabaseError
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_http_methods

from analytics.budget_pages import as_data
from budgets.bodies import validated
from settings.faults import shown_errors
from settings.models import UpdateKind
from settings.page import back_to, page, page_context
from settings.prices.api import order_reprice
from settings.prices.effect import effect, unpriced_models
from settings.prices.items import (
    PRICES,
    NewPrice,
    create_price,
    delete_price,
    end_price,
    item,
    price_of,
    prices_of,
)
from settings.rows_updates import newest_update
from web.problems import Problem, transient_cause
from workspaces.access import WorkspaceRequest, check_may_write, page_access, visitor_name
from workspaces.models import Workspace
from workspaces.request_slots import request_slot

FIELDS = ("provider", "model_pattern", *PRICES, "valid_from")
PRICE_LABELS = dict(
    zip(PRICES, ("input", "output", "read from the cache", "written to the cache", "written for an hour"), strict=True)
)


@require_http_methods(["GET", "HEAD", "POST"])
@page_access
def prices_page(request: WorkspaceRequest) -> HttpResponseBase:
    """Shows what a price in the query would change. A POST makes it, ends one, or applies them to stored calls."""
    now = datetime.now(UTC)
    errors: list[str] = []
    if request.method == "POST":
        check_may_write(request)
        try:
            act(request, now)
            return back_to(request, "settings-prices")
        except Problem as problem:
            errors = shown_errors(problem)
    form = form_of(request.POST if request.method == "POST" else request.GET)
    found = None
    if not errors and form.get("input_usd_per_million"):
        try:
            found = previewed(request.workspace, form, now)
        except Problem as problem:
            errors = shown_errors(problem)
    return page(
        request, "prices/all", context_of(request, form, found, now) | {"errors": errors}, 422 if errors else 200
    )


def context_of(request: WorkspaceRequest, form: Mapping[str, str], found: Any, now: datetime) -> dict[str, Any]:
    return page_context(request) | {
        "prices": as_data([item(price) | {"is_over": is_over(price, now)} for price in prices_of(request.workspace)]),
        "unpriced": unpriced(request.workspace, now),
        "form": form,
        "fields": [(name, label, form.get(name, "")) for name, label in PRICE_LABELS.items()],
        "effect": found,
        "update": as_data(newest_update(request.workspace, UpdateKind.PRICES)),
        "month_ago": (now - timedelta(days=30)).astimezone(request.workspace.zone).date().isoformat(),
    }


def is_over(price: Any, now: datetime) -> bool:
    return price.valid_until is not None and price.valid_until <= now


def unpriced(workspace: Workspace, now: datetime) -> Any:
    """Returns the models without a price; none while the database of traces does not answer."""
    try:
        with request_slot(workspace.id):
            return as_data(unpriced_models(workspace, now))
    except DatabaseError as error:
        if transient_cause(error) is None:
            raise
        return []


def form_of(values: Mapping[str, str]) -> dict[str, str]:
    return {name: text for name in FIELDS if (text := values.get(name, "").strip())}


def previewed(workspace: Workspace, form: Mapping[str, str], now: datetime) -> Any:
    body = validated(body_of_form(form, workspace), NewPrice, "price")
    with request_slot(workspace.id):
        return as_data(effect(workspace, price_of(workspace, body, now), now))


def body_of_form(form: Mapping[str, str], workspace: Workspace) -> dict[str, Any]:
    body: dict[str, Any] = {name: amount_of(text) if name in PRICES else text for name, text in form.items()}
    if day := form.get("valid_from"):
        body["valid_from"] = day_start(day, workspace, "valid_from")
    return body


def amount_of(text: str) -> Decimal | str:
    """Returns the number; the text itself where it is none, which is then refused by the name of its field."""
    try:
        return Decimal(text)
    except InvalidOperation:
        return text


def day_start(text: str, workspace: Workspace, field: str) -> datetime:
    try:
        return datetime.combine(date.fromisoformat(text), time(), workspace.zone).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        message = "must be a day like 2026-11-30"
        raise Problem(422, "The day is not valid.", [{"loc": ["body", field], "msg": message}]) from error


def act(request: WorkspaceRequest, now: datetime) -> None:
    workspace, actor, form = request.workspace, visitor_name(request), request.POST
    if "end" in form:
        end_price(workspace, number(form["end"]), now, actor)
    elif "delete" in form:
        delete_price(workspace, number(form["delete"]), actor)
    elif "reprice" in form:
        order_reprice(workspace, day_start(form.get("from", ""), workspace, "from"), now, actor, now)
    else:
        save(request, now)


def number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise Problem(404, "There is no such price in this workspace.")
    return int(text)


def save(request: WorkspaceRequest, now: datetime) -> None:
    """Makes the price of the form, and where it says so prices the stored calls from its start on again."""
    workspace, actor = request.workspace, visitor_name(request)
    body = validated(body_of_form(form_of(request.POST), workspace), NewPrice, "price")
    price = create_price(workspace, body, actor, now)
    if "and_reprice" in request.POST and price.valid_from < now:
        order_reprice(workspace, price.valid_from, now, actor, now)
