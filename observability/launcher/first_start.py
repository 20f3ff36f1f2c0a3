"""Creates what is missing at the first start: databases, tables, static files, the demo workspace, an admin.

It is a program of its own, because it needs Django, and its memory is free again when it has ended.
"""

import logging
import secrets
import sys
from io import StringIO
from pathlib import Path

import django
from django.conf import settings
from django.core import checks
from django.core.management import call_command
from django.db import connections

from observability.launcher import embedded
from observability.launcher.environment import show_step
from observability.launcher.exit_code import exit_code
from observability.launcher.reasons import reason_of
from observability.launcher.refused import Refused
from workspaces.demo import DEMO_WORKSPACE_ID


def prepare_data() -> list[str]:
    """Prepares databases and static files. Returns lines with the new secrets, which are never shown again."""
    # The pool warns at each attempt; the one line with the reason is enough.
    logging.getLogger("psycopg.pool").setLevel(logging.CRITICAL)
    show_step("preparing the databases")
    for name in embedded.missing_databases():
        embedded.create_database(name)
    # The functions below import models themselves: none can be imported before this call.
    django.setup()
    is_own = embedded.DATABASES["ANALYTICS_DATABASE_URL"] in embedded.missing_databases()
    for alias in connections:
        # Elsewhere an old process may run beside this one, and `migrate` asks for the refill.
        call_command("migrate", database=alias, verbosity=0, stdout=StringIO() if is_own else None)
    if is_own:
        refill_sums()
    check_static_files()
    collect_static_files()
    lines = [*create_demo_workspace(), *create_admin()]
    connections.close_all()
    for connection in connections.all():
        connection.close_pool()  # type: ignore[attr-defined]
    return lines


def refill_sums() -> None:
    """Has the worker fill the sums that rows of an older version are not in."""
    from traces import refill, tasks

    if refill.is_needed():
        show_step("filling new sums for old rows, beside the running product")
        tasks.begin_refill()


def check_static_files() -> None:
    for fault in checks.run_checks(tags=[checks.Tags.staticfiles]):
        if fault.is_serious():
            raise Refused(str(fault.msg))


def collect_static_files() -> None:
    """Collects the files again only if one is newer than the last collection: compressing takes seconds."""
    from django.contrib.staticfiles.finders import get_finders

    stamp = Path(settings.STATIC_ROOT) / "staticfiles.json"
    newest = max(
        Path(storage.path(name)).stat().st_mtime for finder in get_finders() for name, storage in finder.list([])
    )
    if not stamp.exists() or stamp.stat().st_mtime < newest:
        show_step("collecting static files")
        call_command("collectstatic", interactive=False, clear=True, verbosity=0)


def create_demo_workspace() -> list[str]:
    from budgets.models import Budget
    from workspaces.models import ApiKey, Workspace

    workspace, is_new = Workspace.objects.get_or_create(id=DEMO_WORKSPACE_ID, defaults={"name": "Demo"})
    if not is_new:
        return []
    Budget.objects.create(is_workspace_budget=True, workspace=workspace, amount_usd=1000)
    _, secret = ApiKey.objects.issue(workspace, "made by make run", ["ingest", "read", "write"])
    return [f"API key of the demo workspace, shown once:  {secret}"]


def create_admin() -> list[str]:
    from django.contrib.auth import get_user_model

    users = get_user_model().objects
    if users.filter(is_superuser=True).exists():
        return []
    password = secrets.token_urlsafe(12)
    users.create_superuser("admin", password=password)
    return [f"Admin, shown once:  user admin, password {password}"]


def main() -> None:
    if lines := prepare_data():
        print("\n".join(["", *lines]), flush=True)


if __name__ == "__main__":
    sys.exit(exit_code(main, reason_of))
