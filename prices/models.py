from typing import Any, ClassVar

from django.db import models
from django.utils import timezone

from workspaces.models import Workspace


def usd_per_million(help_text: str = "", **options: Any) -> Any:
    return models.DecimalField(max_digits=14, decimal_places=6, help_text=help_text, **options)


class PriceOverride(models.Model):
    """A price that a workspace really pays for a model, for calls from `valid_from` on."""

    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="price_overrides")
    provider = models.CharField(max_length=100, blank=True, help_text="Like openai. Empty: any provider.")
    model_pattern = models.CharField(max_length=200, help_text="Like gpt-4o or acme-*.")
    input_usd_per_million = usd_per_million("USD for a million input tokens.")
    output_usd_per_million = usd_per_million("USD for a million output tokens.")
    cache_read_usd_per_million = usd_per_million(
        "USD for a million tokens read from the cache. Empty: as input.", null=True, blank=True
    )
    cache_write_usd_per_million = usd_per_million(
        "USD for a million tokens written to the cache. Empty: as input.", null=True, blank=True
    )
    valid_from = models.DateTimeField(
        default=timezone.now, help_text="If several prices were valid at the time of a call, the newest counts."
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering: ClassVar = ["workspace", "model_pattern", "-valid_from"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(input_usd_per_million__gte=0, output_usd_per_million__gte=0)
                & (models.Q(cache_read_usd_per_million__gte=0) | models.Q(cache_read_usd_per_million__isnull=True))
                & (models.Q(cache_write_usd_per_million__gte=0) | models.Q(cache_write_usd_per_million__isnull=True)),
                name="prices_are_not_negative",
            )
        ]

    def __str__(self) -> str:
        return f"{self.provider or 'any provider'} / {self.model_pattern}"
