from typing import ClassVar
from uuid import uuid4

from django.db import models

from workspaces.models import Workspace

NAME_LENGTH, AUTHOR_LENGTH, HINT_LENGTH, FAULT_LENGTH = 100, 200, 200, 300


class Channel(models.Model):
    """A place to which a workspace sends messages: email addresses, a chat room, a webhook."""

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="channels")
    name = models.CharField(max_length=NAME_LENGTH)
    kind = models.CharField(max_length=20)
    """The name of a file in alerts/channels/."""
    options = models.JSONField(default=dict, blank=True)
    """What everybody may see, like the addresses of email."""
    secret = models.TextField(default="", blank=True)
    """What nobody may see again, as encrypted JSON; empty where the kind has no secret."""
    hint = models.CharField(max_length=HINT_LENGTH, default="", blank=True)
    """What is shown of the secret, like https://hooks.slack.com/…a1b2."""
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.CharField(max_length=AUTHOR_LENGTH, default="", blank=True)
    updated_at = models.DateTimeField(auto_now=True)
    failing_since = models.DateTimeField(null=True, editable=False)
    """The first attempt that failed since the last one that did not. None: the last attempt succeeded."""
    fault = models.CharField(max_length=FAULT_LENGTH, default="", blank=True, editable=False)
    """What the last attempt that failed has met."""
    rests_until = models.DateTimeField(null=True, editable=False)
    """It did not answer in time. Until then nothing is sent to it, so that it does not hold up the others."""

    class Meta:
        ordering: ClassVar = ["name", "created_at"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["workspace", "name"], name="one_channel_of_a_name"),
        ]

    def __str__(self) -> str:
        return self.name
