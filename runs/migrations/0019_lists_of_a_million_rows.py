"""Lists and searches of the admin are served by indexes, however many rows there are."""

from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('runs', '0018_run_shares'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name='run',
            name='run_zap',
        ),
        migrations.RemoveIndex(
            model_name='step',
            name='step_status',
        ),
        migrations.AddIndex(
            model_name='asset',
            index=models.Index(fields=['sha256'], name='asset_sha256'),
        ),
        migrations.AddIndex(
            model_name='asset',
            index=models.Index(fields=['kind', '-id'], name='asset_kind'),
        ),
        migrations.AddIndex(
            model_name='attempt',
            index=models.Index(condition=models.Q(('status__in', ['canceled', 'done', 'failed']), models.Q(('provider_request_id', ''), _negated=True)), fields=['provider_request_id'], name='attempt_request'),
        ),
        migrations.AddIndex(
            model_name='attempt',
            index=models.Index(condition=models.Q(('status__in', ['canceled', 'failed'])), fields=['status', '-id'], name='attempt_ended_badly'),
        ),
        migrations.AddIndex(
            model_name='ledgerentry',
            index=models.Index(fields=['provider', '-id'], name='ledger_provider'),
        ),
        migrations.AddIndex(
            model_name='ledgerentry',
            index=models.Index(condition=models.Q(('kind', 'spent')), fields=['source', '-id'], name='ledger_source'),
        ),
        migrations.AddIndex(
            model_name='ledgerentry',
            index=models.Index(condition=models.Q(('kind', 'overshoot')), fields=['-id'], name='ledger_overshoot'),
        ),
        migrations.AddIndex(
            model_name='run',
            index=models.Index(fields=['provider_mode', '-started_at', '-id'], name='run_mode'),
        ),
        migrations.AddIndex(
            model_name='run',
            index=models.Index(fields=['zap_slug', '-started_at'], name='run_recipe', opclasses=['varchar_pattern_ops', 'timestamptz_ops']),
        ),
        migrations.AddIndex(
            model_name='runevent',
            index=models.Index(condition=models.Q(('actor__in', ['drain', 'webhook', 'worker']), _negated=True), fields=['actor', '-id'], name='run_event_actor'),
        ),
        migrations.AddIndex(
            model_name='step',
            index=models.Index(fields=['status', '-id'], name='step_status_newest'),
        ),
    ]
