from datetime import timedelta
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from workspaces.audit import record
from workspaces.models import ApiKey, Workspace

SCOPES = ("ingest", "read", "write", "content")
KEY_NAME_LENGTH = 100
MAX_DAYS = 3650


class Command(BaseCommand):
    help = "Issues an API key and prints its secret, which cannot be shown again."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("workspace", type=UUID)
        parser.add_argument("name", help="what uses it")
        parser.add_argument("--scopes", default="ingest", help=f"comma-separated, of {', '.join(SCOPES)}")
        parser.add_argument("--expires-days", type=int, default=None)

    def handle(self, *args: Any, **options: Any) -> None:
        scopes = [scope.strip() for scope in options["scopes"].split(",")]
        unknown = sorted(set(scopes) - set(SCOPES))
        if unknown:
            raise CommandError(f"Unknown scope {', '.join(unknown)}; choose from {', '.join(SCOPES)}.")
        if "content" in scopes and "read" not in scopes:
            raise CommandError("A key that reads content also needs the scope read.")
        workspace = Workspace.objects.filter(pk=options["workspace"]).first()
        if workspace is None:
            raise CommandError(f"There is no workspace {options['workspace']}.")
        if not 0 < len(options["name"]) <= KEY_NAME_LENGTH:
            raise CommandError(f"The name must have 1 to {KEY_NAME_LENGTH} characters.")
        days = options["expires_days"]
        if days is not None and not 1 <= days <= MAX_DAYS:
            raise CommandError(f"--expires-days must be 1 to {MAX_DAYS}; without it the key does not expire.")
        expires_at = timezone.now() + timedelta(days=days) if days else None
        _, secret = ApiKey.objects.issue(workspace, options["name"], scopes, expires_at)
        after = {"scopes": scopes, "expires_at": expires_at}
        record(workspace, "command create_api_key", "key.create", options["name"], after=after)
        self.stdout.write(secret)
