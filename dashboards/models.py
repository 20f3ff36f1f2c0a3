from datetime import timedelta
from typing import ClassVar
from uuid import uuid4

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from workspaces.models import Workspace

TITLE_LENGTH, DESCRIPTION_LENGTH = 120, 1000
AUTHOR_LENGTH = 150
FILE_LENGTH = 200
SUMMARY_LENGTH = 300
LONGEST_LINK = timedelta(days=90)


class Visibility(models.TextChoices):
    ME = "me", "Only me"
    WORKSPACE = "workspace", "Everybody in the workspace"


class Dashboard(models.Model):
    """People's own page of panels. Its document is the latest revision's."""

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="dashboards")
    name = models.CharField(max_length=TITLE_LENGTH)
    description = models.CharField(max_length=DESCRIPTION_LENGTH, default="", blank=True)
    document = models.JSONField()
    """As `DashboardDocument.as_json` returns it. The name and the description above are copies, for lists."""
    revision = models.PositiveIntegerField(default=1)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    """Null: somebody who is gone, a key, or a file."""
    made_by = models.CharField(max_length=AUTHOR_LENGTH, default="", blank=True)
    """The owner's name, or that of the key that made it."""
    visibility = models.CharField(max_length=10, choices=Visibility, default=Visibility.WORKSPACE)
    source_file = models.CharField(max_length=FILE_LENGTH, default="", blank=True)
    """The name of the file of DASHBOARDS_DIR that it comes from. Nobody edits such a dashboard here."""
    created_at = models.DateTimeField(auto_now_add=True)
    changed_at = models.DateTimeField()
    changed_by = models.CharField(max_length=AUTHOR_LENGTH, default="", blank=True)

    class Meta:
        ordering: ClassVar = ["name", "created_at"]
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(visibility__in=Visibility.values), name="dashboard_visibility_is_known"),
            models.UniqueConstraint(
                fields=["workspace", "source_file"],
                condition=~Q(source_file=""),
                name="one_dashboard_for_a_file",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_from_file(self) -> bool:
        return bool(self.source_file)

    @property
    def etag(self) -> str:
        return f'"{self.revision}"'


class Star(models.Model):
    """A dashboard that a user wants to find first."""

    dashboard = models.ForeignKey(Dashboard, models.CASCADE, related_name="stars")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["dashboard", "user"], name="one_star_for_a_user"),
        ]

    def __str__(self) -> str:
        return f"{self.user}: {self.dashboard}"


class Revision(models.Model):
    """The document after a change. The newest hundred of a dashboard are stored."""

    dashboard = models.ForeignKey(Dashboard, models.CASCADE, related_name="revisions")
    number = models.PositiveIntegerField()
    document = models.JSONField()
    author = models.CharField(max_length=AUTHOR_LENGTH, default="", blank=True)
    created_at = models.DateTimeField()
    summary = models.CharField(max_length=SUMMARY_LENGTH)
    """Says in words what changed."""

    class Meta:
        ordering: ClassVar = ["-number"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["dashboard", "number"], name="one_revision_of_a_number"),
        ]

    def __str__(self) -> str:
        return f"{self.dashboard} {self.number}"


class PublicLink(models.Model):
    """Lets anyone who has its address read one dashboard until it ends. Only an HMAC of its token is stored."""

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    dashboard = models.ForeignKey(Dashboard, models.CASCADE, related_name="links")
    digest = models.CharField(max_length=64, unique=True)
    may_choose = models.BooleanField(default=False)
    """Whether readers choose the window and the values of variables. If not, they see those of the document."""
    made_by = models.CharField(max_length=AUTHOR_LENGTH)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["-created_at"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(expires_at__lte=models.F("created_at") + LONGEST_LINK), name="public_link_ends_in_time"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.dashboard} until {self.expires_at:%Y-%m-%d}"

    @property
    def is_active(self) -> bool:
        return self.revoked_at is None and self.expires_at > timezone.now()


class SharingPolicy(models.Model):
    """Says whether a workspace allows public links. A workspace without a row does not."""

    workspace = models.OneToOneField(Workspace, models.CASCADE, primary_key=True, related_name="sharing_policy")
    allows_public_links = models.BooleanField(default=False)
    changed_by = models.CharField(max_length=AUTHOR_LENGTH, default="", blank=True)
    changed_at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return f"{self.workspace}: {'public links' if self.allows_public_links else 'no public links'}"
