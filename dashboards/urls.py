from django.urls import include, path

from analytics.endpoints import methods
from dashboards import adding, api, builder, list_page, page, public, share_pages

ONE = "api/v1/dashboards/<uuid:dashboard_id>"
panel_view = methods(GET=page.panel, PATCH=api.change_panel, DELETE=api.delete_panel)

urlpatterns = [
    path("api/v1/dashboards", api.dashboards_view, name="dashboards"),
    path("api/v1/dashboards/schema.json", api.schema_view, name="dashboard-schema"),
    path("api/v1/dashboards/sharing", api.sharing_view, name="dashboard-sharing"),
    path(ONE, api.dashboard_view, name="dashboard"),
    path(f"{ONE}/export", api.export_view, name="dashboard-export"),
    path(f"{ONE}/duplicate", api.duplicate_view, name="dashboard-duplicate"),
    path(f"{ONE}/star", api.star_view, name="dashboard-star"),
    path(f"{ONE}/revisions", api.revisions_view, name="dashboard-revisions"),
    path(f"{ONE}/revisions/<int:number>/restore", api.restore_view, name="dashboard-restore"),
    path(f"{ONE}/links", api.links_view, name="dashboard-links"),
    path(f"{ONE}/links/<uuid:link_id>", api.link_view, name="dashboard-link"),
    path(f"{ONE}/panels", api.panels_view, name="dashboard-panels"),
    path(f"{ONE}/panels/<slug:panel_id>", panel_view, name="dashboard-panel"),
    path("dashboard/dashboards", list_page.dashboards_page, name="dashboards-page"),
    path("dashboard/dashboards/<uuid:dashboard_id>/file", api.file_page, name="dashboard-file"),
    path("dashboard/dashboards/<uuid:dashboard_id>/history", share_pages.history_page, name="dashboard-history"),
    path("dashboard/dashboards/<uuid:dashboard_id>/share", share_pages.share_page, name="dashboard-share"),
    path("d/<str:token>", public.public_page, name="public-dashboard"),
    path("d/<str:token>/panels/<slug:panel_id>", public.public_panel, name="public-panel"),
    path("dashboard/dashboards/add", adding.add_page, name="add-to-dashboard"),
    path("dashboard/dashboards/<uuid:dashboard_id>", page.dashboard_page, name="dashboard-page"),
    path("dashboard/dashboards/<uuid:dashboard_id>/values/<slug:name>", page.variable_values, name="dashboard-values"),
    path("dashboard/dashboards/<uuid:dashboard_id>/", include(builder.urlpatterns)),
]
