from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("workspaces", "0006_keys_rotate"),
    ]

    operations = [
        migrations.AddField(
            model_name="workspace",
            name="requires_second_factor",
            # The version before stores workspaces without it.
            field=models.BooleanField(
                db_default=False,
                default=False,
                help_text="Members see it only with a second factor: an authenticator app or a passkey. Keys need none.",
            ),
        ),
    ]
