from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser

from traces import read_roles
from workspaces.models import Workspace


class Command(BaseCommand):
    help = "Makes a role of the analytics database that reads the views of docs/sql.md, and prints its password once."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="of the role, like metabase")
        parser.add_argument("--workspace", type=UUID, help="the only workspace that it sees; without it: all")
        parser.add_argument("--new-password", action="store_true", help="give a role that exists a new password")
        parser.add_argument("--drop", action="store_true", help="delete the role")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            self.change(options["name"], options["workspace"], options["new_password"], options["drop"])
        except read_roles.ReadRoleError as error:
            raise CommandError(str(error)) from error

    def change(self, name: str, workspace_id: UUID | None, new_password: bool, drop: bool) -> None:
        if drop:
            read_roles.drop(name)
            self.stdout.write(f"The role {name} is deleted.")
            return
        workspace = Workspace.objects.filter(pk=workspace_id).first() if workspace_id else None
        if workspace_id and workspace is None:
            raise CommandError(f"There is no workspace {workspace_id}.")
        password = read_roles.make(name, workspace_id, new_password)
        self.stdout.write(f"The role {name} sees {f'the workspace {workspace}' if workspace else 'all workspaces'}.")
        if password:
            self.stdout.write(f"Its password, which cannot be shown again: {password}")
