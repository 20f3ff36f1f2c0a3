from django.urls import path

from reports.exports.files import FORMATS
from reports.exports.page import export_history, reports_page
from reports.exports.parameters import KEYS
from reports.exports.views import export_download, export_view
from reports.page import report_page
from reports.prometheus import prometheus_metrics
from reports.schedules.urls import urlpatterns as schedule_patterns
from reports.views import FORMATS as FORMATS_OF_REPORTS
from reports.views import listed_kinds, report_download, report_view

urlpatterns = [
    *(
        path(f"api/v1/exports/{kind}.{name}", export_view(kind, name), name=f"export-{kind}-{name}")
        for kind in KEYS
        for name in FORMATS
    ),
    path("api/v1/prometheus/metrics", prometheus_metrics, name="prometheus-metrics"),
    *(
        path(f"api/v1/reports/{kind}.{name}", report_view(kind, name), name=f"report-{kind}-{name}")
        for kind in listed_kinds()
        for name in FORMATS_OF_REPORTS
    ),
    path("dashboard/report", report_page, name="report-page"),
    path("dashboard/report-file", report_download, name="report-download"),
    path("dashboard/reports", reports_page, name="reports-page"),
    path("dashboard/export-file", export_download, name="export-download"),
    path("dashboard/export-history", export_history, name="export-history"),
    *schedule_patterns,
]
