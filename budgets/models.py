from datetime import date, datetime
from decimal import Decimal
from typing import Any, ClassVar, Literal
from uuid import UUID, uuid4

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver

from budgets.periods import CALENDAR_PERIODS, Days, calendar_days, earlier_periods, rolling_days
from budgets.thresholds import ACTUAL, CRITICAL, FORECAST, WARNING, Threshold, stored_thresholds
from traces.filters import FilterValues
from workspaces.audit import record
from workspaces.models import Workspace

BudgetStatus = Literal["unset", "ok", "warning", "critical", "exceeded", "unknown"]

CRITICAL_PERCENTAGE = 90
MOST_USD = Decimal("999999999999.99")
"""Of an amount, and of a limit with its raises."""
OWN_NAME = "Whole workspace"
NAME_LENGTH, REASON_LENGTH, AUTHOR_LENGTH = 100, 500, 200
ROLLING, FIXED = "rolling", "fixed"
PERIODS = (*CALENDAR_PERIODS, ROLLING, FIXED)
PER_DIMENSIONS = {"agent": "agent_id", "user": "user_id", "model": "model"}
"""What a template has a counter for each value of, with its filter. A label is named by its filter: label.customer."""


class Budget(models.Model):
    """How much may be spent in a period: by a whole workspace, by a part of it, or by each user, agent, model or label.

    One budget of a workspace is its own: a month without a scope, whose amount may be missing. `cost/budget` shows it.

    The version before knew only these. Its processes still write while a new version starts, so the database has
    defaults for all newer columns, and the amount is in the column that they know.
    """

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="budgets")
    is_workspace_budget = models.BooleanField("the workspace's own", default=False, db_default=True)
    name = models.CharField(max_length=NAME_LENGTH, default=OWN_NAME, db_default=OWN_NAME)
    amount_usd = models.DecimalField(
        "amount in USD",
        max_digits=14,
        decimal_places=2,
        null=True,
        blank=True,
        db_column="monthly_limit_usd",
        validators=[MinValueValidator(Decimal(0), "The limit must not be negative.")],
        help_text="Empty: no limit. Only the workspace's own budget may have none.",
    )
    period = models.CharField(
        max_length=10, default="month", db_default="month", choices=[(name, name) for name in PERIODS]
    )
    rolling_days = models.PositiveSmallIntegerField(null=True, blank=True)
    fixed_from = models.DateField(null=True, blank=True)
    fixed_to = models.DateField(null=True, blank=True, help_text="The first day that is no longer in the period.")
    scope = models.JSONField(default=dict, db_default={}, blank=True)
    """The values of each filter, by its name. Empty: everything."""
    per = models.CharField(max_length=300, default="", db_default="", blank=True)
    """A key of PER_DIMENSIONS, or label.<name>. Empty: the budget is no template."""
    thresholds = models.JSONField(default=list, db_default=[], blank=True)
    owner = models.CharField(max_length=AUTHOR_LENGTH, default="", db_default="", blank=True)
    is_active = models.BooleanField(default=True, db_default=True)
    alert_threshold_percentage = models.DecimalField(
        "alert threshold in percent",
        max_digits=5,
        decimal_places=2,
        default=Decimal(80),
        validators=[
            MinValueValidator(Decimal("0.01"), "The threshold must be above 0 percent."),
            MaxValueValidator(Decimal(100), "The threshold must be at most 100 percent."),
        ],
        help_text="The workspace's own budget warns when spend reaches this share of the limit.",
    )
    evaluated_at = models.DateTimeField(null=True, editable=False)
    """None: the thresholds are new, so what has passed them already has done so before."""
    forecast_at = models.DateTimeField(null=True, editable=False)
    """When its thresholds on the forecast were last looked at. None: not since they were made or changed."""
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering: ClassVar = ["workspace__name", "-is_workspace_budget", "created_at"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["workspace"], condition=Q(is_workspace_budget=True), name="one_own_budget_of_a_workspace"
            ),
            models.CheckConstraint(condition=Q(amount_usd__gte=0), name="amount_is_not_negative"),
            models.CheckConstraint(
                condition=Q(is_workspace_budget=True) | Q(amount_usd__isnull=False), name="only_own_may_have_no_amount"
            ),
            models.CheckConstraint(
                condition=Q(is_workspace_budget=False) | Q(period="month", per=""), name="own_budget_is_of_a_month"
            ),
            models.CheckConstraint(
                condition=Q(alert_threshold_percentage__gt=0, alert_threshold_percentage__lte=100),
                name="threshold_is_a_percentage",
            ),
            models.CheckConstraint(
                condition=~Q(period=ROLLING) | Q(rolling_days__gte=1), name="a_rolling_period_has_days"
            ),
            models.CheckConstraint(
                condition=~Q(period=FIXED) | Q(fixed_from__lt=models.F("fixed_to")), name="a_fixed_period_has_days"
            ),
        ]

    def __str__(self) -> str:
        return f"Budget of {self.workspace}" if self.is_workspace_budget else self.name

    # --- What it is about ---

    @property
    def filter_values(self) -> dict[str, FilterValues]:
        return {name: FilterValues(tuple(values)) for name, values in self.scope.items()}

    @property
    def per_dimension(self) -> str:
        """Returns the filter whose values have a counter each; empty for a budget that is no template."""
        return PER_DIMENSIONS.get(self.per, self.per)

    def days(self, day: date) -> Days | None:
        """Returns the period in which the day lies. None: it is before or after a fixed period."""
        if self.period == ROLLING:
            return rolling_days(self.rolling_days or 1, day)
        if self.period == FIXED:
            fixed = Days(self.fixed_from or day, self.fixed_to or day)
            return fixed if fixed.first <= day < fixed.until else None
        return calendar_days(self.period, day)

    def past_days(self, days: Days, count: int) -> list[Days]:
        """Returns the periods before this one, the oldest first. Rolling and fixed periods have none."""
        return earlier_periods(self.period, days, count) if self.period in CALENDAR_PERIODS else []

    # --- How much ---

    def limit_at(self, moment: datetime) -> Decimal | None:
        """Returns the amount with the raises in force at this moment; None without a limit."""
        if self.amount_usd is None:
            return None
        raised = (one.amount_usd for one in self.raises.all() if one.is_in_force(moment))
        return self.amount_usd + sum(raised, Decimal(0))

    @property
    def alert(self) -> Threshold:
        """Returns the threshold of the own budget's alert. It is stored as a percentage of its own."""
        return Threshold(ACTUAL, self.alert_threshold_percentage, None, WARNING)

    @property
    def threshold_list(self) -> list[Threshold]:
        """Returns the thresholds, the lowest first. That of the own budget's alert is among them."""
        found = stored_thresholds(self.thresholds)
        if self.is_workspace_budget:
            found = [self.alert, *(one for one in found or OWN_THRESHOLDS if one.key != self.alert.key)]
        return sorted(found, key=lambda one: (one.basis, one.percent is None, one.percent or one.amount_usd or 0))

    def status(self, spend_usd: Decimal, limit_usd: Decimal | None = None) -> BudgetStatus:
        """Returns the status at this spend. `limit_usd` is the amount with its raises."""
        limit = self.amount_usd if limit_usd is None else limit_usd
        if limit is None:
            return "unset"
        if spend_usd >= limit:
            return "exceeded"
        if self.is_workspace_budget:
            return self.status_by_percentage(spend_usd * 100 / limit)
        passed = {one.severity for one in self.threshold_list if one.basis == ACTUAL and spend_usd >= one.usd(limit)}
        return "critical" if CRITICAL in passed else "warning" if WARNING in passed else "ok"

    def status_by_percentage(self, used: Decimal) -> BudgetStatus:
        if used < self.alert_threshold_percentage:
            return "ok"
        return "critical" if used >= CRITICAL_PERCENTAGE else "warning"

    # --- History ---

    def rearm_if_changed(self, before: "Budget | None") -> None:
        """Has the thresholds looked at anew where something that they depend on differs from before."""
        if before is None or any(getattr(before, name) != getattr(self, name) for name in WATCHED):
            self.evaluated_at = self.forecast_at = None

    def record_change(
        self, before: "Budget | None", changed_by: str, reason: str = "", details: dict[str, Any] | None = None
    ) -> None:
        """Stores what differs from before, or the `details`, and who changed it and why."""
        own = self.is_workspace_budget
        BudgetChange.objects.create(
            budget=self,
            changed_by=changed_by[:AUTHOR_LENGTH],
            reason=reason,
            limit_from_usd=before.amount_usd if before else None,
            limit_to_usd=self.amount_usd,
            threshold_from=before.alert_threshold_percentage if before and own else None,
            threshold_to=self.alert_threshold_percentage if own else None,
            details=details or (changed_details(before, self) if before else {}),
        )
        self.record_in_audit(before, changed_by, reason, details)

    def record_in_audit(
        self, before: "Budget | None", changed_by: str, reason: str, details: dict[str, Any] | None
    ) -> None:
        old, new = values_of(before) if before else None, values_of(self)
        if details:
            old, new = ({name: pair[place] for name, pair in details.items()} for place in (0, 1))
        action = "budget.change" if before else "budget.create"
        given = {"reason": reason} if reason else {}
        record(self.workspace, changed_by, action, self.name, old, new | given)


OWN_THRESHOLDS = [
    Threshold(ACTUAL, Decimal(100), None, CRITICAL),
    Threshold(FORECAST, Decimal(100), None, WARNING),
]
"""Of the workspace's own budget, besides its alert threshold."""
DETAILS = (
    "name",
    "period",
    "rolling_days",
    "fixed_from",
    "fixed_to",
    "scope",
    "per",
    "thresholds",
    "owner",
    "is_active",
)


WATCHED = (
    *("amount_usd", "alert_threshold_percentage", "period", "rolling_days", "fixed_from", "fixed_to"),
    *("scope", "per", "threshold_list", "is_active"),
)
"""What decides whether a threshold is reached."""


def changed_details(before: Budget, after: Budget) -> dict[str, Any]:
    """Returns the fields that differ, each with its value before and after."""
    pairs = {name: [plain(getattr(one, name)) for one in (before, after)] for name in DETAILS}
    return {name: values for name, values in pairs.items() if values[0] != values[1]}


def values_of(budget: Budget) -> dict[str, Any]:
    """Returns what people set of a budget, for the audit."""
    alert = {"alert_threshold_percentage": budget.alert_threshold_percentage} if budget.is_workspace_budget else {}
    return {"amount_usd": budget.amount_usd, **alert, **{name: plain(getattr(budget, name)) for name in DETAILS}}


def plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value


def own_budget(workspace: Workspace) -> Budget:
    """Returns the workspace's own budget: one without a limit that is not stored, where none was ever set."""
    found = Budget.objects.filter(workspace=workspace, is_workspace_budget=True).prefetch_related("raises").first()
    return found or Budget(workspace=workspace, is_workspace_budget=True)


class BudgetChange(models.Model):
    budget = models.ForeignKey(Budget, models.CASCADE, related_name="changes")
    changed_at = models.DateTimeField(auto_now_add=True)
    changed_by = models.CharField(max_length=AUTHOR_LENGTH)
    reason = models.CharField(max_length=REASON_LENGTH, default="", db_default="", blank=True)
    limit_from_usd = models.DecimalField(max_digits=14, decimal_places=2, null=True)
    limit_to_usd = models.DecimalField(max_digits=14, decimal_places=2, null=True)
    threshold_from = models.DecimalField(max_digits=5, decimal_places=2, null=True)
    threshold_to = models.DecimalField(max_digits=5, decimal_places=2, null=True)
    details = models.JSONField(default=dict, db_default={})
    """The other fields that changed, each with its value before and after."""

    class Meta:
        ordering: ClassVar = ["-changed_at", "-id"]

    def __str__(self) -> str:
        return f"{self.changed_at:%Y-%m-%d %H:%M} by {self.changed_by}"


class BudgetRaise(models.Model):
    """An amount that is added to a budget for some time."""

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    budget = models.ForeignKey(Budget, models.CASCADE, related_name="raises")
    amount_usd = models.DecimalField(max_digits=14, decimal_places=2)
    created_at = models.DateTimeField(auto_now_add=True)
    until = models.DateTimeField()
    """It ends then, or earlier if somebody takes it back."""
    reason = models.CharField(max_length=REASON_LENGTH)
    created_by = models.CharField(max_length=AUTHOR_LENGTH)

    class Meta:
        ordering: ClassVar = ["-created_at", "-id"]
        constraints: ClassVar = [models.CheckConstraint(condition=Q(amount_usd__gt=0), name="a_raise_adds")]

    def __str__(self) -> str:
        return f"{self.amount_usd} USD until {self.until:%Y-%m-%d %H:%M}"

    def is_in_force(self, moment: datetime) -> bool:
        return self.created_at <= moment < self.until


class BudgetEvent(models.Model):
    """A threshold that was reached, with what was known then. Late traces do not change it."""

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    budget = models.ForeignKey(Budget, models.CASCADE, related_name="events")
    at = models.DateTimeField()
    """Thresholds that are reached at once have the same moment."""
    period_start = models.DateTimeField()
    period_end = models.DateTimeField()
    threshold = models.CharField(max_length=60)
    """Its key, like actual:80% or forecast:$500.00."""
    basis = models.CharField(max_length=10)
    severity = models.CharField(max_length=10)
    channels = models.JSONField(default=list)
    value = models.TextField(blank=True)
    """The user, agent, model or label that reached it; empty where the budget is no template."""
    spent_usd = models.DecimalField(max_digits=26, decimal_places=12)
    limit_usd = models.DecimalField(max_digits=14, decimal_places=2)
    threshold_usd = models.DecimalField(max_digits=20, decimal_places=6)
    expected_usd = models.FloatField(null=True)
    """The forecast of the period, with its range; None for a threshold on what was spent."""
    low_usd = models.FloatField(null=True)
    high_usd = models.FloatField(null=True)
    passed_before = models.BooleanField(default=False)
    """It was reached before the threshold was made: to be named once, not announced as news."""
    ended_at = models.DateTimeField(null=True)
    """From then on the same threshold can be reached again: in the next period, or after a change of the budget."""

    class Meta:
        ordering: ClassVar = ["-at", "-threshold_usd", "value"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["budget", "period_start", "threshold", "value"],
                condition=Q(ended_at=None),
                name="a_threshold_is_reached_once",
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["budget", "-at"], name="events_of_a_budget")]

    def __str__(self) -> str:
        return f"{self.threshold} at {self.at:%Y-%m-%d %H:%M}"


@receiver([post_save, post_delete], sender=Budget)
def invalidate_answers(instance: Budget, **signal: Any) -> None:
    """Changes the workspace's epoch in the same transaction, so that nobody gets an older cached answer."""
    Workspace.change_epoch(instance.workspace_id)


@receiver([post_save, post_delete], sender=BudgetRaise)
def invalidate_answers_of_raise(instance: BudgetRaise, **signal: Any) -> None:
    Workspace.change_epoch(workspace_of(instance.budget_id))


def workspace_of(budget_id: UUID) -> UUID:
    found: UUID = Budget.objects.values_list("workspace_id", flat=True).get(pk=budget_id)
    return found
