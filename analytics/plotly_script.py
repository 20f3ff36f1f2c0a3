"""Serves the part of Plotly's script that the charts need, from its Python package: no CDN, no npm.

It recognises the parts of the script by the text that esbuild writes: docs/decisions/plotly-script.md.
"""

import re
from collections.abc import Iterator
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

from django.contrib.staticfiles.finders import BaseStorageFinder
from django.core.checks import CheckMessage, Error
from django.core.exceptions import ImproperlyConfigured
from django.core.files.base import ContentFile, File
from django.core.files.storage import FileSystemStorage

from web.pinned import version_fault

PLOTLY_VERSION = "7.1.0"

SCRIPT = "plotly.min.js"
# Some browsers then compile all of it on another thread while it arrives.
COMPILE_AT_ONCE = "//# allFunctionsCalledOnLoad\n"
# A loader around the script. Browsers parse a function within it only when it is called, and so read the script twice.
LOADER_START, LOADER_END = '(typeof self !== "undefined" ? self : this, () => {\n', "\nwindow.Plotly = Plotly;"
# The chart types in use, in addition to scatter, which is part of Plotly's core. The other 46 are most of the 5 MB.
CHART_TYPES = ("bar",)
# esbuild writes one statement for each of Plotly's source files. It calls the files that it needs by name.
MODULE = re.compile(r"(?<=;)var [\w$]+=W\(")
DEFINED, NEEDED = re.compile(r"([\w$]+)=(?:W|Ea)\("), re.compile(r"([\w$]+)\(\)")
REGISTERED = re.compile(r"\.register\(\[([\w$(),]+)\]\)")
CHART_TYPE = re.compile(r'moduleType:"trace",name:"(\w+)"')
REEXPORTED = re.compile(r"\.exports=([\w$]+)\(\)\}")


class UnknownScript(ImproperlyConfigured):
    """Plotly's script is not built as this module expects."""

    def __init__(self, missing: str) -> None:
        super().__init__(
            f"plotly.min.js has no {missing}: analytics/plotly_script.py was written for Plotly {PLOTLY_VERSION} "
            "and cuts its script by its text; adapt it as docs/decisions/plotly-script.md says."
        )


def package_data() -> Path:
    # Found in the list of installed packages: importing plotly takes half a second.
    return Path(str(distribution("plotly").locate_file("plotly/package_data")))


def smaller_script(script: str) -> str:
    """Returns a script that draws the same charts, and is ready in a sixth of the time."""
    return COMPILE_AT_ONCE + keep_chart_types(CHART_TYPES, without_loader(script))


def without_loader(script: str) -> str:
    """Returns the licence and the script inside the loader."""
    start, end = script.find(LOADER_START), script.rfind(LOADER_END)
    if not 0 < start < end:
        raise UnknownScript("loader around it")
    license_text = script[: script.index("*/") + 2]
    return f"{license_text}\n{script[start + len(LOADER_START) : end]}\n"


def keep_chart_types(chart_types: tuple[str, ...], script: str) -> str:
    """Drops the source files that neither these chart types nor the core need. Plotly calls a chart type a trace."""
    starts = [match.start() for match in MODULE.finditer(script)]
    parts = [script[start:end] for start, end in zip(starts, [*starts[1:], len(script)], strict=False)]
    registered = REGISTERED.search(parts[-1]) if parts else None
    if not registered:
        raise UnknownScript("list of registered traces")
    indexes = {name: index for index, part in enumerate(parts) for name in DEFINED.findall(part)}
    names_by_chart_type = {chart_type_of(name, parts, indexes): name for name in NEEDED.findall(registered[1])}
    if missing := set(chart_types) - set(names_by_chart_type):
        raise UnknownScript(f"trace {', '.join(sorted(missing))}")
    calls = ",".join(f"{name}()" for chart_type, name in names_by_chart_type.items() if chart_type in chart_types)
    parts[-1] = parts[-1].replace(registered[1], calls)
    return script[: starts[0]] + "".join(parts[index] for index in sorted(needed_indexes(parts, indexes)))


def needed_indexes(parts: list[str], indexes: dict[str, int]) -> set[int]:
    """Returns the indexes of the parts that the last part needs, directly or through others."""
    needed, to_search = {len(parts) - 1}, [len(parts) - 1]
    while to_search:
        needed_by_part = {indexes[name] for name in NEEDED.findall(parts[to_search.pop()]) if name in indexes}
        to_search += needed_by_part - needed
        needed |= needed_by_part
    return needed


def chart_type_of(name: str, parts: list[str], indexes: dict[str, int]) -> str:
    """Returns the chart type that a source file draws; a file may only re-export another one."""
    part = parts[indexes[name]]
    if chart_type := CHART_TYPE.search(part):
        return chart_type[1]
    reexported = REEXPORTED.search(part)
    return chart_type_of(reexported[1], parts, indexes) if reexported else ""


def plotly_fault() -> str | None:
    return version_fault("analytics/plotly_script.py", "plotly", PLOTLY_VERSION)


class PackageData(FileSystemStorage):
    def _open(self, name: str, mode: str = "rb") -> File:
        if fault := plotly_fault():
            raise ImproperlyConfigured(fault)
        with Path(self.path(name)).open(encoding="utf-8") as script:
            return ContentFile(smaller_script(script.read()).encode(), name)


class PlotlyFinder(BaseStorageFinder):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(storage=PackageData(location=package_data()))

    def check(self, **kwargs: Any) -> list[CheckMessage]:
        """Runs with Django's system checks, which check every finder."""
        fault = plotly_fault()
        return [Error(fault, id="analytics.E001")] if fault else []

    def find(self, path: str, *args: Any, **kwargs: Any) -> Any:
        return super().find(path, *args, **kwargs) if path == SCRIPT else []

    def list(self, ignore_patterns: Any) -> Iterator[tuple[str, Any]]:
        yield SCRIPT, self.storage
