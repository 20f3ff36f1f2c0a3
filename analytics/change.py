def change(now: float | None, before: float | None) -> float | None:
    """Percent against the previous equal window; None where there was nothing to compare with."""
    if now is None or not before:
        return None
    return (now - before) / before * 100
