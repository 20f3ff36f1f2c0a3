"""One export while it runs: the bytes, the slot that it holds, and its line in the history."""

import time
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import chain, islice
from typing import Self

from django.utils import timezone

from reports.exports.files import chunks
from reports.exports.parameters import ExportRequest
from reports.exports.reading import give_back_connections
from reports.exports.slots import export_slot
from reports.models import Export
from web import deadline

READ_FIRST = 2
"""So many chunks are made before the answer begins: what fails until then has an error of its own."""
TOLD_SECONDS = 1.0
"""How often the history is told how far the export is."""


class Running:
    """Yields the bytes of an export. Whoever stops early calls `close`, as Django does with every response."""

    def __init__(self, export: Export, request: ExportRequest) -> None:
        self.export = export
        self.told_at = time.monotonic()
        self.held = ExitStack()
        self.held.enter_context(export_slot(request.filters.workspace_id))
        self.held.callback(self.record_end)
        try:
            export.save(force_insert=True)
            self.chunks = self.begin(chunks(export.kind, export.file_format, request, self.count))
        except BaseException:
            self.held.close()
            raise

    def begin(self, made: Iterator[bytes]) -> Iterator[bytes]:
        self.held.callback(made.close)  # type: ignore[attr-defined]
        if self.export.file_format == "xlsx":
            with deadline.suspended():  # it begins when it is whole
                first = list(islice(made, READ_FIRST))
        else:
            first = list(islice(made, READ_FIRST))
        return chain(first, made)

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> bytes:
        try:
            return next(self.chunks)
        except StopIteration:
            self.export.is_complete = True
            self.close()
            raise

    def close(self) -> None:
        self.held.close()

    def count(self, rows: int) -> None:
        self.export.rows += rows
        now = time.monotonic()
        if now - self.told_at >= TOLD_SECONDS:
            self.told_at = now
            self.record("rows")

    def record_end(self) -> None:
        self.export.ended_at = timezone.now()
        self.record("rows", "ended_at", "is_complete")

    def record(self, *fields: str) -> None:
        self.export.updated_at = timezone.now()
        Export.objects.filter(pk=self.export.pk).update(
            **{name: getattr(self.export, name) for name in (*fields, "updated_at")}
        )
        give_back_connections()
