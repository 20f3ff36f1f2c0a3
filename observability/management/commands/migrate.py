from typing import Any

from django.core.management.commands import migrate

from observability.unreleased import refuse_unreleased
from traces.refill import workspaces_to_refill

REFILL = (
    "Rows of {count} workspaces are not in all sums yet. When no process of the old version runs any more, start "
    "`manage.py refill`. Until then filtered questions are slower, and find nothing in days whose rows are deleted."
)


class Command(migrate.Command):
    """Migrates as Django's command does, but first refuses a database that was made before version 0.1.0.

    It says when stored rows need a refill.
    """

    def handle(self, *args: Any, **options: Any) -> None:
        refuse_unreleased(options["database"])
        super().handle(*args, **options)
        if options["database"] == "analytics" and not options["app_label"]:
            self.show_refill()

    def show_refill(self) -> None:
        if workspaces := workspaces_to_refill():
            self.stdout.write(REFILL.format(count=len(workspaces)))
