"""Reads names of models: the name without provider and date."""

import re
from functools import lru_cache

MODEL_DATE = re.compile(r"[-@](\d{4}-\d{2}-\d{2}|\d{8})$")


@lru_cache(maxsize=4096)
def base_model(name: str | None) -> str | None:
    """Returns the name without `provider/` and without the date of its release."""
    if not name:
        return None
    return MODEL_DATE.sub("", name.rpartition("/")[2]) or name
