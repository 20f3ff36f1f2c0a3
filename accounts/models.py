from typing import ClassVar
from uuid import uuid4

from django.conf import settings
from django.db import models

from workspaces.models import Membership

AGENT_LENGTH = 300


class Theme(models.TextChoices):
    SYSTEM = "", "As the system"
    LIGHT = "light", "Light"
    DARK = "dark", "Dark"


class Profile(models.Model):
    """What a person has chosen for themselves, in every workspace."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE, primary_key=True, related_name="profile")
    time_zone = models.CharField(max_length=64, blank=True)
    """Empty: that of the workspace."""
    theme = models.CharField(max_length=10, blank=True, choices=Theme)
    reset_sent_at = models.DateTimeField(null=True, editable=False)

    def __str__(self) -> str:
        return str(self.user)


class SignedInSession(models.Model):
    """A browser in which somebody is signed in."""

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="signed_in_sessions")
    session_key = models.CharField(max_length=40, unique=True)
    user_agent = models.CharField(max_length=AGENT_LENGTH, blank=True)
    address = models.GenericIPAddressField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)
    last_used_at = models.DateTimeField()

    class Meta:
        ordering: ClassVar = ["-last_used_at", "id"]

    def __str__(self) -> str:
        return f"{self.user}, {self.last_used_at:%Y-%m-%d %H:%M}"


class EmailChange(models.Model):
    """A new address that waits until somebody has confirmed it at both addresses."""

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE, related_name="email_change")
    old_address = models.EmailField(blank=True)
    new_address = models.EmailField()
    old_confirmed_at = models.DateTimeField(null=True)
    new_confirmed_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"{self.user} to {self.new_address}"


class ProviderAccess(models.Model):
    """When the provider of the sign-in last confirmed a person's groups, and the tokens to ask it again."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE, related_name="provider_access")
    sealed_tokens = models.TextField(blank=True)
    checked_at = models.DateTimeField()

    def __str__(self) -> str:
        return str(self.user)


class GroupGrant(models.Model):
    """Says that a membership comes from a group of the provider, and goes with it."""

    membership = models.OneToOneField(Membership, models.CASCADE, related_name="group_grant")
    group = models.CharField(max_length=200)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"{self.membership} by {self.group}"
