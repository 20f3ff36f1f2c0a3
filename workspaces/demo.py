"""The workspace that `make run` creates and opens, and `make demo` fills."""

DEMO_WORKSPACE_ID = "00000000-0000-0000-0000-000000000001"
