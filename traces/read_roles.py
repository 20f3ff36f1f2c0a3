"""Makes roles of the database that read the views of the schema observability_v1, and nothing else."""

import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import LiteralString
from uuid import UUID

from django.db import DatabaseError, ProgrammingError, connections, transaction
from django.db.backends.utils import CursorWrapper
from psycopg import sql
from psycopg.errors import InsufficientPrivilege

NAME = re.compile(r"(?!pg_)[a-z_][a-z0-9_]{0,62}")
SCHEMA = "observability_v1"
VIEWS = ("calls", "traces", "spend_by_hour", "spend_by_day")
SETTINGS = {
    "default_transaction_read_only": "on",
    "statement_timeout": "30s",
    "idle_in_transaction_session_timeout": "60s",
    "search_path": SCHEMA,
}
CONNECTIONS = 10
IS_MIGRATED = "SELECT to_regclass('observability_v1.readers') IS NOT NULL"
EXISTS = "SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = %s)"
IS_READER = "SELECT EXISTS (SELECT FROM observability_v1.readers WHERE role_name = %s)"
MAKE = "CREATE ROLE {role} LOGIN CONNECTION LIMIT {most}"
STORE = """
INSERT INTO observability_v1.readers (role_name, workspace_id)
VALUES (%s, %s)
ON CONFLICT (role_name) DO UPDATE SET workspace_id = EXCLUDED.workspace_id
"""
DELETE = "DELETE FROM observability_v1.readers WHERE role_name = %s"
END_SESSIONS = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = %s AND pid <> pg_backend_pid()"
STAYS = "The role {name} has no rights any more and cannot sign in, but PostgreSQL keeps it: {reason}"


class ReadRoleError(Exception):
    """The role cannot be made. The text says why in a sentence."""


def make(name: str, workspace_id: UUID | None, with_new_password: bool = False) -> str | None:
    """Makes a role that sees one workspace, or all, or changes what it sees. Returns its password if that is new."""
    with changes(name) as cursor:
        is_new = not is_known(cursor, name)
        if is_new:
            run(cursor, MAKE, most=sql.Literal(CONNECTIONS), **role_part(name))
        password = new_password(cursor, name) if is_new or with_new_password else None
        for setting, value in SETTINGS.items():
            parts = {"setting": sql.Identifier(setting), "value": sql.Literal(value)}
            run(cursor, "ALTER ROLE {role} SET {setting} = {value}", **parts, **role_part(name))
        run(cursor, "GRANT USAGE ON SCHEMA {schema} TO {role}", schema=sql.Identifier(SCHEMA), **role_part(name))
        for view in VIEWS:
            run(cursor, "GRANT SELECT ON {view} TO {role}", view=sql.Identifier(SCHEMA, view), **role_part(name))
        cursor.execute(STORE, [name, workspace_id])
    return password


def drop(name: str) -> None:
    """Takes the rights of a role back, ends its sessions, and deletes it with all that it owns.

    Raises ReadRoleError where the role must stay, because of what it owns in another database: without rights.
    """
    with changes(name) as cursor:
        if not is_known(cursor, name):
            raise ReadRoleError(f"There is no role {name}.")
        disarm(cursor, name)
    try:
        with changes(name) as cursor:
            run(cursor, "GRANT {role} TO CURRENT_USER", **role_part(name))
            cursor.execute(END_SESSIONS, [name])
            run(cursor, "DROP OWNED BY {role}", **role_part(name))
            run(cursor, "DROP ROLE {role}", **role_part(name))
    except DatabaseError as error:
        raise ReadRoleError(STAYS.format(name=name, reason=" ".join(str(error).split()))) from error


def disarm(cursor: CursorWrapper, name: str) -> None:
    """Takes all rights of the role back, and the one to sign in. What the role does cannot stop it."""
    run(cursor, "ALTER ROLE {role} NOLOGIN", **role_part(name))
    for view in VIEWS:
        run(cursor, "REVOKE ALL ON {view} FROM {role}", view=sql.Identifier(SCHEMA, view), **role_part(name))
    run(cursor, "REVOKE ALL ON SCHEMA {schema} FROM {role}", schema=sql.Identifier(SCHEMA), **role_part(name))
    cursor.execute(DELETE, [name])


@contextmanager
def changes(name: str) -> Iterator[CursorWrapper]:
    """Yields a cursor in a transaction, after what can be checked was checked."""
    if not NAME.fullmatch(name):
        raise ReadRoleError("The name of a role has lower-case letters, digits and _, and does not begin with pg_.")
    try:
        with transaction.atomic(using="analytics"), connections["analytics"].cursor() as cursor:
            cursor.execute(IS_MIGRATED)
            if cursor.fetchone() != (True,):
                raise ReadRoleError("There are no views yet: run `manage.py migrate --database analytics` first.")
            yield cursor
    except ProgrammingError as error:
        if isinstance(error.__cause__, InsufficientPrivilege):
            raise ReadRoleError(NEEDS_RIGHT) from error
        raise


NEEDS_RIGHT = (
    "The user of ANALYTICS_DATABASE_URL may not make roles. Give it CREATEROLE, or run the command once as a superuser."
)


def is_known(cursor: CursorWrapper, name: str) -> bool:
    """Returns whether this command has made the role. Raises where somebody else has: it may have other rights."""
    cursor.execute(EXISTS, [name])
    exists: bool = cursor.fetchone() == (True,)
    cursor.execute(IS_READER, [name])
    is_reader = cursor.fetchone() == (True,)
    if exists and not is_reader:
        raise ReadRoleError(f"The role {name} exists, and this command has not made it. Choose another name.")
    return exists


def new_password(cursor: CursorWrapper, name: str) -> str:
    """Gives the role a password. The server and its log get only the digest of it."""
    password = secrets.token_urlsafe(24)
    pgconn = cursor.connection.pgconn
    digest = pgconn.encrypt_password(password.encode(), name.encode(), b"scram-sha-256").decode()
    run(cursor, "ALTER ROLE {role} PASSWORD {digest}", role=sql.Identifier(name), digest=sql.Literal(digest))
    return password


def role_part(name: str) -> dict[str, sql.Composable]:
    return {"role": sql.Identifier(name)}


def run(cursor: CursorWrapper, statement: LiteralString, **parts: sql.Composable) -> None:
    cursor.execute(sql.SQL(statement).format(**parts))
