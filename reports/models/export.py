"""The exports that were begun: who took which rows, and how far each came."""

from datetime import datetime, timedelta
from typing import Literal
from uuid import uuid4

from django.db import models
from django.utils import timezone

from workspaces.models import Workspace

SILENT_AFTER = timedelta(minutes=2)
"""An export that has not counted on for so long has ended with its process."""
State = Literal["running", "complete", "cut off"]


class Export(models.Model):
    """One file of rows, which a person or a key downloaded."""

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="exports")
    kind = models.CharField(max_length=16)
    file_format = models.CharField(max_length=8)
    file_name = models.CharField(max_length=200)
    has_content = models.BooleanField(default=False)
    by = models.CharField(max_length=200)
    """The credential: a user's name, or `key aop_ab12cd34`."""
    rows = models.BigIntegerField(default=0)
    """So many rows were sent, or written into a table that is sent when it is whole."""
    started_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(default=timezone.now)
    ended_at = models.DateTimeField(null=True)
    is_complete = models.BooleanField(default=False)

    class Meta:
        indexes = (models.Index(fields=("workspace", "-started_at"), name="reports_export_newest"),)

    def __str__(self) -> str:
        return f"{self.file_name} by {self.by}"

    @property
    def state(self) -> State:
        return self.state_at(timezone.now())

    def state_at(self, now: datetime) -> State:
        if self.ended_at is None and now - self.updated_at < SILENT_AFTER:
            return "running"
        return "complete" if self.is_complete else "cut off"
