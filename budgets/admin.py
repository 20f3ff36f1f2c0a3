from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db import Error as DatabaseError
from django.db.models import JSONField, QuerySet
from django.forms import ModelForm
from django.http import HttpRequest

from budgets.bodies import NewBudget, OwnBudget, body_of, fill, threshold_body, validated
from budgets.models import Budget, BudgetChange
from budgets.states import running, spends
from budgets.thresholds import stored_thresholds
from web.number_text import cents, percent_reached
from web.problems import Problem
from workspaces.admin import MAX_ROWS_SHOWN, first_rows_of_each

UNKNOWN = "The database of traces does not answer: the spend is unknown, so no budget has a status."
CHANGE_COLUMNS = (
    "changed_at",
    "changed_by",
    "reason",
    "limit_from_usd",
    "limit_to_usd",
    "threshold_from",
    "threshold_to",
    "details",
)
OWN_FIELDS = ("workspace", "amount_usd", "alert_threshold_percentage", "created_at", "updated_at")
FIELDS = (
    *("workspace", "is_workspace_budget", "name", "amount_usd", "alert_threshold_percentage", "period"),
    *("rolling_days", "fixed_from", "fixed_to", "scope", "per", "thresholds", "owner", "is_active"),
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


class WithJson(admin.ModelAdmin):
    """Refuses to filter by a column of JSON: PostgreSQL would fail at a value that is none."""

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        of_json = {field.name for field in self.opts.concrete_fields if isinstance(field, JSONField)}
        return lookup.split("__")[0] not in of_json and super().lookup_allowed(lookup, value, request)


@admin.register(BudgetChange)
class BudgetChangeAdmin(WithJson):
    """Shows the history, which nobody may change."""

    list_display = ("changed_at", "workspace", "budget", *CHANGE_COLUMNS[1:])
    list_filter = ("changed_at",)
    list_select_related = ("budget__workspace",)
    search_fields = ("budget__workspace__name", "budget__name", "changed_by")
    search_help_text = "Workspace, budget, or who changed it."

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
        budgets = list(queryset.select_related("workspace").prefetch_related("raises"))
        found = period_spends(budgets)
        if any(spend is None and is_summed(budget) for budget, spend in found):
            messages.warning(request, UNKNOWN)
        return queryset.filter(pk__in=[one.pk for one, spend in found if budget_status(one, spend) == self.value()])


def is_summed(budget: Budget) -> bool:
    """Returns whether the budget has one sum: a template has many, and a period that does not run has none."""
    return not budget.per and running(budget, datetime.now(UTC)) is not None


def period_spends(budgets: list[Budget]) -> list[tuple[Budget, Decimal | None]]:
    """Returns each budget with its spend: None, and not 0, while the analytics database is unreachable."""
    found = [one for budget in budgets if not budget.per and (one := running(budget, datetime.now(UTC)))]
    try:
        amounts = spends(found)
    except DatabaseError:
        amounts = {}
    return [(budget, amounts.get(budget.pk)) for budget in budgets]


def budget_status(budget: Budget, spend: Decimal | None) -> str:
    if not is_summed(budget):
        return "template" if budget.per else "not running"
    return "unknown" if spend is None else budget.status(spend, budget.limit_at(datetime.now(UTC)))


def threshold_bodies(stored: Any) -> list[dict[str, Any]] | None:
    """Returns the thresholds that somebody has typed; None for the usual ones."""
    try:
        return [threshold_body(one) for one in stored_thresholds(stored)] if stored else None
    except (ArithmeticError, AttributeError, KeyError, TypeError) as error:
        message = 'Thresholds: write them like [{"basis": "actual", "percent": "80", "severity": "warning"}].'
        raise forms.ValidationError(message) from error


class BudgetForm(ModelForm):
    """Checks a budget as the API does."""

    def clean(self) -> dict[str, Any]:
        values: dict[str, Any] = super().clean() or {}
        if self.errors or not self.is_complete:
            return values
        body = {name: values[name] for name in ("name", "amount_usd", "owner", "is_active")}
        body |= {"scope": values["scope"] or {}, "per": values["per"] or None, "period": self.period(values)}
        try:
            body |= {"thresholds": threshold_bodies(values["thresholds"])}
            validated(body, OwnBudget if values["is_workspace_budget"] else NewBudget, "budget")
        except Problem as problem:
            raise forms.ValidationError(
                [f"{'.'.join(map(str, error['loc'][1:]))}: {error['msg']}" for error in problem.errors]
            ) from problem
        return values

    @property
    def is_complete(self) -> bool:
        """Returns whether the form has every field: that of a workspace's own budget has the amount only."""
        return "scope" in self.fields

    def period(self, values: dict[str, Any]) -> Any:
        if values["period"] == "rolling":
            return {"rolling_days": values["rolling_days"]}
        if values["period"] == "fixed":
            return {"from": values["fixed_from"] or date.max, "to": values["fixed_to"] or date.max}
        return values["period"]


@admin.register(Budget)
class BudgetAdmin(WithJson):
    form = BudgetForm
    list_display = (
        "workspace",
        "name",
        "limit",
        "every",
        "spend",
        "used",
        "status",
        "warns_at",
        "updated",
    )
    list_filter = (StatusFilter, "is_workspace_budget", "period")
    list_select_related = ("workspace",)
    search_fields = ("workspace__name", "name", "owner")
    autocomplete_fields = ("workspace",)
    readonly_fields = ("created_at", "updated_at")
    inlines = (BudgetChangeInline,)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Budget]:
        budgets: QuerySet[Budget] = super().get_queryset(request)
        return budgets.prefetch_related("raises")

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        changelist = super().get_changelist_instance(request)
        listed = list(changelist.result_list)
        for budget, spend in period_spends(listed):
            budget.period_spend_usd = spend  # type: ignore[attr-defined]
        changelist.result_list = listed
        return changelist

    @admin.display(description="limit", ordering="amount_usd")
    def limit(self, budget: Budget) -> str:
        limit = budget.limit_at(datetime.now(UTC))
        return "none" if limit is None else cents(limit)

    @admin.display(description="every", ordering="period")
    def every(self, budget: Budget) -> str:
        return f"{budget.rolling_days} days" if budget.period == "rolling" else budget.period

    @admin.display(description="warns at", ordering="alert_threshold_percentage")
    def warns_at(self, budget: Budget) -> str:
        return f"{budget.alert_threshold_percentage.normalize():f} %" if budget.is_workspace_budget else ""

    @admin.display(description="updated", ordering="updated_at")
    def updated(self, budget: Budget) -> str:
        return f"{budget.updated_at:%-d %b %Y}"

    @admin.display(description="spent")
    def spend(self, budget: Any) -> str:
        return cents(budget.period_spend_usd) if is_summed(budget) else "-"

    @admin.display
    def used(self, budget: Any) -> str:
        limit = budget.limit_at(datetime.now(UTC))
        if budget.period_spend_usd is None or not limit:
            return "-"
        return percent_reached(budget.period_spend_usd * 100 / limit)

    @admin.display
    def status(self, budget: Any) -> str:
        return budget_status(budget, budget.period_spend_usd)

    def get_fields(self, request: HttpRequest, obj: Budget | None = None) -> Any:
        if obj is None:
            return FIELDS
        return OWN_FIELDS if obj.is_workspace_budget else (*FIELDS, *self.readonly_fields)

    def get_readonly_fields(self, request: HttpRequest, obj: Budget | None = None) -> Any:
        return [*self.readonly_fields, "workspace", "is_workspace_budget"] if obj else self.readonly_fields

    def save_model(self, request: HttpRequest, obj: Budget, form: ModelForm, change: bool) -> None:
        before = Budget.objects.get(pk=obj.pk) if change else None
        if not obj.is_workspace_budget:
            body = body_of(obj) | ({} if change or obj.thresholds else {"thresholds": None})
            fill(obj, validated(body, NewBudget, "budget"))
        obj.rearm_if_changed(before)
        super().save_model(request, obj, form, change)
        if form.changed_data or not change:
            obj.record_change(before, str(request.user))
