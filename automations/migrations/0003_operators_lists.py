"""Lists of what starts runs without a person are served by indexes, however many rows there are."""

from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('automations', '0002_media_of_orders'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name='firing',
            name='firing_started',
        ),
        migrations.AddIndex(
            model_name='batch',
            index=models.Index(fields=['slug', '-id'], name='batch_recipe', opclasses=['varchar_pattern_ops', 'int8_ops']),
        ),
        migrations.AddIndex(
            model_name='firing',
            index=models.Index(fields=['status', '-id'], name='firing_status'),
        ),
        migrations.AddIndex(
            model_name='schedule',
            index=models.Index(condition=models.Q(('status', 'paused')), fields=['-id', 'reason'], name='schedule_paused'),
        ),
        migrations.AddIndex(
            model_name='schedule',
            index=models.Index(fields=['slug', '-id'], name='schedule_recipe', opclasses=['varchar_pattern_ops', 'int8_ops']),
        ),
        migrations.AddIndex(
            model_name='trigger',
            index=models.Index(fields=['slug', '-id'], name='trigger_recipe', opclasses=['varchar_pattern_ops', 'int8_ops']),
        ),
    ]
