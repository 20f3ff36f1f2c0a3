"""Keeps a file of a provider until somebody has chosen its columns."""

import zlib
from typing import Any
from uuid import UUID

from django.core.files.uploadedfile import UploadedFile

from insights.invoices.columns import PRESETS, Columns, preset_of, suggested
from insights.invoices.importing import kept_columns
from insights.invoices.lines import preview
from insights.invoices.models import FILE_LENGTH, InvoiceMapping, InvoiceUpload
from insights.invoices.sheet import MOST_BYTES, Sheet, bad_file, read_sheet
from web.body import inflate
from web.problems import Problem
from workspaces.models import Workspace

LINES_SHOWN = 8
MOST_UPLOADS = 5
"""Of a workspace: the oldest makes room."""
GZIP = b"\x1f\x8b"
OPTIONAL = ("decimal_mark", "day_order")
"""Fields whose empty choice is none."""
PROVIDERS = tuple(dict.fromkeys(preset.provider for preset in PRESETS))


def keep(workspace: Workspace, file: UploadedFile | None, author: str) -> InvoiceUpload:
    """Stores the file, or raises a 413 or 422 Problem where it is no table."""
    if file is None:
        raise bad_file("Choose a file.")
    data = file.read()
    data = inflated(data) if data.startswith(GZIP) else data
    read_sheet(data)
    old = InvoiceUpload.objects.filter(workspace=workspace).order_by("-created_at")[MOST_UPLOADS - 1 :]
    InvoiceUpload.objects.filter(pk__in=[one.pk for one in old.only("pk")]).delete()
    name = (file.name or "").replace("\0", "")[:FILE_LENGTH]
    return InvoiceUpload.objects.create(
        workspace=workspace, file_name=name, content=zlib.compress(data), created_by=author
    )


def inflated(data: bytes) -> bytes:
    try:
        return inflate(data, "gzip", MOST_BYTES)
    except Problem as problem:
        message = f"The file is no whole gzip file, or has more than {MOST_BYTES // 2**20} MB of text."
        raise bad_file(message) from problem


def find_upload(workspace: Workspace, upload_id: UUID) -> InvoiceUpload:
    upload = InvoiceUpload.objects.filter(workspace=workspace, pk=upload_id).first()
    if upload is None:
        raise Problem(404, "There is no such file in this workspace. Files that nobody imports are kept for a day.")
    return upload


def content_of(upload: InvoiceUpload) -> bytes:
    return zlib.decompress(upload.content)


def form_context(workspace: Workspace, sheet: Sheet) -> dict[str, Any]:
    """Returns the variables of the form that asks for the columns."""
    kept = kept_columns(workspace, sheet)
    mapping = InvoiceMapping.objects.filter(workspace=workspace, fingerprint=sheet.fingerprint).first()
    preset = preset_of(sheet.columns)
    return {
        "sheet": sheet,
        "lines": list(preview(sheet, LINES_SHOWN)),
        "is_kept": kept is not None,
        "preset": preset,
        "providers": PROVIDERS,
        "form": {
            "provider": mapping.provider if mapping else preset.provider if preset else "",
            **(kept.model_dump() if kept else suggested(sheet.columns)),
        },
    }


def columns_of(form: dict[str, str]) -> dict[str, str | None]:
    """Returns the columns that the form has chosen, as the API takes them."""
    return {
        name: form[name] or None if name in OPTIONAL else form[name] for name in Columns.model_fields if name in form
    }


OPTIONAL = ("decimal_mark", "day_order")
