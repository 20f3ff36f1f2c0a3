from django.urls import URLPattern, path

from analytics import cost, documents, openapi, performance, usage
from analytics.answers import LIVE, OVERVIEW, SERIES, Question
from analytics.budget_view import budget_view
from analytics.pages import choices_of, dashboard, first_page
from analytics.views import metric

METRICS: dict[str, tuple[Question, int]] = {
    "usage/overview": (usage.overview, OVERVIEW),
    "usage/calls-over-time": (usage.calls_over_time, SERIES),
    "usage/agent-distribution": (usage.agent_distribution, SERIES),
    "usage/top-users": (usage.top_users, SERIES),
    "cost/overview": (cost.overview, OVERVIEW),
    "cost/trend": (cost.trend, SERIES),
    "cost/by-model": (cost.by_model, SERIES),
    "cost/budget": (cost.budget, LIVE),
    "performance/overview": (performance.overview, OVERVIEW),
    "performance/latency": (performance.latency, SERIES),
    "performance/throughput": (performance.throughput, SERIES),
    "performance/errors": (performance.errors, LIVE),
}
PAGES = ("usage", "cost", "performance")

document, docs = openapi.views(METRICS)


def metric_path(route: str, query: Question, tier: int) -> URLPattern:
    view = metric(query, tier)
    return path(f"api/v1/{route}", budget_view(view) if query is cost.budget else view, name=route.replace("/", "-"))


urlpatterns = [
    path("", first_page, name="first-page"),
    *(path(f"dashboard/{domain}", dashboard(domain), name=f"{domain}-page") for domain in PAGES),
    path("dashboard/choices/<str:name>", choices_of, name="choices"),
    *(metric_path(route, query, tier) for route, (query, tier) in METRICS.items()),
    path("api/v1/openapi.json", document, name="openapi"),
    path("api/v1/docs", docs, name="docs"),
    path("docs/", documents.documents, name="documents"),
    path("docs/<slug:name>", documents.document, name="document"),
]
