import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('runs', '0022_lists_of_trouble'),
    ]

    operations = [
        migrations.CreateModel(
            name='PendingEvent',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('seq', models.BigIntegerField(help_text="Number of the move in the run's log.")),
                ('event', models.JSONField()),
                ('due_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('rung_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), help_text='Whoever writes it rings, once that is committed.')),
                ('run', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='runs.run')),
            ],
            options={
                'db_table': 'pending_flow_events',
                'indexes': [models.Index(fields=['due_at'], name='pending_event_due')],
                'constraints': [models.UniqueConstraint(fields=('run', 'seq'), name='pending_event_once')],
            },
        ),
    ]
