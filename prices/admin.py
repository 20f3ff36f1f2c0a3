from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from prices.models import PriceOverride


@admin.register(PriceOverride)
class PriceOverrideAdmin(admin.ModelAdmin):
    list_display = (
        "workspace",
        "provider",
        "model_pattern",
        "input_usd_per_million",
        "output_usd_per_million",
        "valid_from",
    )
    list_filter = ("provider", ("workspace", admin.RelatedOnlyFieldListFilter))
    list_select_related = ("workspace",)
    search_fields = ("model_pattern", "provider", "workspace__name")
    autocomplete_fields = ("workspace",)
    readonly_fields = ("created_at",)

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        # Django accepts any text in the URL as a time and then fails to show it.
        initial: dict[str, Any] = super().get_changeform_initial_data(request)
        return {name: value for name, value in initial.items() if name not in ("valid_from", "valid_until")}
