"""The kinds of panels. Each file of this folder is one, with its question, its form and its template."""

from functools import cache
from importlib import import_module
from typing import get_args

from dashboards.asking import PanelKind
from dashboards.document import KindName


@cache
def kinds() -> dict[str, PanelKind]:
    """Returns all kinds by name, in the order of the gallery."""
    return {name: import_module(f"{__name__}.{name}").KIND for name in get_args(KindName)}


def kind_words(name: str) -> str:
    """Returns the name of a kind within a sentence, like `stacked bars`."""
    return kinds()[name].title.lower()
