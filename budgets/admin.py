from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from django.contrib import admin, messages
from django.db import Error as DatabaseError
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest

from budgets.models import Budget, BudgetChange
from budgets.spending import spend_of_month
from web.number_text import cents, percent_reached
from workspaces.admin import MAX_ROWS_SHOWN, first_rows_of_each

UNKNOWN = "The database of traces does not answer: the spend is unknown, so no budget has a status."
CHANGE_COLUMNS = (
    "changed_at",
    "changed_by",
    "limit_from_usd",
    "limit_to_usd",
    "threshold_from",
    "threshold_to",
)


class BudgetChangeInline(admin.TabularInline):
    """Shows the newest changes. The page Budget changes lists all."""

    model = BudgetChange
    verbose_name_plural = f"changes, the newest {MAX_ROWS_SHOWN}"
    fields = readonly_fields = CHANGE_COLUMNS
    extra = 0
    can_delete = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[BudgetChange]:
        return first_rows_of_each("budget", super().get_queryset(request), "-changed_at", "-id")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(BudgetChange)
class BudgetChangeAdmin(admin.ModelAdmin):
    """Shows the history, which nobody may change."""

    list_display = ("changed_at", "workspace", *CHANGE_COLUMNS[1:])
    list_filter = ("changed_at",)
    list_select_related = ("budget__workspace",)
    search_fields = ("budget__workspace__name", "changed_by")
    search_help_text = "Workspace, or who changed it."

    @admin.display(ordering="budget__workspace__name")
    def workspace(self, change: BudgetChange) -> str:
        return str(change.budget.workspace)

    def get_queryset(self, request: HttpRequest) -> QuerySet[BudgetChange]:
        changes: QuerySet[BudgetChange] = super().get_queryset(request)
        return changes.select_related("budget__workspace")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: BudgetChange | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: BudgetChange | None = None) -> bool:
        # A change is deleted only with its budget: then the request comes from another page.
        match = request.resolver_match
        return match is None or not str(match.url_name).startswith("budgets_budgetchange_")


class StatusFilter(admin.SimpleListFilter):
    title = "status"
    parameter_name = "status"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(name, name.capitalize()) for name in ("unset", "ok", "warning", "critical", "exceeded")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Budget]) -> QuerySet[Budget]:
        if not self.value():
            return queryset
        spends = month_spends(list(queryset.select_related("workspace")))
        if any(spend is None for _, spend in spends):
            messages.warning(request, UNKNOWN)
        return queryset.filter(pk__in=[one.pk for one, spend in spends if budget_status(one, spend) == self.value()])


def month_spends(budgets: list[Budget]) -> list[tuple[Budget, Decimal | None]]:
    """Returns each budget with its spend: None, and not 0, while the analytics database is unreachable."""
    try:
        spends = spend_of_month([budget.workspace for budget in budgets], datetime.now(UTC))
    except DatabaseError:
        return [(budget, None) for budget in budgets]
    return [(budget, spends[budget.workspace_id]) for budget in budgets]


def budget_status(budget: Budget, spend: Decimal | None) -> str:
    return "unknown" if spend is None else budget.status(spend)


@admin.register(Budget)
class BudgetAdmin(admin.ModelAdmin):
    list_display = (
        "workspace",
        "limit",
        "spend",
        "used",
        "status",
        "warns_at",
        "updated",
    )
    list_filter = (StatusFilter,)
    list_select_related = ("workspace",)
    search_fields = ("workspace__name",)
    autocomplete_fields = ("workspace",)
    readonly_fields = ("created_at", "updated_at")
    inlines = (BudgetChangeInline,)

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        changelist = super().get_changelist_instance(request)
        listed = list(changelist.result_list)
        for budget, spend in month_spends(listed):
            budget.month_spend_usd = spend  # type: ignore[attr-defined]
        changelist.result_list = listed
        return changelist

    @admin.display(description="limit", ordering="monthly_limit_usd")
    def limit(self, budget: Budget) -> str:
        return "none" if budget.monthly_limit_usd is None else cents(budget.monthly_limit_usd)

    @admin.display(description="warns at", ordering="alert_threshold_percentage")
    def warns_at(self, budget: Budget) -> str:
        return f"{budget.alert_threshold_percentage.normalize():f} %"

    @admin.display(description="updated", ordering="updated_at")
    def updated(self, budget: Budget) -> str:
        return f"{budget.updated_at:%-d %b %Y}"

    @admin.display(description="spent")
    def spend(self, budget: Any) -> str:
        return cents(budget.month_spend_usd)

    @admin.display
    def used(self, budget: Any) -> str:
        if budget.month_spend_usd is None or not budget.monthly_limit_usd:
            return "-"
        return percent_reached(budget.month_spend_usd * 100 / budget.monthly_limit_usd)

    @admin.display
    def status(self, budget: Any) -> str:
        return budget_status(budget, budget.month_spend_usd)

    def get_readonly_fields(self, request: HttpRequest, obj: Budget | None = None) -> Any:
        return [*self.readonly_fields, "workspace"] if obj else self.readonly_fields

    def save_model(self, request: HttpRequest, obj: Budget, form: ModelForm, change: bool) -> None:
        before = Budget.objects.get(pk=obj.pk) if change else None
        super().save_model(request, obj, form, change)
        if form.changed_data or not change:
            obj.record_change(before, str(request.user))
