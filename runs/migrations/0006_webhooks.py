"""The inbox of webhooks, and the token by which one finds its attempt."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('runs', '0005_dead_letters_and_usage'),
    ]

    operations = [
        migrations.CreateModel(
            name='Webhook',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('provider', models.CharField(max_length=40)),
                ('event_id', models.CharField(help_text="The provider's id of the event, or its body's digest.", max_length=200)),
                ('request_id', models.CharField(max_length=300)),
                ('outcome', models.CharField(help_text='rung, early: before its job was on record, proof: that there is one, or late.', max_length=8)),
                ('received_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
            ],
            options={
                'db_table': 'webhooks',
                'ordering': ['pk'],
            },
        ),
        migrations.AddField(
            model_name='attempt',
            name='heard_at',
            field=models.DateTimeField(blank=True, help_text='When it first called.', null=True),
        ),
        migrations.AddField(
            model_name='attempt',
            name='webhook_digest',
            field=models.CharField(blank=True, db_default='', default='', help_text='SHA-256 of the token in the address that the provider calls when the job has ended; empty: none.', max_length=64),
        ),
        migrations.AddConstraint(
            model_name='attempt',
            constraint=models.UniqueConstraint(condition=models.Q(('webhook_digest', ''), _negated=True), fields=('webhook_digest',), name='attempt_webhook_once'),
        ),
        migrations.AddField(
            model_name='webhook',
            name='attempt',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='webhooks', to='runs.attempt'),
        ),
        migrations.AddConstraint(
            model_name='webhook',
            constraint=models.UniqueConstraint(fields=('provider', 'event_id'), name='webhook_once'),
        ),
        migrations.AddConstraint(
            model_name='webhook',
            constraint=models.CheckConstraint(condition=models.Q(('outcome__in', ['early', 'late', 'proof', 'rung'])), name='webhook_outcome_known'),
        ),
    ]
