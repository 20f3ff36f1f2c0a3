"""The product's version, which stands in pyproject.toml and nowhere else."""

import tomllib
from pathlib import Path

from django.http import HttpRequest

PYPROJECT = Path(__file__).resolve().parent.parent / "pyproject.toml"
VERSION: str = tomllib.loads(PYPROJECT.read_text(encoding="utf-8"))["project"]["version"]


def product_version(request: HttpRequest) -> dict[str, str]:
    """A context processor: every page knows the version."""
    return {"product_version": VERSION}
