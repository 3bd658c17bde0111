"""Two tables seen from another side: what failed for good, and the ledger, summed."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("runs", "0004_a_ledger_is_only_added_to")]

    operations = [
        migrations.CreateModel(
            name="DeadLetter",
            fields=[],
            options={"ordering": ["-finished_at", "-pk"], "proxy": True, "indexes": [], "constraints": []},
            bases=("runs.step",),
        ),
        migrations.CreateModel(
            name="Spending",
            fields=[],
            options={"verbose_name_plural": "usage", "proxy": True, "indexes": [], "constraints": []},
            bases=("runs.ledgerentry",),
        ),
    ]
