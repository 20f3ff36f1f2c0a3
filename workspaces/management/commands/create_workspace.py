from typing import Any
from uuid import UUID, uuid4

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser

from workspaces.audit import record
from workspaces.models import Workspace


class Command(BaseCommand):
    help = "Creates a workspace and prints its id."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name")
        parser.add_argument("--id", type=UUID, default=None, help="a UUID of your own")
        parser.add_argument("--time-zone", default="UTC", help="like Europe/Berlin")

    def handle(self, *args: Any, **options: Any) -> None:
        workspace = Workspace(id=options["id"] or uuid4(), name=options["name"], time_zone=options["time_zone"])
        try:
            workspace.full_clean()
        except ValidationError as error:
            raise CommandError("; ".join(error.messages)) from error
        workspace.save(force_insert=True)
        after = {"name": workspace.name, "time_zone": workspace.time_zone}
        record(workspace, "command create_workspace", "workspace.create", workspace.name, after=after)
        self.stdout.write(str(workspace.id))
