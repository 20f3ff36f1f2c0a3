from django.urls import path

from analytics import api_page, documents, openapi
from analytics.catalogue import METRICS, PAGES, Metric
from analytics.explore import explore
from analytics.label_views import labels_page, labels_view
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
    path("dashboard/query", explore, name="query-page"),
    path("dashboard/choices/<str:name>", choices, name="choices"),
    *(path(f"api/v1/{metric.route}", view_of(metric), name=metric.name) for metric in METRICS.values()),
    *with_and_without_slash("api/v1/scores", scores_view),
    path("settings/labels", labels_page, name="labels"),
    path("api/v1/settings/labels", labels_view, name="labels-api"),
    path("api/v1/query", query_view, name="query"),
    path("api/v1/openapi.json", openapi.openapi, name="openapi"),
    path("api/v1/docs", api_page.api_page, name="docs"),
    path("docs/", documents.documents, name="documents"),
    path("docs/<slug:name>", documents.document, name="document"),
]
