from decimal import Decimal
from typing import Any

import django.core.validators
import django.db.models.deletion
from django.db import migrations, models


def carry_back(apps: Any, schema_editor: Any) -> None:
    """Deletes the budgets that the state before cannot hold."""
    apps.get_model("budgets", "Budget").objects.filter(is_workspace_budget=False).delete()


class Migration(migrations.Migration):
    dependencies = [
        ("budgets", "0001_initial"),
    ]

    operations = [
        migrations.RemoveConstraint(model_name="budget", name="limit_is_not_negative"),
        # The column keeps its name: processes of the version before still read and write it.
        migrations.AlterField(
            model_name="budget",
            name="monthly_limit_usd",
            field=models.DecimalField(
                blank=True, db_column="monthly_limit_usd", decimal_places=2, max_digits=14, null=True
            ),
        ),
        migrations.RenameField(model_name="budget", old_name="monthly_limit_usd", new_name="amount_usd"),
        migrations.AlterField(
            model_name="budget",
            name="amount_usd",
            field=models.DecimalField(
                blank=True,
                db_column="monthly_limit_usd",
                decimal_places=2,
                help_text="Empty: no limit. Only the workspace's own budget may have none.",
                max_digits=14,
                null=True,
                validators=[django.core.validators.MinValueValidator(Decimal("0"), "The limit must not be negative.")],
                verbose_name="amount in USD",
            ),
        ),
        migrations.AddField(
            model_name="budget",
            name="is_workspace_budget",
            # The default of the database makes the only budget of each workspace its own.
            field=models.BooleanField(db_default=True, default=False, verbose_name="the workspace's own"),
        ),
        migrations.RunPython(migrations.RunPython.noop, carry_back),
    ]
