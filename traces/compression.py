"""Lets the analytics database compress large values by lz4, which takes less time than PostgreSQL's own pglz."""

from django.db import connections

# Not where the server cannot do it, where an operator has chosen, or where somebody else owns the database. It takes no
# lock on a table, and is for connections that begin later. Values that are stored stay as they are, and are read alike.
# Several processes may migrate at once, and would fail at changing the same setting.
CHOOSE = """
DO $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('default_toast_compression'));
    IF EXISTS (
        SELECT
        FROM pg_settings
        WHERE name = 'default_toast_compression' AND source = 'default' AND 'lz4' = ANY (enumvals)
    ) AND EXISTS (
        SELECT
        FROM pg_database
        WHERE datname = current_database() AND pg_has_role(datdba, 'USAGE')
    ) THEN
        EXECUTE format('ALTER DATABASE %I SET default_toast_compression = %L', current_database(), 'lz4');
    END IF;
END
$$
"""


def choose_compression() -> None:
    """Chooses lz4 for the database, where the server has it."""
    with connections["analytics"].cursor() as cursor:
        cursor.execute(CHOOSE)
