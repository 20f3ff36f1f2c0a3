"""Invoices of providers, as they were imported, and how their files are read."""

from typing import ClassVar
from uuid import uuid4

from django.db import models

from workspaces.models import Workspace

AUTHOR_LENGTH, FILE_LENGTH, NAME_LENGTH = 200, 200, 200


def usd(**options: object) -> models.DecimalField:
    return models.DecimalField(max_digits=40, decimal_places=20, **options)  # type: ignore[arg-type]


class InvoiceMapping(models.Model):
    """What the columns of files with one header mean, and which of our models a provider's names are."""

    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="invoice_mappings")
    fingerprint = models.CharField(max_length=64)
    provider = models.CharField(max_length=100)
    columns = models.JSONField()
    model_names = models.JSONField(default=dict)
    changed_by = models.CharField(max_length=AUTHOR_LENGTH)
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["workspace", "fingerprint"], name="one_mapping_for_each_header")
        ]

    def __str__(self) -> str:
        return f"{self.provider}: {', '.join(map(str, self.columns.values()))}"


class InvoiceUpload(models.Model):
    """A file whose columns nobody has chosen yet. It is deleted when it is imported, or after a day."""

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="invoice_uploads")
    file_name = models.CharField(max_length=FILE_LENGTH)
    content = models.BinaryField()
    """Compressed with zlib."""
    created_by = models.CharField(max_length=AUTHOR_LENGTH)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.file_name


class Invoice(models.Model):
    """What a provider bills for some days, in USD."""

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="invoices")
    provider = models.CharField(max_length=100)
    first_day = models.DateField()
    last_day = models.DateField()
    currency = models.CharField(max_length=3, default="USD")
    file_name = models.CharField(max_length=FILE_LENGTH)
    file_hash = models.CharField(max_length=64)
    fingerprint = models.CharField(max_length=64)
    columns = models.JSONField()
    total_usd = usd()
    line_count = models.PositiveIntegerField()
    decimals = models.PositiveSmallIntegerField()
    """The most decimals that an amount of the file has."""
    stated_totals = models.JSONField(default=list)
    """The amounts of the file's own lines of totals, as texts."""
    created_by = models.CharField(max_length=AUTHOR_LENGTH)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering: ClassVar = ["-first_day", "-created_at", "id"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["workspace", "provider", "file_hash"], name="a_file_is_one_invoice")
        ]

    def __str__(self) -> str:
        return f"{self.provider}, {self.first_day} to {self.last_day}"


class InvoiceLine(models.Model):
    """The sum of the file's lines of one day, model and class of tokens."""

    invoice = models.ForeignKey(Invoice, models.CASCADE, related_name="lines")
    day = models.DateField(null=True)
    """Null: a credit or discount for the whole file."""
    model_named = models.CharField(max_length=NAME_LENGTH, blank=True)
    """As the provider names it."""
    model = models.CharField(max_length=NAME_LENGTH, blank=True)
    """Our model. Empty: it is none."""
    token_class = models.CharField(max_length=20, blank=True)
    quantity = models.DecimalField(max_digits=40, decimal_places=20, null=True)
    amount_usd = usd()
    line_count = models.PositiveIntegerField()

    class Meta:
        ordering: ClassVar = ["day", "model_named", "token_class", "id"]

    def __str__(self) -> str:
        return f"{self.day} {self.model_named} {self.token_class}"


class Repricing(models.Model):
    """A price that was made from an invoice, and the job that prices the stored calls by it."""

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="repricings")
    invoice = models.ForeignKey(Invoice, models.SET_NULL, null=True, related_name="repricings")
    provider = models.CharField(max_length=100)
    model = models.CharField(max_length=NAME_LENGTH)
    start = models.DateTimeField()
    end = models.DateTimeField()
    requested_by = models.CharField(max_length=AUTHOR_LENGTH)
    requested_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True)
    changed_calls = models.BigIntegerField(null=True)
    before_usd = usd(null=True)
    after_usd = usd(null=True)

    class Meta:
        ordering: ClassVar = ["-requested_at", "id"]

    def __str__(self) -> str:
        return f"{self.provider} {self.model} from {self.start:%Y-%m-%d}"
