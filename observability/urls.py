from django.contrib import admin
from django.urls import include, path

from observability import health, scrape

urlpatterns = [
    path("livez", health.livez, name="livez"),
    path("readyz", health.readyz, name="readyz"),
    path("metrics", scrape.metrics, name="metrics"),
    path("admin/", admin.site.urls),
    path("", include("workspaces.urls")),
    path("", include("ingest.urls")),
    path("", include("analytics.urls")),
]

handler500 = "observability.problems.server_error"
