"""The templates of messages: each app registers its own in its `mails.py`, with a sample for the preview."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.utils.module_loading import autodiscover_modules

Context = Mapping[str, Any]


@dataclass(frozen=True)
class MailTemplate:
    """The kind of a message. `templates/mail/<name>.html` is both its parts and its subject."""

    name: str
    title: str
    """For the list of previews, like "Invitation"."""
    context: Callable[..., Context | None]
    """Reads what the template shows from the arguments of the job. None: there is nothing to send any more."""
    sample: Callable[[], Context]
    """Returns made-up values for the preview. It reads no database."""


_registered: dict[str, MailTemplate] = {}


def register(template: MailTemplate) -> MailTemplate:
    if _registered.setdefault(template.name, template) != template:
        raise ValueError(f"There are two mail templates with the name {template.name}.")
    return template


@cache
def mail_templates() -> Mapping[str, MailTemplate]:
    """Returns the templates of all apps by name."""
    autodiscover_modules("mails")
    return dict(sorted(_registered.items()))
