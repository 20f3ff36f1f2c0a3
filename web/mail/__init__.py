"""Puts messages into the queue, from which a worker sends them by email.

A message is a template with arguments: `send(INVITED, to=address, key=f"invitation-{id}", invitation_id=id)`. It is
rendered when it is sent. So a job holds ids and no text: its arguments stay in the database for weeks, where a link
that signs somebody in must not be.
"""

from typing import Any

import orjson
from django.conf import settings
from django.core.validators import validate_email
from procrastinate.contrib.django import app

from web.mail.templates import MailTemplate

TASK = "web.send_mail"
MAX_ARGUMENTS_BYTES = 4096
MAX_KEY_LENGTH = 200


def is_on() -> bool:
    """Returns whether the product can send messages. A page that offers to send one asks first."""
    return bool(settings.MAIL_IS_ON)


def send(template: MailTemplate, to: str, key: str, **arguments: Any) -> int | None:
    """Puts a message into the queue, in the transaction of the caller. Returns its job; None while mail is off.

    `to` is one address. `key` names what the message is about, like `invitation-7`: the message has the same
    Message-ID whenever it is sent again with this key to this address. `arguments` are small JSON values, from which
    `template.context` reads what the template shows.
    """
    validate_email(to)
    if not 0 < len(key) <= MAX_KEY_LENGTH:
        raise ValueError(f"A key has 1 to {MAX_KEY_LENGTH} characters.")
    if len(orjson.dumps(arguments)) > MAX_ARGUMENTS_BYTES:
        raise ValueError(f"The arguments of a message have at most {MAX_ARGUMENTS_BYTES} bytes. Give ids, not texts.")
    if not is_on():
        return None
    # By its name, because the module of the task imports from this package.
    job = app.configure_task(TASK)
    return job.defer(template=template.name, to=to, key=key, arguments=arguments)
