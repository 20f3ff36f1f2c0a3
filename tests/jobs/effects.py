"""Tasks whose runs leave a trace in the database, for workers that tests start."""

import time
from typing import Any
from uuid import uuid4

from django.db import connection

from web.queue import task

TABLES = """
CREATE TABLE IF NOT EXISTS effects (key text PRIMARY KEY);
CREATE TABLE IF NOT EXISTS attempts (
    id uuid PRIMARY KEY,
    key text NOT NULL,
    began timestamptz NOT NULL DEFAULT clock_timestamp(),
    ended timestamptz
);
"""


@task("tests.effect")
def effect(key: str, seconds: float = 0) -> None:
    """Leaves its key in the database, once."""
    attempt = uuid4()
    execute("INSERT INTO attempts (id, key) VALUES (%s, %s)", attempt, key)
    time.sleep(seconds)
    execute("INSERT INTO effects VALUES (%s) ON CONFLICT DO NOTHING", key)
    execute("UPDATE attempts SET ended = clock_timestamp() WHERE id = %s", attempt)


@task("tests.fails", retry_pauses=())
def fails(key: str) -> None:
    """Fails until its key is in the database."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT FROM effects WHERE key = %s)", [key])
        if not cursor.fetchone()[0]:
            raise ValueError(f"no {key}, api_key=sk-abcdefghijklmnopqrstuvwxyz0123456789")


def execute(sql: str, *params: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
