"""The background work of this app."""

from collections.abc import Mapping
from typing import Any

from web import mail
from web.mail import messages
from web.mail.delivery import deliver
from web.mail.templates import mail_templates
from web.queue import task


@task(mail.TASK)
def send_mail(template: str, to: str, key: str, arguments: Mapping[str, Any]) -> None:
    """Sends a message by email."""
    mail_template = mail_templates()[template]
    context = mail_template.context(**arguments)
    if context is not None:
        deliver(messages.message(messages.render(mail_template, context), to, key))
