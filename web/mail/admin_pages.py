"""The part of the admin for email: previews of all messages with made-up values, and a test message."""

import secrets

from django import forms
from django.conf import settings
from django.contrib import admin
from django.contrib.auth.models import User
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseForbidden, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe
from procrastinate.contrib.django.models import ProcrastinateJob

from web import mail
from web.declared_access import declare
from web.mail.frame import html_part, with_frame
from web.mail.messages import Parts
from web.mail.messages import render as render_parts
from web.mail.templates import MailTemplate, mail_templates
from web.mails import TEST

ACCESS = "staff"


class TestForm(forms.Form):
    address = forms.EmailField(label="To")


@require_http_methods(["GET", "HEAD", "POST"])
def templates(request: HttpRequest) -> HttpResponse:
    """Lists the messages. A superuser can send a test message: it takes the way of all messages, through the queue."""
    is_offered = mail.is_on() and isinstance(request.user, User) and request.user.is_superuser
    form = TestForm(request.POST or None)
    if request.method == "POST":
        if not is_offered:
            return HttpResponseForbidden("Only superusers may send a test message, and only while mail is on.")
        if form.is_valid():
            return HttpResponseRedirect(f"{reverse('mail-templates')}?job={send_test(request, form)}")
    context = {
        "mail_templates": mail_templates().values(),
        "transport": transport(),
        "form": form if is_offered else None,
        "state": state(request.GET.get("job", "")) if is_offered else "",
    }
    return render(request, "admin/mail/templates.html", admin.site.each_context(request) | context)


def send_test(request: HttpRequest, form: TestForm) -> int | None:
    key = f"test-{secrets.token_hex(8)}"
    return mail.send(TEST, to=form.cleaned_data["address"], key=key, sent_by=str(request.user))


def transport() -> str:
    """Says in a sentence where messages go."""
    if not mail.is_on():
        return "Mail is off: EMAIL_URL is empty."
    if settings.EMAIL_HOST:
        return f"Messages go to the mail server {settings.EMAIL_HOST}:{settings.EMAIL_PORT}."
    if settings.EMAIL_FILE_PATH:
        return f"Messages are not sent: they are files in {settings.EMAIL_FILE_PATH}."
    return "Messages are not sent: a worker prints them."


def state(job_id: str) -> str:
    """Says what became of a test message; nothing without one. Jobs that succeeded leave the queue."""
    if not (job_id.isascii() and job_id.isdecimal() and len(job_id) <= 18):
        return ""
    job = ProcrastinateJob.objects.filter(pk=int(job_id), task_name=mail.TASK).first()
    if job is None or job.status == "succeeded":
        return "The test message was handed over."
    if job.status == "doing":
        return "The test message is being sent."
    if job.status != "todo":
        return "The test message could not be sent."
    return "The test message could not be sent yet." if job.attempts else "The test message waits for a worker."


def found(name: str) -> MailTemplate:
    if name not in mail_templates():
        raise Http404
    return mail_templates()[name]


def sample(template: MailTemplate) -> Parts:
    return render_parts(template, template.sample())


@require_safe
@with_frame
def preview(request: HttpRequest, name: str) -> HttpResponse:
    template = found(name)
    context = {"template": template, "parts": sample(template)}
    return render(request, "admin/mail/preview.html", admin.site.each_context(request) | context)


@require_safe
@html_part
def preview_html(request: HttpRequest, name: str) -> str:
    return sample(found(name)).html


for view in (templates, preview, preview_html):
    declare(view, ACCESS)
