"""Describes the endpoint of the usage of a workspace for the API document."""

from analytics.openapi import Schema
from settings.document_parts import operation
from settings.usage.items import Usage


def operations() -> dict[str, Schema]:
    return {"/api/v1/settings/usage": {"get": read_usage()}}


def read_usage() -> Schema:
    return operation(
        "workspace-usage",
        "How much the workspace stores: spans, calls, scores, since when, and about how much disk.",
        Usage,
        description="Disk is the share of the workspace in the tables of all workspaces, and may be ten minutes old.",
    )
