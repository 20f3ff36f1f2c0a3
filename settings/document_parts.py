"""Describes, for the API document, what the endpoints of settings have in common."""

from functools import partial

from analytics.operation_parts import describe

ONLY_OWNERS = "Only owners of the workspace may do this, signed in: no API key may."

operation = partial(describe, "settings")
