from django.urls import path

from analytics import api_page, budget_api, budget_pages, documents, openapi
from analytics.catalogue import METRICS, PAGES, Metric
from analytics.explore import explore
from analytics.forecast_view import forecast_view
from analytics.pages import choices, dashboard, first_page
from analytics.query_view import query_view
from analytics.score_views import scores_view
from analytics.views import metric_view, with_update
from ingest.urls import with_and_without_slash
from web.declared_access import View


def view_of(metric: Metric) -> View:
    read_view = metric_view(metric)
    return with_update(read_view, metric.update.view, metric.template) if metric.update else read_view


urlpatterns = [
    path("", first_page, name="first-page"),
    path("dashboard/", first_page),
    *(path(f"dashboard/{page.domain}", dashboard(page), name=page.name) for page in PAGES),
    path("dashboard/budgets", budget_pages.budgets_page, name="budgets-page"),
    path("dashboard/budgets/new", budget_pages.new_budget, name="new-budget"),
    path("dashboard/budgets/<uuid:budget_id>", budget_pages.budget_page, name="budget-page"),
    path("dashboard/budgets/<uuid:budget_id>/edit", budget_pages.edit_budget, name="edit-budget"),
    path("dashboard/budget-values", budget_pages.value_options, name="budget-values"),
    path("dashboard/budget-preview", budget_pages.preview_panel, name="budget-preview"),
    path("dashboard/query", explore, name="query-page"),
    path("dashboard/choices/<str:name>", choices, name="choices"),
    *(path(f"api/v1/{metric.route}", view_of(metric), name=metric.name) for metric in METRICS.values()),
    *with_and_without_slash("api/v1/scores", scores_view),
    path("api/v1/query", query_view, name="query"),
    path("api/v1/budgets", budget_api.budgets_view, name="budgets"),
    path("api/v1/budgets/preview", budget_api.preview_view, name="budgets-preview"),
    path("api/v1/budgets/check", budget_api.check_view, name="budgets-check"),
    path("api/v1/budgets/<uuid:budget_id>/raise", budget_api.raise_view, name="budget-raise"),
    path("api/v1/budgets/<uuid:budget_id>", budget_api.budget_view, name="budget"),
    path("api/v1/insights/forecast", forecast_view, name="forecast"),
    path("api/v1/openapi.json", openapi.openapi, name="openapi"),
    path("api/v1/docs", api_page.api_page, name="docs"),
    path("api/v1/docs/<slug:name>", api_page.operation_page, name="operation"),
    path("docs/", documents.documents, name="documents"),
    path("docs/<slug:name>", documents.document, name="document"),
]
