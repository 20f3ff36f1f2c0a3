from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.templatetags.static import static
from django.urls import include, path

from observability import health, scrape
from web.declared_access import public


@public
def icon(request: HttpRequest) -> HttpResponse:
    """Redirects to the icon. Browsers request this URL when they show JSON, which names no icon."""
    return redirect(static("icon.svg"))


urlpatterns = [
    path("livez", health.livez, name="livez"),
    path("readyz", health.readyz, name="readyz"),
    path("metrics", scrape.metrics, name="metrics"),
    path("favicon.ico", icon, name="icon"),
    # Before the admin, whose pages end with one that finds nothing.
    path("", include("web.mail.urls")),
    path("admin/", admin.site.urls),
    path("", include("accounts.urls")),
    path("", include("ingest.urls")),
    path("", include("analytics.urls")),
    path("", include("explorer.urls")),
    path("", include("insights.urls")),
    path("", include("alerts.urls")),
    path("", include("reports.urls")),
    path("", include("dashboards.urls")),
    path("", include("settings.urls")),
    path("", include("assistants.urls")),
]

handler404 = "analytics.leads.not_found"
handler500 = "web.problems.server_error"
