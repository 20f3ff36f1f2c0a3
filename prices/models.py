from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver
from django.utils import timezone

from prices.providers import provider_name
from workspaces.models import Workspace


def usd_per_million(help_text: str = "", **options: Any) -> Any:
    return models.DecimalField(max_digits=14, decimal_places=6, help_text=help_text, **options)


class PriceOverride(models.Model):
    """A price that a workspace really pays for a model, for calls from `valid_from` on."""

    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="price_overrides")
    provider = models.CharField(
        max_length=100,
        blank=True,
        help_text="Like openai, in any spelling: gemini and google become gcp.gemini. Empty: any provider.",
    )
    model_pattern = models.CharField(max_length=200, help_text="Like gpt-4o or acme-*.")
    input_usd_per_million = usd_per_million("USD for a million input tokens.")
    output_usd_per_million = usd_per_million("USD for a million output tokens.")
    cache_read_usd_per_million = usd_per_million(
        "USD for a million tokens read from the cache. Empty: as input.", null=True, blank=True
    )
    cache_write_usd_per_million = usd_per_million(
        "USD for a million tokens written to the cache. Empty: as input.", null=True, blank=True
    )
    cache_write_1h_usd_per_million = usd_per_million(
        "USD for a million tokens written to the cache for an hour. Empty: as every cache write.", null=True, blank=True
    )
    valid_from = models.DateTimeField(
        default=timezone.now, help_text="If several prices were valid at the time of a call, the newest counts."
    )
    valid_until = models.DateTimeField(
        null=True, blank=True, help_text="Empty: until it is deleted. Calls from then on have the price before it."
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering: ClassVar = ["workspace", "model_pattern", "-valid_from"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(valid_until__isnull=True) | models.Q(valid_until__gt=models.F("valid_from")),
                name="prices_end_after_their_start",
                violation_error_message="A price must end after its start.",
            ),
            models.CheckConstraint(
                condition=models.Q(input_usd_per_million__gte=0, output_usd_per_million__gte=0)
                & (models.Q(cache_read_usd_per_million__gte=0) | models.Q(cache_read_usd_per_million__isnull=True))
                & (models.Q(cache_write_usd_per_million__gte=0) | models.Q(cache_write_usd_per_million__isnull=True))
                & (
                    models.Q(cache_write_1h_usd_per_million__gte=0)
                    | models.Q(cache_write_1h_usd_per_million__isnull=True)
                ),
                name="prices_are_not_negative",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.provider or 'any provider'} / {self.model_pattern}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.provider = provider_name(self.provider) or self.provider.strip()
        super().save(*args, **kwargs)

    def clean(self) -> None:
        if self.provider.strip() and provider_name(self.provider) is None:
            raise ValidationError({"provider": f"{self.provider} is no provider: no call has it. Leave it empty."})


@receiver([post_save, post_delete], sender=PriceOverride)
def invalidate_overrides(instance: PriceOverride, **signal: Any) -> None:
    """Changes the workspace's epoch in the same transaction, so that the next call has the new price."""
    Workspace.change_epoch(instance.workspace_id)
