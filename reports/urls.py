from django.urls import path

from reports.exports.files import FORMATS
from reports.exports.page import export_history, reports_page
from reports.exports.parameters import KEYS
from reports.exports.views import export_download, export_view

urlpatterns = [
    *(
        path(f"api/v1/exports/{kind}.{name}", export_view(kind, name), name=f"export-{kind}-{name}")
        for kind in KEYS
        for name in FORMATS
    ),
    path("dashboard/reports", reports_page, name="reports-page"),
    path("dashboard/export-file", export_download, name="export-download"),
    path("dashboard/export-history", export_history, name="export-history"),
]
