"""Makes a message of a template: its subject, its HTML part, and the plain-text part that is made from that."""

from typing import NamedTuple

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.utils.crypto import salted_hmac

from web.mail.plain_text import text_parts
from web.mail.templates import Context, MailTemplate


class Parts(NamedTuple):
    subject: str
    text: str
    html: str


def render(template: MailTemplate, context: Context) -> Parts:
    html = render_to_string(f"mail/{template.name}.html", {"public_url": settings.PUBLIC_URL, **context})
    return Parts(*text_parts(html), html)


def message(parts: Parts, to: str, key: str) -> EmailMultiAlternatives:
    headers = {"Message-ID": message_id(key, to), "Auto-Submitted": "auto-generated"}
    made = EmailMultiAlternatives(parts.subject, parts.text, settings.DEFAULT_FROM_EMAIL, [to], headers=headers)
    made.attach_alternative(parts.html, "text/html")
    return made


def message_id(key: str, to: str) -> str:
    """Returns the same id for the same key and address, and another one in every installation.

    Mail programs show a message once when it is delivered again, after a worker has died between sending it and
    recording that.
    """
    digest = salted_hmac("web.mail.message_id", f"{key}\n{to}", algorithm="sha256").hexdigest()[:40]
    domain = settings.DEFAULT_FROM_EMAIL.rpartition("@")[2].strip("<> ")
    return f"<{digest}@{domain}>"
