import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, ClassVar
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.serializers.json import DjangoJSONEncoder
from django.db import Error as DatabaseError
from django.db import connections, models
from django.db.models import Q
from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver
from django.utils import timezone

from web.keyed_digests import keyed_digests
from workspaces.label_limits import LABEL_LENGTH, MAX_LABELS, MAX_SOURCES
from workspaces.time_zones import time_zones

KEY_START = "aop_"
PREFIX_LENGTH = len(KEY_START) + 8
USE_RECORDED_EVERY = timedelta(minutes=1)
CLOCK_FAULT_SHOWN_FOR = timedelta(days=1)
CLIENT_LENGTH = AUTHOR_LENGTH = 200


class ContentPolicy(models.TextChoices):
    """Who sees prompts, answers and tool results."""

    MEMBERS = "members", "All members"
    EDITORS = "editors", "Editors and owners"
    NOBODY = "nobody", "Nobody"


class Workspace(models.Model):
    """A tenant: every trace, key, member and budget belongs to one."""

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    name = models.CharField(max_length=100)
    time_zone = models.CharField(
        max_length=64,
        default="UTC",
        help_text="Like Europe/Berlin. Months begin in this zone, and times are shown in it.",
    )
    store_content = models.BooleanField(
        default=True, help_text="Store prompts and completions of its spans. Numbers are always stored."
    )
    content_visible_to = models.CharField(
        max_length=10,
        choices=ContentPolicy,
        default=ContentPolicy.MEMBERS,
        help_text="Who sees stored prompts and completions. An API key also needs the scope content.",
    )
    requires_second_factor = models.BooleanField(
        default=False,
        db_default=False,
        help_text="Members see it only with a second factor: an authenticator app or a passkey. Keys need none.",
    )
    # Empty for those that an operator has made in the admin or by a command.
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, editable=False, related_name="workspaces_made"
    )
    contents_deleted_until = models.DateTimeField(null=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    # A part of the key of all that is cached. It changes with a budget, a price or a time zone, on which that depends.
    epoch = models.UUIDField(default=uuid4, editable=False)

    class Meta:
        ordering: ClassVar = ["name", "id"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(content_visible_to__in=ContentPolicy.values), name="content_policy_is_known"
            )
        ]

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.epoch = uuid4()
        super().save(*args, **kwargs)

    @classmethod
    def change_epoch(cls, workspace_id: UUID) -> None:
        """Makes everything that is cached for the workspace stale, when the running transaction is committed."""
        cls.objects.filter(pk=workspace_id).update(epoch=uuid4())

    def clean(self) -> None:
        # Not a validator of the field: its migration would import this module, and migrations import no live code.
        if not is_time_zone(self.time_zone):
            message = f"{self.time_zone} is no time zone; write it like Europe/Berlin."
            raise ValidationError({"time_zone": message})

    @property
    def is_open(self) -> bool:
        """Returns whether the workspace needs no credential, as on a laptop. Production refuses such workspaces."""
        return self.pk in settings.OPEN_WORKSPACE_IDS

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)


def is_time_zone(name: str) -> bool:
    """Returns whether the name is a zone, for Python and for the database that computes months in it."""
    if name not in time_zones():
        return False
    try:
        with connections["analytics"].cursor() as cursor:
            cursor.execute("SELECT EXISTS (SELECT FROM pg_timezone_names WHERE name = %s)", [name])
            return bool(cursor.fetchone()[0])
    except DatabaseError:
        return True  # An unreachable database must not stop the admin. Nearly every version knows nearly every zone.


def workspace_zones() -> dict[str, ZoneInfo]:
    """Returns the time zones in which workspaces are, and always UTC."""
    names = Workspace.objects.order_by().values_list("time_zone", flat=True).distinct()
    # This machine may know fewer zones than the one on which a workspace was made.
    return {name: ZoneInfo(name) for name in {"UTC", *names} & time_zones()}


class Role(models.TextChoices):
    VIEWER = "viewer", "Viewer: reads"
    EDITOR = "editor", "Editor: reads and sets budgets"
    OWNER = "owner", "Owner: the same as an editor, and manages members and keys"


RANKS: dict[str, int] = {Role.VIEWER: 0, Role.EDITOR: 1, Role.OWNER: 2}


class NamedMemberships(models.Manager["Membership"]):
    """Loads the user and workspace that name a membership.

    Otherwise the page that confirms the deletion of a thousand memberships takes a thousand queries.
    """

    def get_queryset(self) -> models.QuerySet["Membership"]:
        return super().get_queryset().select_related("user", "workspace")


class Membership(models.Model):
    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="memberships")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=10, choices=Role, default=Role.VIEWER)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = models.Manager()
    named = NamedMemberships()

    class Meta:
        base_manager_name = "named"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["workspace", "user"], name="one_membership_per_workspace"),
            models.CheckConstraint(condition=Q(role__in=Role.values), name="membership_role_is_known"),
        ]

    def __str__(self) -> str:
        return f"{self.user} in {self.workspace}"


def key_digests(secret: str) -> list[str]:
    return keyed_digests("workspaces.ApiKey", secret)


def columns_of(model: type[models.Model]) -> list[str]:
    return [field.attname for field in model._meta.concrete_fields]


class ApiKeyManager(models.Manager["ApiKey"]):
    def issue(
        self,
        workspace: Workspace,
        name: str,
        scopes: Sequence[str],
        expires_at: datetime | None = None,
        **more: Any,
    ) -> tuple["ApiKey", str]:
        """Creates a key. Returns it with its secret, which nothing can show again."""
        secret = KEY_START + secrets.token_urlsafe(32)
        key = self.create(
            workspace=workspace,
            name=name,
            prefix=secret[:PREFIX_LENGTH],
            digest=key_digests(secret)[0],
            can_ingest="ingest" in scopes,
            can_read="read" in scopes,
            can_write="write" in scopes,
            can_read_content="content" in scopes,
            expires_at=expires_at,
            **more,
        )
        return key, secret

    def find_valid(self, secret: str) -> "ApiKey | None":
        """Returns the valid key with this secret; None for an unknown, expired or revoked one."""
        if not secret.isascii():  # no key is; and some of these texts cannot be encoded
            return None
        with connections[self.db].cursor() as cursor:
            cursor.execute(KEY_BY_DIGEST, [key_digests(secret)])
            values = cursor.fetchone()
        if values is None:
            return None
        key = ApiKey.from_db(self.db, KEY_COLUMNS, values[: len(KEY_COLUMNS)])
        key.workspace = Workspace.from_db(self.db, WORKSPACE_COLUMNS, values[len(KEY_COLUMNS) :])
        return key if key.is_valid else None


class ApiKey(models.Model):
    """A key of a client. Only an HMAC of its secret is stored, so a reader of this table cannot use any key."""

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="api_keys")
    name = models.CharField(max_length=100, help_text="What uses it, like “checkout agent, production”.")
    prefix = models.CharField(max_length=PREFIX_LENGTH, editable=False)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    can_ingest = models.BooleanField("ingest", default=True, help_text="May send traces.")
    can_read = models.BooleanField("read", default=False, help_text="May read every metric.")
    can_write = models.BooleanField("write", default=False, help_text="May set the budget.")
    can_read_content = models.BooleanField(
        "content", default=False, help_text="May read prompts and completions, with the scope read."
    )
    expires_at = models.DateTimeField(null=True, blank=True, help_text="Empty: never.")
    revoked_at = models.DateTimeField(null=True, blank=True, editable=False)
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)
    # The program that used it last, as its User-Agent names it.
    last_used_by = models.CharField(
        max_length=CLIENT_LENGTH, default="", db_default="", blank=True, editable=False, verbose_name="last client"
    )
    created_by = models.CharField(max_length=AUTHOR_LENGTH, default="", db_default="", blank=True, editable=False)
    # The key that takes its place after a rotation. Until it expires, both work.
    replaced_by = models.OneToOneField(
        "self", models.SET_NULL, null=True, blank=True, editable=False, related_name="replaces"
    )
    # When spans sent with it were last refused because they began too far in the future, and by how much.
    ahead_at = models.DateTimeField(null=True, blank=True, editable=False)
    seconds_ahead = models.FloatField(null=True, blank=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = ApiKeyManager()

    class Meta:
        verbose_name = "API key"
        ordering: ClassVar = ["-created_at"]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"

    @property
    def is_valid(self) -> bool:
        return not self.revoked_at and (self.expires_at is None or self.expires_at > timezone.now())

    @property
    def state(self) -> str:
        if self.revoked_at:
            return "revoked"
        return "valid" if self.is_valid else "expired"

    @property
    def scopes(self) -> frozenset[str]:
        granted = {
            "ingest": self.can_ingest,
            "read": self.can_read,
            "write": self.can_write,
            "content": self.can_read_content,
        }
        return frozenset(scope for scope, is_granted in granted.items() if is_granted)

    def record_use(self, client: str = "") -> None:
        """Stores the time of use and the client, at most once a minute."""
        now = timezone.now()
        if self.last_used_at is None or now - self.last_used_at > USE_RECORDED_EVERY:
            name = client.replace("\0", "")[:CLIENT_LENGTH]
            # The old time is part of the condition: of many requests at once only the first writes.
            unchanged = ApiKey.objects.filter(pk=self.pk, last_used_at=self.last_used_at)
            unchanged.update(last_used_at=now, last_used_by=name)

    def record_clock_ahead(self, seconds: float) -> None:
        """Stores that a client with this key has a clock that is ahead, at most once a minute."""
        now = timezone.now()
        if self.ahead_at is None or now - self.ahead_at > USE_RECORDED_EVERY:
            ApiKey.objects.filter(pk=self.pk, ahead_at=self.ahead_at).update(ahead_at=now, seconds_ahead=seconds)

    @property
    def clock_fault(self) -> str:
        """Returns in words that a client's clock was ahead within the last day; else nothing."""
        if self.ahead_at is None or timezone.now() - self.ahead_at > CLOCK_FAULT_SHOWN_FOR:
            return ""
        minutes = round((self.seconds_ahead or 0) / 60)
        return f"A client's clock is {minutes:,} min ahead: its spans are refused (last at {self.ahead_at:%H:%M} UTC)."


KEY_COLUMNS = columns_of(ApiKey)
WORKSPACE_COLUMNS = columns_of(Workspace)
KEY_BY_DIGEST_TEMPLATE = """
SELECT {columns}
FROM {keys} AS api_key
JOIN {workspaces} AS workspace ON workspace.id = api_key.workspace_id
WHERE api_key.digest = ANY(%s)
"""
# Every request with a key runs this query. The ORM would take ten times as long to make it as PostgreSQL to answer.
KEY_BY_DIGEST = KEY_BY_DIGEST_TEMPLATE.format(
    columns=", ".join(
        [f"api_key.{name}" for name in KEY_COLUMNS] + [f"workspace.{name}" for name in WORKSPACE_COLUMNS]
    ),
    keys=ApiKey._meta.db_table,
    workspaces=Workspace._meta.db_table,
)


class LabelSource(models.Model):
    """An attribute of spans whose values become a label. Of several with the same label the oldest source wins."""

    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="label_sources")
    attribute = models.CharField(
        max_length=LABEL_LENGTH,
        help_text="Like metadata.customer, for an attribute of this name and for customer inside metadata. Like"
        " langfuse.trace.tags.customer for tags like customer:acme.",
    )
    label = models.CharField(max_length=LABEL_LENGTH, help_text="Like customer.")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering: ClassVar = ["id"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["workspace", "attribute"],
                name="one_label_for_an_attribute",
                violation_error_message="This attribute has a label already. Remove that choice first.",
            )
        ]

    def __str__(self) -> str:
        return f"{self.attribute} = {self.label}"

    def clean(self) -> None:
        errors = {name: error for name in ("attribute", "label") if (error := name_error(getattr(self, name)))}
        if errors:
            raise ValidationError(errors)
        if self.workspace_id:
            self.check_limits()

    def check_limits(self) -> None:
        others = LabelSource.objects.filter(workspace=self.workspace_id).exclude(pk=self.pk)
        labels = {*others.values_list("label", flat=True), self.label}
        if len(labels) > MAX_LABELS:
            raise ValidationError({"label": f"A workspace has at most {MAX_LABELS} labels. Remove another one first."})
        if others.count() >= MAX_SOURCES:
            message = f"A workspace chooses at most {MAX_SOURCES} attributes. Remove another one first."
            raise ValidationError({"attribute": message})


def name_error(name: str) -> str | None:
    """Returns in words why the text cannot be the name of an attribute or a label."""
    if not name.strip() or name != name.strip():
        return "must be a text without spaces around it"
    if not name.isprintable():
        return "must not have line breaks and other characters that nobody sees"
    return f"must have at most {LABEL_LENGTH} bytes" if len(name.encode()) > LABEL_LENGTH else None


@receiver([post_save, post_delete], sender=LabelSource)
def invalidate_label_sources(instance: LabelSource, **signal: Any) -> None:
    """Changes the workspace's epoch in the same transaction, so that the next spans have the new labels."""
    Workspace.change_epoch(instance.workspace_id)


class AnnotationKind(models.TextChoices):
    DEPLOY = "deploy", "Deploy"
    LAUNCH = "launch", "Launch"
    PLANNED = "planned", "Planned load"
    NOTE = "note", "Note"


class Annotation(models.Model):
    """What happened at a time: charts show it, and a planned load is left out of what is learnt from the past."""

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="annotations")
    kind = models.CharField(max_length=10, choices=AnnotationKind)
    label = models.CharField(max_length=100)
    text = models.CharField(max_length=2000, blank=True)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField(null=True, blank=True, help_text="Empty: it is a moment.")
    # Like {"agent_id": ["support"]}: what it is about. Empty: everything.
    filters = models.JSONField(default=dict, blank=True)
    author = models.CharField(max_length=150, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering: ClassVar = ["-starts_at", "id"]
        indexes: ClassVar = [models.Index(fields=["workspace", "starts_at"], name="annotations_by_start")]
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(kind__in=AnnotationKind.values), name="annotation_kind_is_known"),
            models.CheckConstraint(
                condition=Q(ends_at__isnull=True) | Q(ends_at__gt=models.F("starts_at")), name="annotation_ends_later"
            ),
            models.CheckConstraint(
                condition=~Q(kind="planned") | Q(ends_at__isnull=False), name="planned_annotation_has_end"
            ),
        ]

    def __str__(self) -> str:
        return self.label


@receiver([post_save, post_delete], sender=Annotation)
def invalidate_annotations(instance: Annotation, **signal: Any) -> None:
    """Changes the workspace's epoch in the same transaction: charts and forecasts depend on annotations."""
    Workspace.change_epoch(instance.workspace_id)


class Invitation(models.Model):
    """An offer to become a member with a role. Whoever has its link may accept it, once.

    The link holds a token. Only its hash is stored: see `workspaces/invitations.py`.
    """

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="invitations")
    # Where its link is sent. Empty: the inviter passes the link on.
    email = models.EmailField(blank=True)
    role = models.CharField(max_length=10, choices=Role)
    # Changes whenever a new link is made. With SECRET_KEY it makes the token.
    salt = models.CharField(max_length=32, editable=False)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    invited_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)
    times_sent = models.PositiveSmallIntegerField(default=0)
    revoked_at = models.DateTimeField(null=True)
    accepted_at = models.DateTimeField(null=True)
    accepted_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")

    class Meta:
        ordering: ClassVar = ["-created_at", "id"]
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(role__in=Role.values), name="invitation_role_is_known"),
        ]

    def __str__(self) -> str:
        return f"{self.email or 'whoever has the link'}, as {self.role}"

    @property
    def state(self) -> str:
        if self.accepted_at:
            return "accepted"
        if self.revoked_at:
            return "revoked"
        return "open" if self.expires_at > timezone.now() else "expired"


class AuditEntry(models.Model):
    """Who changed what, and when. Only `workspaces.audit.record` makes one, and nothing changes it."""

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    # Empty for what belongs to no workspace, like users in the admin.
    workspace = models.ForeignKey(Workspace, models.CASCADE, null=True, related_name="audit_entries")
    at = models.DateTimeField(default=timezone.now)
    actor = models.CharField(max_length=200)
    action = models.CharField(max_length=60)
    subject = models.CharField(max_length=300)
    before = models.JSONField(null=True, encoder=DjangoJSONEncoder)
    after = models.JSONField(null=True, encoder=DjangoJSONEncoder)
    in_admin = models.BooleanField(default=False)

    class Meta:
        verbose_name_plural = "audit entries"
        ordering: ClassVar = ["-at", "-id"]
        indexes: ClassVar = [models.Index(fields=["workspace", "-at", "-id"], name="audit_entries_newest_first")]

    def __str__(self) -> str:
        return f"{self.actor}: {self.action} {self.subject}"


def workspaces_of(user: Any) -> models.QuerySet[Workspace]:
    """Returns every workspace for a superuser; for anyone else those that they are a member of."""
    if getattr(user, "is_superuser", False):
        return Workspace.objects.all()
    return Workspace.objects.filter(memberships__user=user)
