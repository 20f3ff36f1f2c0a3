"""Limits of labels. Every way to give a span a label keeps to them."""

MAX_LABELS = 16
"""Of a span, and as many names of labels can a workspace choose."""
LABEL_LENGTH = 256
"""Bytes of the name of a label, and of its value."""
MAX_SOURCES = 64
"""Attributes that a workspace can choose."""
