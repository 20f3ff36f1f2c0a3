from django.urls import path

from ingest import views

urlpatterns = [
    path("api/v1/traces", views.json_traces, name="json-traces"),
    path("v1/traces", views.otlp_traces, name="otlp-traces"),
    path("v1/logs", views.otlp_ignored("logs"), name="otlp-logs"),
    path("v1/metrics", views.otlp_ignored("metrics"), name="otlp-metrics"),
    path("v1/traces/ingest", views.agents_sdk_traces, name="agents-sdk-traces"),
    # The Langfuse SDKs
    path("api/public/otel/v1/traces", views.otlp_traces, name="langfuse-traces"),
    path("api/public/otel/v1/metrics", views.otlp_ignored("metrics"), name="langfuse-metrics"),
    path("api/public/projects", views.langfuse_projects, name="langfuse-projects"),
    path("api/public/scores", views.langfuse_scores, name="langfuse-scores"),
    path("api/public/ingestion", views.langfuse_ingestion, name="langfuse-ingestion"),
]
