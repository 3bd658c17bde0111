"""Operators' lists of keys and people are served by indexes, however many rows there are."""

from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('auth', '0012_alter_user_first_name_max_length'),
        ('accounts', '0010_a_scope_for_flows'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        # Django's own table. LIKE 'a%' of an address; and what is rare among many people.
        migrations.RunSQL(
            '''
            CREATE INDEX IF NOT EXISTS auth_user_email_like ON auth_user (email varchar_pattern_ops);
            CREATE INDEX IF NOT EXISTS auth_user_staff ON auth_user (id DESC) WHERE is_staff;
            CREATE INDEX IF NOT EXISTS auth_user_superuser ON auth_user (id DESC) WHERE is_superuser;
            CREATE INDEX IF NOT EXISTS auth_user_inactive ON auth_user (id DESC) WHERE NOT is_active;
            ''',
            '''
            DROP INDEX IF EXISTS auth_user_email_like;
            DROP INDEX IF EXISTS auth_user_staff;
            DROP INDEX IF EXISTS auth_user_superuser;
            DROP INDEX IF EXISTS auth_user_inactive;
            ''',
        ),
        migrations.AddIndex(
            model_name='apitoken',
            index=models.Index(fields=['name'], name='api_token_name', opclasses=['varchar_pattern_ops']),
        ),
        migrations.AddIndex(
            model_name='idempotencykey',
            index=models.Index(condition=models.Q(('run_id', ''), _negated=True), fields=['run_id'], name='idempotency_key_run'),
        ),
        migrations.AddIndex(
            model_name='secretaccess',
            index=models.Index(condition=models.Q(('run_id', ''), _negated=True), fields=['run_id'], name='secret_access_run'),
        ),
        migrations.AddIndex(
            model_name='secretaccess',
            index=models.Index(fields=['source', '-id'], name='secret_access_source'),
        ),
    ]
