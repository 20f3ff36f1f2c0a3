"""What differs between the engines of the analytics database."""

from datetime import datetime
from uuid import UUID

from analytics.db import rows
from analytics.filters import EARLIEST
from analytics.rollups import CLOSED_BEFORE


def days_until(workspace_id: UUID) -> datetime:
    """From where on days are not summed yet. It only ever moves forward, and hours stay beside their days."""
    found = rows(CLOSED_BEFORE, {"workspace_id": workspace_id})
    return found[0]["closed_before"] if found else EARLIEST
