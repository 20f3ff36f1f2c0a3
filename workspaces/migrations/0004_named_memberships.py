import django.db.models.manager
from django.db import migrations


class Migration(migrations.Migration):
    """Changes nothing in the database."""

    dependencies = [
        ("workspaces", "0003_epoch"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="membership",
            options={"base_manager_name": "named"},
        ),
        migrations.AlterModelManagers(
            name="membership",
            managers=[
                ("objects", django.db.models.manager.Manager()),
                ("named", django.db.models.manager.Manager()),
            ],
        ),
    ]
