"""Lists of dead letters, feedback and webhooks are served by indexes, however many rows there are."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('runs', '0021_what_runs_were_given'),
    ]

    operations = [
        migrations.AddIndex(
            model_name='feedback',
            index=models.Index(fields=['kind', '-id', 'rater'], name='feedback_kind'),
        ),
        migrations.AddIndex(
            model_name='feedback',
            index=models.Index(fields=['rater', '-id'], name='feedback_rater'),
        ),
        migrations.AddIndex(
            model_name='step',
            index=models.Index(condition=models.Q(('status', 'failed')), fields=['-finished_at', '-id', 'provider', 'model', 'error'], name='step_failed'),
        ),
        migrations.AddIndex(
            model_name='webhook',
            index=models.Index(condition=models.Q(('outcome__in', ['early', 'late', 'proof'])), fields=['outcome', '-id'], name='webhook_odd'),
        ),
    ]
