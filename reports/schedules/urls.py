from django.urls import path

from reports.schedules import api, pages, public
from reports.schedules.bodies import FORMATS

urlpatterns = [
    path("api/v1/reports", api.schedules_view, name="schedules"),
    path("api/v1/reports/<uuid:schedule_id>", api.schedule_view, name="schedule"),
    path("api/v1/reports/<uuid:schedule_id>/run", api.run_view, name="schedule-run"),
    path("api/v1/reports/<uuid:schedule_id>/runs", api.runs_view, name="schedule-runs"),
    *(
        path(f"api/v1/reports/runs/<uuid:run_id>.{name}", api.run_file_view(name), name=f"run-{name}")
        for name in FORMATS
    ),
    path("reports/files/<str:token>", public.file_view, name="report-file"),
    path("reports/unsubscribe/<str:token>", public.unsubscribe_view, name="report-unsubscribe"),
    path("reports/subscribe/<str:token>", public.subscribe_view, name="report-subscribe"),
    path("dashboard/report-schedules", pages.schedule_list, name="schedule-list"),
    path("dashboard/reports/schedules/new", pages.new_schedule, name="new-schedule"),
    path("dashboard/reports/schedules/<uuid:schedule_id>", pages.schedule_page, name="schedule-page"),
    path("dashboard/reports/schedules/<uuid:schedule_id>/edit", pages.edit_schedule, name="edit-schedule"),
    path("dashboard/report-files/<uuid:file_id>", pages.schedule_file, name="schedule-file"),
]
