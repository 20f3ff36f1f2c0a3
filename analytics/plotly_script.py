"""Plotly's script out of its Python package: no CDN, no npm, and nothing else of that package."""

import re
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from django.contrib.staticfiles.finders import BaseStorageFinder
from django.core.files.base import ContentFile, File
from django.core.files.storage import FileSystemStorage

SCRIPT = "plotly.min.js"
# For browsers that know it: compile all of it on another thread while it arrives.
COMPILE_AT_ONCE = "//# allFunctionsCalledOnLoad\n"
# A loader around the script. As functions are parsed when they are called, it makes the browser read all twice.
WRAPPED, UNWRAPPED = '(typeof self !== "undefined" ? self : this, () => {\n', "\nwindow.Plotly = Plotly;"
# What we draw beside scatter, which is part of Plotly's core. Its other 46 kinds, like maps, are most of its 5 MB.
TRACES = ("bar",)
# As esbuild writes them: one statement for each of Plotly's source files, which calls those it needs by name.
MODULE = re.compile(r"(?<=;)var [\w$]+=W\(")
DEFINED, NEEDED = re.compile(r"([\w$]+)=(?:W|Ea)\("), re.compile(r"([\w$]+)\(\)")
REGISTERED = re.compile(r"\.register\(\[([\w$(),]+)\]\)")


def package_data() -> Path:
    spec = find_spec("plotly")  # importing plotly would take half a second
    assert spec is not None  # noqa: S101 (it is pinned in requirements.txt)
    assert spec.origin is not None  # noqa: S101
    return Path(spec.origin).parent / "package_data"


def quick(script: str) -> str:
    """The same for what we draw, ready in a sixth of the time. A script of another make stays as it is."""
    start, end = script.find(WRAPPED), script.rfind(UNWRAPPED)
    if 0 < start < end:
        license_text = script[: script.index("*/") + 2]
        script = f"{license_text}\n{script[start + len(WRAPPED) : end]}\n"
    return COMPILE_AT_ONCE + only(TRACES, script)


def only(traces: tuple[str, ...], script: str) -> str:
    """Without the source files that these traces and the core do not need."""
    starts = [found.start() for found in MODULE.finditer(script)]
    parts = [script[start:end] for start, end in zip(starts, [*starts[1:], len(script)], strict=False)]
    listed = REGISTERED.search(parts[-1]) if parts else None
    if not listed:
        return script
    places = {name: place for place, part in enumerate(parts) for name in DEFINED.findall(part)}
    kept = [name for name in NEEDED.findall(listed[1]) if trace(name, parts, places) in traces]
    if len(kept) != len(traces):
        return script
    parts[-1] = parts[-1].replace(listed[1], ",".join(f"{name}()" for name in kept))
    needed, looking = {len(parts) - 1}, [len(parts) - 1]
    while looking:
        found = {places[name] for name in NEEDED.findall(parts[looking.pop()]) if name in places}
        looking += found - needed
        needed |= found
    return script[: starts[0]] + "".join(parts[place] for place in sorted(needed))


def trace(name: str, parts: list[str], places: dict[str, int]) -> str:
    """What a registered source file, which may only hand on another, is for."""
    part = parts[places[name]]
    if found := re.search(r'moduleType:"trace",name:"(\w+)"', part):
        return found[1]
    handed = re.search(r"\.exports=([\w$]+)\(\)\}", part)
    return trace(handed[1], parts, places) if handed else ""


class PackageData(FileSystemStorage):
    def _open(self, name: str, mode: str = "rb") -> File:
        with Path(self.path(name)).open(encoding="utf-8") as script:
            return ContentFile(quick(script.read()).encode(), name)


class PlotlyFinder(BaseStorageFinder):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(storage=PackageData(location=package_data()))

    def find(self, path: str, *args: Any, **kwargs: Any) -> Any:
        return super().find(path, *args, **kwargs) if path == SCRIPT else []

    def list(self, ignore_patterns: Any) -> Iterator[tuple[str, Any]]:
        yield SCRIPT, self.storage
