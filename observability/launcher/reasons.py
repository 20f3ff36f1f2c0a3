"""Says why the product cannot use its settings or its databases. It needs Django, which the launcher does not hold."""

import psycopg
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError
from django.db import Error as DatabaseError


def reason_of(error: Exception) -> str | None:
    """Returns why the product cannot start; None for a fault of the program."""
    if isinstance(error, ImproperlyConfigured | CommandError):
        return str(error)
    if isinstance(error, DatabaseError | psycopg.Error):
        return f"the database refused: {next(iter(str(error).strip().splitlines()), 'no reason given')}"
    return None
