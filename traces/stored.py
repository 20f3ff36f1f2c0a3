"""Says what is stored of a workspace."""

from datetime import datetime
from uuid import UUID

from traces.db import rows

OLDEST = """
SELECT timestamp
FROM traces
WHERE workspace_id = %(workspace_id)s
ORDER BY timestamp
LIMIT 1
"""


def oldest_start(workspace_id: UUID) -> datetime | None:
    """Returns when the oldest stored row of the workspace began; None if there is none. An index finds it."""
    found = rows(OLDEST, {"workspace_id": workspace_id})
    return found[0]["timestamp"] if found else None
