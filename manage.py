#!/usr/bin/env python
import os
import sys

from django.core.management import execute_from_command_line

from web.version import VERSION

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "observability.settings")
    # The setting is the server's, whose clients wait. Nobody waits for a command: none of its queries is stopped.
    os.environ["STATEMENT_TIMEOUT_MS"] = "0"
    if sys.argv[1:] == ["--version"]:
        print(VERSION)  # Django would print its own
    else:
        execute_from_command_line(sys.argv)
