from typing import ClassVar
from uuid import uuid4

from django.db import models

from alerts.models.channel import FAULT_LENGTH, Channel

WAITING, SENT, FAILED = "waiting", "sent", "failed"


class Delivery(models.Model):
    """One message to one channel. A receiver that gets it twice knows it by the id of its event."""

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    channel = models.ForeignKey(Channel, models.CASCADE, related_name="deliveries")
    event_id = models.UUIDField()
    message = models.JSONField()
    """All that an attempt needs: see `alerts/message.py`."""
    is_test = models.BooleanField(default=False)
    state = models.CharField(max_length=10, default=WAITING, choices=[(name, name) for name in (WAITING, SENT, FAILED)])
    attempts = models.PositiveSmallIntegerField(default=0)
    """Those that have ended."""
    created_at = models.DateTimeField(auto_now_add=True)
    next_at = models.DateTimeField(null=True)
    """When the next attempt is due. None: there is none any more."""
    done = models.JSONField(default=list, blank=True)
    """Who has it already, where a channel has several addresses."""
    ended_at = models.DateTimeField(null=True)
    answer_status = models.PositiveSmallIntegerField(null=True)
    """That of the last answer over HTTP; None where there was none."""
    fault = models.CharField(max_length=FAULT_LENGTH, default="", blank=True)
    """Why the last attempt failed, in a sentence."""

    class Meta:
        ordering: ClassVar = ["-created_at", "-id"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["event_id", "channel"], name="a_channel_is_told_once"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["channel", "-created_at"], name="deliveries_of_a_channel"),
            models.Index(fields=["created_at"], name="old_deliveries"),
            models.Index(fields=["next_at"], condition=models.Q(state=WAITING), name="waiting_deliveries"),
        ]

    def __str__(self) -> str:
        return f"{self.message.get('subject', '')} to {self.channel}"
