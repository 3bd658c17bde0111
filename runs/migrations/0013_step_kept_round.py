"""A step that was stopped before anybody decided finds what it had made."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('runs', '0012_new_runs_in_turn'),
    ]

    operations = [
        migrations.AddField(
            model_name='step',
            name='kept_round',
            field=models.IntegerField(blank=True, help_text='The round whose results count again: it ended before anybody decided.', null=True),
        ),
    ]
