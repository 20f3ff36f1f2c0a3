"""What a span says of itself, kept so that a late span can correct the rows of its trace. No metric reads it."""

from django.db import migrations

SAID = """
ALTER TABLE traces
    ADD COLUMN span_facts jsonb,
    ADD COLUMN link text;

CREATE INDEX idx_traces_workspace_link ON traces (workspace_id, link, timestamp) WHERE link IS NOT NULL;
"""


class Migration(migrations.Migration):
    dependencies = (("traces", "0001_traces"),)

    operations = (migrations.RunSQL(SAID, "ALTER TABLE traces DROP COLUMN span_facts, DROP COLUMN link"),)
