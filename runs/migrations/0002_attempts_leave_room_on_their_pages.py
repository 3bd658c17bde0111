"""Attempts are rewritten at every poll: room on each page keeps those updates off the indexes, vacuum keeps up."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("runs", "0001_initial")]

    operations = [
        migrations.RunSQL(
            sql="ALTER TABLE attempts SET (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.01)",
            reverse_sql="ALTER TABLE attempts RESET (fillfactor, autovacuum_vacuum_scale_factor)",
        ),
    ]
