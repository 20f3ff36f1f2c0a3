from django.urls import include, path

from analytics.budget_api import methods
from dashboards import builder, page

urlpatterns = [
    path(
        "api/v1/dashboards/<uuid:dashboard_id>/panels/<slug:panel_id>",
        methods(GET=page.panel),
        name="dashboard-panel",
    ),
    path("dashboard/dashboards/<uuid:dashboard_id>", page.dashboard_page, name="dashboard-page"),
    path("dashboard/dashboards/<uuid:dashboard_id>/values/<slug:name>", page.variable_values, name="dashboard-values"),
    path("dashboard/dashboards/<uuid:dashboard_id>/", include(builder.urlpatterns)),
]
