from typing import Any

from django.apps import AppConfig
from django.db import DEFAULT_DB_ALIAS, transaction
from django.db.models.signals import post_migrate, post_save


class DashboardsConfig(AppConfig):
    name = "dashboards"
    verbose_name = "Dashboards"
    api_operations = ("dashboards.operations.operations",)
    """Functions that return operations of the API document, by their paths: see `analytics/openapi.py`."""

    def ready(self) -> None:
        from dashboards import report  # noqa: F401 (it registers a kind of report)

        # Every way to start the product migrates first.
        post_migrate.connect(seed_all, sender=self)
        post_save.connect(seed_new_workspace, sender="workspaces.Workspace")


def seed_all(using: str, **signal: Any) -> None:
    """Makes the dashboards of DASHBOARDS_DIR."""
    from dashboards.seeds import seed  # models are not loaded yet when this module is

    if using == DEFAULT_DB_ALIAS:
        seed()


def seed_new_workspace(instance: Any, created: bool, **signal: Any) -> None:
    """Gives a new workspace the dashboards of DASHBOARDS_DIR."""
    from dashboards.seeds import seed
    from workspaces.models import Workspace

    if created:
        transaction.on_commit(lambda: seed(Workspace.objects.filter(pk=instance.pk)), robust=True)
