from typing import Any

from django.contrib import admin
from django.forms import ModelForm

from ingest.label_sources import check_is_no_content
from workspaces.models import LabelSource


class LabelSourceForm(ModelForm):
    def clean(self) -> dict[str, Any]:
        values: dict[str, Any] = super().clean() or {}
        check_is_no_content(values.get("attribute", ""))
        return values


@admin.register(LabelSource)
class LabelSourceAdmin(admin.ModelAdmin):
    form = LabelSourceForm
    list_display = ("attribute", "label", "workspace", "created_at")
    list_filter = ("label", ("workspace", admin.RelatedOnlyFieldListFilter))
    list_select_related = ("workspace",)
    search_fields = ("attribute", "label", "workspace__name")
    autocomplete_fields = ("workspace",)
    readonly_fields = ("created_at",)
