"""Renders the pages of invoices: all of them, the columns of a file, one invoice beside the ledger, and a price."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from analytics.budget_pages import as_data, author, check_may_write, page_url
from analytics.pages import uncached
from budgets.bodies import validated
from insights.invoices import uploads
from insights.invoices.answers import invoice_answer, invoice_list
from insights.invoices.api import find
from insights.invoices.columns import PRESETS, Columns
from insights.invoices.importing import import_file
from insights.invoices.models import Invoice, InvoiceUpload
from insights.invoices.naming import name_models
from insights.invoices.prices import NewPrice, price
from insights.invoices.sheet import MOST_BYTES, read_sheet
from web.problems import Problem
from workspaces.access import WorkspaceRequest, may_write, page_access
from workspaces.request_slots import request_slot

DAYS_SHOWN = 300
MODELS_SHOWN = 100
SHOWN_STATUSES = (409, 413, 422)
"""Of faults that the page shows at its form."""
PRICE_FIELDS = (
    "factor",
    *("input_usd_per_million", "output_usd_per_million", "cache_read_usd_per_million", "cache_write_usd_per_million"),
)


def page_context(request: WorkspaceRequest) -> dict[str, Any]:
    return {
        "workspace": request.workspace,
        "workspaces": request.workspaces,
        "is_writer": may_write(request),
    }


def page(request: WorkspaceRequest, template: str, context: dict[str, Any], errors: list[str]) -> HttpResponse:
    context = page_context(request) | context | {"errors": errors}
    return uncached(render(request, f"insights/{template}.html", context, status=422 if errors else 200))


def words_of(problem: Problem) -> list[str]:
    return [f"{error['msg'][:1].upper()}{error['msg'][1:]}" for error in problem.errors] or [problem.detail]


# --- All invoices ---


@require_http_methods(["GET", "HEAD", "POST"])
@page_access
def invoices_page(request: WorkspaceRequest) -> HttpResponseBase:
    errors: list[str] = []
    if request.method == "POST":
        check_may_write(request)
        try:
            upload = uploads.keep(request.workspace, request.FILES.get("file"), author(request))
            return redirect(page_url(request, "invoice-upload", upload.pk))
        except Problem as problem:
            errors = shown_errors(problem)
    context = {
        "invoices": as_data(invoice_list(Invoice.objects.filter(workspace=request.workspace)))["data"],
        "uploads": InvoiceUpload.objects.filter(workspace=request.workspace).defer("content").order_by("-created_at"),
        "presets": PRESETS,
        "most_megabytes": MOST_BYTES // 2**20,
    }
    return page(request, "invoices", context, errors)


def shown_errors(problem: Problem) -> list[str]:
    if problem.status not in SHOWN_STATUSES:
        raise problem
    return words_of(problem)


# --- The columns of a file ---


@require_http_methods(["GET", "HEAD", "POST"])
@page_access
def upload_page(request: WorkspaceRequest, upload_id: UUID) -> HttpResponseBase:
    check_may_write(request)
    upload = uploads.find_upload(request.workspace, upload_id)
    data = uploads.content_of(upload)
    context: dict[str, Any] = uploads.form_context(request.workspace, read_sheet(data)) | {"upload": upload}
    errors: list[str] = []
    if request.method == "POST":
        if "delete" in request.POST:
            upload.delete()
            return redirect(page_url(request, "invoices-page"))
        form = {name: str(request.POST[name]) for name in request.POST}
        try:
            columns = validated(uploads.columns_of(form), Columns, "choice of columns")
            imported = import_file(
                request.workspace, form.get("provider", ""), upload.file_name, data, columns, author(request)
            )
            upload.delete()
            return redirect(page_url(request, "invoice-page", imported.invoice.pk))
        except Problem as problem:
            errors, context["form"] = shown_errors(problem), form
    return page(request, "invoice_columns", context, errors)


# --- One invoice ---


@require_http_methods(["GET", "HEAD", "POST"])
@page_access
def invoice_page(request: WorkspaceRequest, invoice_id: UUID) -> HttpResponseBase:
    invoice = find(request.workspace, invoice_id)
    errors: list[str] = []
    if request.method == "POST":
        check_may_write(request)
        if "delete" in request.POST:
            invoice.delete()
            return redirect(page_url(request, "invoices-page"))
        try:
            named = {str(request.POST.get("named", "")): str(request.POST.get("model", ""))}
            name_models(invoice, named, author(request))
            return redirect(page_url(request, "invoice-page", invoice.pk))
        except Problem as problem:
            errors = shown_errors(problem)
    with request_slot(request.workspace.id):
        one = as_data(invoice_answer(invoice))
    context = {
        "invoice": invoice,
        "one": one,
        "models": one["models"][:MODELS_SHOWN],
        "models_not_shown": len(one["models"]) - MODELS_SHOWN,
        "days": shown_days(one),
        "most_days": DAYS_SHOWN,
    }
    return page(request, "invoice", context, errors)


def shown_days(one: Mapping[str, Any]) -> list[Any]:
    """Returns the days and models that differ, the largest difference first."""
    days = [day for day in one["days"] if day["difference_usd"] or day["unpriced_calls"]]
    return sorted(days, key=lambda day: -abs(day["difference_usd"]))[:DAYS_SHOWN]


# --- A price ---


@require_http_methods(["GET", "HEAD", "POST"])
@page_access
def price_page(request: WorkspaceRequest, invoice_id: UUID) -> HttpResponseBase:
    """Shows what a price would change; a POST makes it."""
    check_may_write(request)
    invoice = find(request.workspace, invoice_id)
    form = request.POST if request.method == "POST" else request.GET
    values = {name: text for name in ("model", *PRICE_FIELDS) if (text := form.get(name, "").strip())}
    errors, effect = [], None
    if values.keys() & {*PRICE_FIELDS}:
        try:
            new = validated(values | {"dry_run": request.method != "POST"}, NewPrice, "price")
            with request_slot(request.workspace.id):
                effect = as_data(price(invoice, new, author(request), datetime.now(UTC)))
            if request.method == "POST":
                return redirect(page_url(request, "invoice-page", invoice.pk))
        except Problem as problem:
            errors = shown_errors(problem)
    context = {"invoice": invoice, "form": values, "effect": effect}
    return page(request, "invoice_price", context, errors)
