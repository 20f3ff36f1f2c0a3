from decimal import Decimal
from typing import Any, ClassVar, Literal
from uuid import uuid4

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver

from workspaces.models import Workspace

BudgetStatus = Literal["unset", "ok", "warning", "critical", "exceeded", "unknown"]

CRITICAL_PERCENTAGE = 90


class Budget(models.Model):
    """How much a workspace may spend in a calendar month of its time zone."""

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    workspace = models.OneToOneField(Workspace, models.CASCADE, related_name="budget")
    monthly_limit_usd = models.DecimalField(
        "monthly limit in USD",
        max_digits=10,
        decimal_places=2,
        null=True,
        blank=True,
        validators=[MinValueValidator(Decimal(0), "The limit must not be negative.")],
        help_text="Empty: no limit.",
    )
    alert_threshold_percentage = models.DecimalField(
        "alert threshold in percent",
        max_digits=5,
        decimal_places=2,
        default=Decimal(80),
        validators=[
            MinValueValidator(Decimal("0.01"), "The threshold must be above 0 percent."),
            MaxValueValidator(Decimal(100), "The threshold must be at most 100 percent."),
        ],
        help_text="The budget warns when spend reaches this share of the limit.",
    )
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering: ClassVar = ["workspace__name"]
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(monthly_limit_usd__gte=0), name="limit_is_not_negative"),
            models.CheckConstraint(
                condition=Q(alert_threshold_percentage__gt=0, alert_threshold_percentage__lte=100),
                name="threshold_is_a_percentage",
            ),
        ]

    def __str__(self) -> str:
        return f"Budget of {self.workspace}"

    def status(self, spend_usd: Decimal) -> BudgetStatus:
        if self.monthly_limit_usd is None:
            return "unset"
        if spend_usd >= self.monthly_limit_usd:
            return "exceeded"
        used = spend_usd * 100 / self.monthly_limit_usd
        if used < self.alert_threshold_percentage:
            return "ok"
        return "critical" if used >= CRITICAL_PERCENTAGE else "warning"

    def record_change(self, before: "Budget | None", changed_by: str) -> None:
        BudgetChange.objects.create(
            budget=self,
            changed_by=changed_by,
            limit_from_usd=before.monthly_limit_usd if before else None,
            limit_to_usd=self.monthly_limit_usd,
            threshold_from=before.alert_threshold_percentage if before else None,
            threshold_to=self.alert_threshold_percentage,
        )


class BudgetChange(models.Model):
    budget = models.ForeignKey(Budget, models.CASCADE, related_name="changes")
    changed_at = models.DateTimeField(auto_now_add=True)
    changed_by = models.CharField(max_length=200)
    limit_from_usd = models.DecimalField(max_digits=10, decimal_places=2, null=True)
    limit_to_usd = models.DecimalField(max_digits=10, decimal_places=2, null=True)
    threshold_from = models.DecimalField(max_digits=5, decimal_places=2, null=True)
    threshold_to = models.DecimalField(max_digits=5, decimal_places=2)

    class Meta:
        ordering: ClassVar = ["-changed_at", "-id"]

    def __str__(self) -> str:
        return f"{self.changed_at:%Y-%m-%d %H:%M} by {self.changed_by}"


@receiver([post_save, post_delete], sender=Budget)
def invalidate_answers(instance: Budget, **signal: Any) -> None:
    """Changes the workspace's epoch in the same transaction, so that nobody gets an older cached answer."""
    Workspace.change_epoch(instance.workspace_id)
