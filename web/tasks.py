"""The background work of this app."""

from collections.abc import Mapping
from typing import Any

from procrastinate import RetryDecision
from procrastinate.jobs import Job

from web import mail
from web.mail import messages
from web.mail.delivery import MailRefused, deliver
from web.mail.templates import mail_templates
from web.queue import RETRY_PAUSES, RetryAfterPauses, task


class RetryUnlessRefused(RetryAfterPauses):
    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision | None:
        if isinstance(exception, MailRefused):
            return None
        return super().get_retry_decision(exception=exception, job=job)


@task(mail.TASK)
def send_mail(template: str, to: str, key: str, arguments: Mapping[str, Any]) -> None:
    """Sends a message by email."""
    mail_template = mail_templates()[template]
    context = mail_template.context(**arguments)
    if context is not None:
        deliver(messages.message(messages.render(mail_template, context), to, key))


send_mail.retry_strategy = RetryUnlessRefused(RETRY_PAUSES)
