from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from ingest.label_sources import add_label_source, remove_label
from workspaces.models import Workspace

COMMAND = "manage.py labels"


class Command(BaseCommand):
    help = "Shows which attributes become labels of a workspace's spans; --add and --remove change it."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("workspace", type=UUID)
        parser.add_argument(
            "--add", action="append", default=[], metavar="ATTRIBUTE=LABEL", help="like metadata.customer=customer"
        )
        parser.add_argument(
            "--remove", action="append", default=[], metavar="LABEL", help="no attribute becomes this label any more"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        workspace = Workspace.objects.filter(pk=options["workspace"]).first()
        if workspace is None:
            raise CommandError(f"There is no workspace {options['workspace']}.")
        with transaction.atomic():
            for label in options["remove"]:
                change(label, remove_label, workspace, label, COMMAND)
            for text in options["add"]:
                attribute, _, label = text.rpartition("=")
                change(text, add_label_source, workspace, attribute, label, COMMAND)
        for source in workspace.label_sources.all():
            self.stdout.write(str(source))


def change(text: str, function: Any, *args: Any) -> None:
    try:
        function(*args)
    except ValidationError as error:
        raise CommandError(f"{text}: {'; '.join(error.messages)}") from error
