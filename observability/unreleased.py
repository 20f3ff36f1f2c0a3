"""Recognises a database that was made before version 0.1.0: no migration can upgrade its schema."""

from django.core.management import CommandError
from django.db import connections
from django.db.migrations.recorder import MigrationRecorder

# Migrations that were never released. A database that has applied one of them has tables that no version knows.
UNRELEASED = {("analytics", "0001_traces"), ("ingest", "0001_price_overrides"), ("workspaces", "0002_store_content")}
VARIABLES = {"default": "DATABASE_URL", "analytics": "ANALYTICS_DATABASE_URL"}


def refuse_unreleased(alias: str) -> None:
    """Raises a CommandError that says what to do, before anything in the database is changed."""
    if UNRELEASED.isdisjoint(MigrationRecorder(connections[alias]).applied_migrations()):
        return
    raise CommandError(
        "This database was made by a version before 0.1.0, which cannot be upgraded: "
        f"move var/postgres away, or name an empty database in {VARIABLES[alias]}."
    )
