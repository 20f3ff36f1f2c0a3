"""Runs one target under atheris: `python -m tests.fuzz.fuzz_target otlp-json <libFuzzer's arguments>`."""

import os
import sys

import atheris

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")

with atheris.instrument_imports(include=["ingest"], enable_loader_override=False):
    import django

    django.setup()
    from tests.fuzz.targets import TARGETS

if __name__ == "__main__":
    name, *arguments = sys.argv[1:]
    target = TARGETS[name]
    atheris.Setup([sys.argv[0], *arguments], lambda data: target(data) and None)
    atheris.Fuzz()
