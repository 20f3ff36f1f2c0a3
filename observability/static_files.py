"""Plotly's script out of its Python package: no CDN, no npm, and nothing else of that package."""

from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from django.contrib.staticfiles.finders import BaseStorageFinder
from django.core.files.storage import FileSystemStorage

SCRIPT = "plotly.min.js"


def package_data() -> Path:
    spec = find_spec("plotly")  # importing plotly would take half a second
    assert spec is not None  # noqa: S101 (it is pinned in requirements.txt)
    assert spec.origin is not None  # noqa: S101
    return Path(spec.origin).parent / "package_data"


class PlotlyFinder(BaseStorageFinder):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(storage=FileSystemStorage(location=package_data()))

    def find(self, path: str, *args: Any, **kwargs: Any) -> Any:
        return super().find(path, *args, **kwargs) if path == SCRIPT else []

    def list(self, ignore_patterns: Any) -> Iterator[tuple[str, Any]]:
        yield SCRIPT, self.storage
