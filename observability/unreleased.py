"""Recognises a database that was made before version 0.1.0: no migration can upgrade its schema."""

from hashlib import sha256

from django.apps import apps
from django.conf import settings
from django.core.management import CommandError
from django.db import connections, router
from django.db.backends.utils import CursorWrapper
from django.db.migrations.loader import MigrationLoader

# Migrations that were never released. A database that has applied one of them has tables that no version knows.
UNRELEASED = {("analytics", "0001_traces"), ("ingest", "0001_price_overrides"), ("workspaces", "0002_store_content")}
VARIABLES = {"default": "DATABASE_URL", "analytics": "ANALYTICS_DATABASE_URL"}
# The migrations of `traces` until 0.1.0 note the hash of their file in the comment of a table.
NOTES = {"0001_initial": "user_numbers", "0002_followers": "label_values"}
SCHEMA_HASH = "SELECT obj_description(to_regclass(%s), 'pg_class')"


def refuse_unreleased(alias: str) -> None:
    """Raises a CommandError that says what to do, before anything in the database is changed."""
    loader = MigrationLoader(connections[alias])
    applied = set(loader.applied_migrations)
    if UNRELEASED.isdisjoint(applied) and has_todays_traces(alias, applied) and has_todays_models(alias, loader):
        return
    raise CommandError(
        "This database was made by a version before 0.1.0, which cannot be upgraded: "
        f"move var/postgres away, or name an empty database in {VARIABLES[alias]}."
    )


def has_todays_traces(alias: str, applied: set[tuple[str, str]]) -> bool:
    """Returns whether the migrations of `traces` that are applied had the files that they have now."""
    if alias != "analytics":
        return True
    with connections[alias].cursor() as cursor:
        return all(has_todays_file(cursor, name) for name in NOTES if ("traces", name) in applied)


def has_todays_file(cursor: CursorWrapper, migration: str) -> bool:
    cursor.execute(SCHEMA_HASH, [NOTES[migration]])
    [(note,)] = cursor.fetchall()
    files = (settings.BASE_DIR / "traces/migrations/sql").glob(f"{migration[:4]}_*.sql")
    return note in {f"schema: {sha256(file.read_bytes()).hexdigest()}" for file in files}


def has_todays_models(alias: str, loader: MigrationLoader) -> bool:
    """Returns whether the tables of the apps whose migrations are all applied have the columns of the models."""
    missing = {app for app, name in loader.graph.nodes if (app, name) not in loader.applied_migrations}
    with connections[alias].cursor() as cursor:
        tables = set(connections[alias].introspection.table_names(cursor))
        for model in apps.get_models():
            table, is_here = model._meta.db_table, router.allow_migrate_model(alias, model)
            if is_here and table in tables and model._meta.app_label not in missing:
                described = connections[alias].introspection.get_table_description(cursor, table)
                if not {field.column for field in model._meta.local_concrete_fields} <= {
                    column.name for column in described
                }:
                    return False
    return True
