"""The operators' page of background work."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path
from procrastinate.contrib.django.models import ProcrastinateEvent, ProcrastinateJob, ProcrastinateWorker

from jobs import overview
from jobs.context import warning
from jobs.models import TaskState
from jobs.retention import RETENTION
from jobs.state import jobs_state

# One page shows the work instead of the library's tables.
for model in (ProcrastinateJob, ProcrastinateEvent, ProcrastinateWorker):
    if admin.site.is_registered(model):
        admin.site.unregister(model)

MAX_DIGITS = 18


@admin.register(TaskState)
class TaskStateAdmin(admin.ModelAdmin):
    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: TaskState | None = None) -> bool:
        return False

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def get_urls(self) -> list[Any]:
        """Returns one address: the counts of a task are nothing to edit."""
        return [path("", self.admin_site.admin_view(self.changelist_view), name="jobs_taskstate_changelist")]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        if request.method == "POST":
            return self.act(request)
        state = jobs_state()
        context = {
            **self.admin_site.each_context(request),
            "title": "Background work",
            "state": state,
            "warning": warning(state),
            "tasks": overview.task_lines(),
            "failed_jobs": overview.failed_jobs(),
            "runs": overview.last_runs(),
            "retention": RETENTION,
            "may_change": self.has_change_permission(request),
        }
        return TemplateResponse(request, "admin/jobs/overview.html", context)

    def act(self, request: HttpRequest) -> HttpResponse:
        """Does what a button of the page asks for, and says what happened."""
        if not self.has_change_permission(request):
            raise PermissionDenied
        job_id, task = request.POST.get("job", ""), request.POST.get("task", "")
        if job_id.isascii() and job_id.isdigit() and len(job_id) <= MAX_DIGITS:
            done = overview.run_again(int(job_id))
        elif task in overview.own_tasks() and request.POST.get("action") in overview.ACTIONS:
            done = overview.ACTIONS[request.POST["action"]](task)
        else:
            done = "There is no such task or action."
        messages.info(request, done)
        return HttpResponseRedirect(request.path)
