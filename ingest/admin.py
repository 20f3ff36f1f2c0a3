from django.contrib import admin

from ingest.models import PriceOverride


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
