"""Small drawings as SVG attributes: nothing to load, and nothing that the CSP would refuse."""

from django import template

register = template.Library()

WIDTH, HEIGHT = 100.0, 28.0


@register.filter
def spark(values: list[float | None]) -> dict[str, str] | None:
    """Paths of a line and the area below it, in a box of 100 by 28; gaps where nothing is known."""
    known = [value for value in values if value is not None]
    if len(known) < 2:
        return None
    top = max(*known, 0) or 1
    step = WIDTH / (len(values) - 1)
    runs: list[list[str]] = [[]]
    for place, value in enumerate(values):
        if value is None:
            runs.append([])
        else:
            runs[-1].append(f"{place * step:.4g} {HEIGHT - 1 - max(value, 0) / top * (HEIGHT - 3):.4g}")
    drawn = [run for run in runs if len(run) > 1]
    if not drawn:
        return None
    return {
        "line": "".join("M" + "L".join(run) for run in drawn),
        "area": "".join(
            f"M{run[0].split()[0]} {HEIGHT:.4g}L{'L'.join(run)}L{run[-1].split()[0]} {HEIGHT:.4g}Z" for run in drawn
        ),
    }


@register.filter
def running_total(values: list[float | None]) -> list[float | None]:
    total = 0.0
    return [total := total + (value or 0) for value in values]


@register.filter
def remaining_of(values: list[float | None], limit: float | None) -> list[float | None]:
    return [] if limit is None else [limit - (value or 0) for value in values]
