#!/usr/bin/env python
import os
import sys
from importlib import import_module

from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line

from web.version import VERSION


def check_settings() -> None:
    """Ends the program with a sentence where the environment has a wrong value: a traceback would not help."""
    try:
        import_module(os.environ["DJANGO_SETTINGS_MODULE"])
    except ImproperlyConfigured as error:
        sys.exit(str(error))


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "observability.settings")
    # The setting is the server's, whose clients wait. Nobody waits for a command: none of its queries is stopped.
    os.environ["STATEMENT_TIMEOUT_MS"] = "0"
    if sys.argv[1:] == ["--version"]:
        print(VERSION)  # Django would print its own
    else:
        check_settings()
        execute_from_command_line(sys.argv)
