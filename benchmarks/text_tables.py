"""Writes results as text: aligned for a terminal, with pipes for a document."""

import os
import platform
from collections.abc import Sequence
from pathlib import Path

Cell = str | None
"""None: not measured."""


def table(head: Sequence[str], lines: Sequence[Sequence[Cell]], markdown: bool) -> str:
    cells = [list(head), *([cell or "-" for cell in line] for line in lines)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    edge, between = ("| ", " | ") if markdown else ("", "  ")
    rows = [edge + between.join(aligned(line, widths)) + edge[::-1] for line in cells]
    rule = [edge + between.join(rules(widths, markdown)) + edge[::-1]]
    return "\n".join(row.rstrip() for row in (rows[0], *rule, *rows[1:]))


def aligned(line: Sequence[str], widths: Sequence[int]) -> list[str]:
    first, *others = zip(line, widths, strict=True)
    return [first[0].ljust(first[1]), *(cell.rjust(width) for cell, width in others)]


def rules(widths: Sequence[int], markdown: bool) -> list[str]:
    first, *others = widths
    return ["-" * first, *("-" * (width - 1) + (":" if markdown else "-") for width in others)]


def machine() -> str:
    cpu = next(
        (line.partition(":")[2].strip() for line in lines_of("/proc/cpuinfo") if line.startswith("model name")),
        platform.processor(),
    )
    memory = next((line.split()[1] for line in lines_of("/proc/meminfo") if line.startswith("MemTotal")), "0")
    return (
        f"{os.cpu_count()} cores ({cpu}), {int(memory) / 1024**2:.0f} GB of memory, {platform.system()}, "
        f"Python {platform.python_version()}; load of the machine {os.getloadavg()[0]:.1f}"
    )


def lines_of(path: str) -> list[str]:
    return Path(path).read_text().splitlines() if Path(path).exists() else []
