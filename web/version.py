"""Reads the product's version from pyproject.toml, the only file that has it.

The launcher imports it, and so it imports no Django.
"""

import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from django.http import HttpRequest

PYPROJECT = Path(__file__).resolve().parent.parent / "pyproject.toml"
VERSION: str = tomllib.loads(PYPROJECT.read_text(encoding="utf-8"))["project"]["version"]


def product_version(request: "HttpRequest") -> dict[str, str]:
    """Gives every template the version. It is a context processor of Django."""
    return {"product_version": VERSION}
