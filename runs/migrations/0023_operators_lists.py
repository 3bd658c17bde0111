"""Operators' lists of breakers, accounts, read tokens and of who did what are served by indexes."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('admin', '0003_logentry_add_action_flag_choices'),
        ('runs', '0022_lists_of_trouble'),
    ]

    operations = [
        # Django's own table: what was done to a row, or at an address; and what is rare.
        migrations.RunSQL(
            '''
            CREATE INDEX IF NOT EXISTS django_admin_log_newest ON django_admin_log (user_id, action_time DESC);
            CREATE INDEX IF NOT EXISTS django_admin_log_row ON django_admin_log (object_id);
            CREATE INDEX IF NOT EXISTS django_admin_log_name_like ON django_admin_log (object_repr varchar_pattern_ops);
            CREATE INDEX IF NOT EXISTS django_admin_log_done ON django_admin_log (action_flag, id DESC);
            ''',
            '''
            DROP INDEX IF EXISTS django_admin_log_newest;
            DROP INDEX IF EXISTS django_admin_log_row;
            DROP INDEX IF EXISTS django_admin_log_name_like;
            DROP INDEX IF EXISTS django_admin_log_done;
            ''',
        ),
        migrations.AddIndex(
            model_name='circuit',
            index=models.Index(models.OrderBy(models.F('retry_at'), descending=True, nulls_last=True), condition=models.Q(('status', 'closed'), _negated=True), name='circuit_paused'),
        ),
        migrations.AddIndex(
            model_name='circuit',
            index=models.Index(fields=['-updated_at', '-id'], name='circuit_changed'),
        ),
        migrations.AddIndex(
            model_name='circuit',
            index=models.Index(condition=models.Q(('model', ''), _negated=True), fields=['model'], name='circuit_model', opclasses=['varchar_pattern_ops']),
        ),
        migrations.AddIndex(
            model_name='provideraccount',
            index=models.Index(fields=['provider', '-id'], name='account_provider'),
        ),
        migrations.AddIndex(
            model_name='runshare',
            index=models.Index(fields=['shared_by', '-id'], name='run_share_by'),
        ),
    ]
