from django.urls import URLPattern, path

from ingest import views
from web.declared_access import View

PATHS = {
    "v1/traces": views.otlp_traces,
    "v1/logs": views.otlp_log_records,
    "v1/metrics": views.otlp_metrics,
    "v1/traces/ingest": views.agents_sdk_traces,
    # The Langfuse SDKs
    "api/public/otel/v1/traces": views.otlp_traces,
    "api/public/otel/v1/metrics": views.otlp_metrics,
    "api/public/projects": views.langfuse_projects,
    "api/public/scores": views.langfuse_scores,
    "api/public/ingestion": views.langfuse_ingestion,
}


def with_and_without_slash(route: str, view: View, name: str | None = None) -> list[URLPattern]:
    """Returns the path and the same with a slash at its end. Exporters drop a batch that is answered with 404."""
    return [path(route, view, name=name), path(f"{route}/", view)]


urlpatterns = [pattern for route, view in PATHS.items() for pattern in with_and_without_slash(route, view)]
