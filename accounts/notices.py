"""Sends people an email about each change of their sign-in, so that they notice a change by somebody else."""

from typing import Any
from uuid import uuid4

from accounts.mails import NOTICE, NOTICES
from web import mail


def send_notice(user: Any, change: str) -> None:
    """Sends the message about a change that `NOTICES` names; nothing for other changes and people without address."""
    if user.email and change in NOTICES:
        mail.send(NOTICE, to=user.email, key=f"account-{uuid4().hex}", user_id=user.pk, change=change)
