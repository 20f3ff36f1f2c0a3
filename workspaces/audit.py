"""Records who changed what in a workspace, with the values before and after, and never a secret.

The functions that make a change call `record` in its transaction. An action is named like `key.revoke`: the kind of
what was changed, and a verb. Changes in the admin are recorded by `workspaces/admin_audit.py`.
"""

import re
from collections.abc import Mapping
from typing import Any

from workspaces.models import AuditEntry, Workspace

Values = Mapping[str, Any]

ACTOR_LENGTH, ACTION_LENGTH, SUBJECT_LENGTH = 200, 60, 300
SECRET_NAME = re.compile(r"password|secret|digest|token|sealed|private|credential", re.IGNORECASE)
HIDDEN = "not shown"


def record(
    workspace: Workspace | None,
    actor: str,
    action: str,
    subject: str,
    before: Values | None = None,
    after: Values | None = None,
    in_admin: bool = False,
) -> AuditEntry | None:
    """Stores an entry. Of a change, which has both `before` and `after`, it stores the values that differ.

    Returns None where they are all equal: then nothing was changed, and nothing is stored.
    """
    if before is not None and after is not None:
        before, after = difference(before, after)
        if not before and not after:
            return None
    return AuditEntry.objects.create(
        workspace=workspace,
        actor=actor[:ACTOR_LENGTH],
        action=action[:ACTION_LENGTH],
        subject=subject[:SUBJECT_LENGTH],
        before=without_secrets(before),
        after=without_secrets(after),
        in_admin=in_admin,
    )


def difference(before: Values, after: Values) -> tuple[Values, Values]:
    """Returns the values of both that the other one does not have."""
    return (
        {name: value for name, value in before.items() if name not in after or after[name] != value},
        {name: value for name, value in after.items() if name not in before or before[name] != value},
    )


def without_secrets(values: Any) -> Any:
    """Replaces the values whose names speak of secrets, at any depth."""
    if isinstance(values, Mapping):
        return {
            name: HIDDEN if value and SECRET_NAME.search(str(name)) else without_secrets(value)
            for name, value in values.items()
        }
    if isinstance(values, list | tuple):
        return [without_secrets(value) for value in values]
    return values
