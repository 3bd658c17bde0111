import django.contrib.postgres.fields
import django.contrib.postgres.indexes
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('automations', '0001_standing_orders'),
        ('runs', '0021_what_runs_were_given'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name='firing',
            name='media',
            field=django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=300), default=list, editable=False, help_text='Files that its own inputs name.', size=None),
        ),
        migrations.AddField(
            model_name='schedule',
            name='media',
            field=django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=300), default=list, editable=False, help_text='Files that it names.', size=None),
        ),
        migrations.AddField(
            model_name='trigger',
            name='media',
            field=django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=300), default=list, editable=False, help_text='Files that it names.', size=None),
        ),
        migrations.AddIndex(
            model_name='firing',
            index=django.contrib.postgres.indexes.GinIndex(fields=['media'], name='firing_media'),
        ),
        migrations.AddIndex(
            model_name='schedule',
            index=django.contrib.postgres.indexes.GinIndex(fields=['media'], name='schedule_media'),
        ),
        migrations.AddIndex(
            model_name='trigger',
            index=django.contrib.postgres.indexes.GinIndex(fields=['media'], name='trigger_media'),
        ),
    ]
