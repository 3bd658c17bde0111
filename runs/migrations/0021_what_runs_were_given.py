"""Put down which stored files the runs that there are were given."""

from django.db import migrations

_COLLECT = r"""
    INSERT INTO run_inputs (run_id, storage_key)
    SELECT DISTINCT r.id, substring(given.value FROM '^input:([^|]+)\|')
    FROM runs r CROSS JOIN LATERAL jsonb_each_text(r.inputs) AS given
    WHERE given.value ~ '^input:(inputs|uploads)/[^|]+\|'
    ON CONFLICT DO NOTHING"""


class Migration(migrations.Migration):

    dependencies = [("runs", "0020_runs_that_are_deleted")]

    operations = [migrations.RunSQL(_COLLECT, migrations.RunSQL.noop)]
