"""Spans of a trace and records of a call are found by eight bytes, in the indexes of their week and day."""

from django.db import migrations

from traces.schema import INDEXES

# One at a time, as Citus takes them.
GONE = ("DROP INDEX IF EXISTS idx_traces_workspace_link", "DROP INDEX IF EXISTS idx_traces_workspace_trace")


class Migration(migrations.Migration):
    dependencies = (("traces", "0004_engine"),)

    operations = (
        # Making them takes as long as there are rows.
        migrations.RunSQL("SET LOCAL statement_timeout = 0", migrations.RunSQL.noop),
        migrations.RunSQL(GONE, migrations.RunSQL.noop),
        migrations.RunSQL(INDEXES, GONE),
    )
