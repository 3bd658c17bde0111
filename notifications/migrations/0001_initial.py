import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('auth', '0012_alter_user_first_name_max_length'),
        ('runs', '0021_what_runs_were_given'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Endpoint',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('hook_id', models.CharField(editable=False, max_length=40, unique=True)),
                ('url', models.CharField(max_length=2000)),
                ('description', models.CharField(blank=True, help_text='What its owner calls it.', max_length=200)),
                ('events', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=20), help_text='Such as run.done.', size=None)),
                ('secret', models.TextField(editable=False, help_text='Encrypted.')),
                ('old_secret', models.TextField(blank=True, editable=False, help_text='What it was before it was rotated.')),
                ('old_until', models.DateTimeField(blank=True, help_text='Until then the old one signs too.', null=True)),
                ('is_on', models.BooleanField(default=True)),
                ('off_reason', models.CharField(blank=True, help_text='owner, operator, gone or failing; empty while it is on.', max_length=10)),
                ('failures', models.IntegerField(default=0, help_text='In a row.')),
                ('failing_since', models.DateTimeField(blank=True, null=True)),
                ('rest_until', models.DateTimeField(blank=True, help_text='Until then it is left alone.', null=True)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('rotated_at', models.DateTimeField(blank=True, null=True)),
                ('owner', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='webhook_endpoints', to=settings.AUTH_USER_MODEL)),
                ('run', models.ForeignKey(blank=True, db_index=False, help_text="The one run that it is told of; empty: all of its owner's.", null=True, on_delete=django.db.models.deletion.CASCADE, related_name='webhook_endpoints', to='runs.run')),
            ],
            options={
                'verbose_name': 'webhook endpoint',
                'db_table': 'webhook_endpoints',
                'ordering': ['-pk'],
            },
        ),
        migrations.CreateModel(
            name='Delivery',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('event_id', models.CharField(db_index=True, editable=False, help_text='The same in every try, and for all receivers.', max_length=60)),
                ('type', models.CharField(max_length=20)),
                ('data', models.JSONField(help_text='What is said of the run, as it was then.')),
                ('happened_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('status', models.CharField(default='waiting', max_length=10)),
                ('due_at', models.DateTimeField(blank=True, db_default=django.db.models.functions.datetime.Now(), null=True)),
                ('rung_at', models.DateTimeField(blank=True, null=True)),
                ('lease_until', models.DateTimeField(blank=True, null=True)),
                ('lease_token', models.UUIDField(blank=True, null=True)),
                ('tries', models.IntegerField(default=0)),
                ('log', models.JSONField(default=list, help_text='Of each try: when, status, milliseconds, code.')),
                ('ended_at', models.DateTimeField(blank=True, null=True)),
                ('owner', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='deliveries', to=settings.AUTH_USER_MODEL)),
                ('run', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='deliveries', to='runs.run')),
                ('endpoint', models.ForeignKey(blank=True, db_index=False, help_text='Empty: a mail.', null=True, on_delete=django.db.models.deletion.CASCADE, related_name='deliveries', to='notifications.endpoint')),
            ],
            options={
                'verbose_name_plural': 'deliveries',
                'db_table': 'deliveries',
                'ordering': ['-pk'],
            },
        ),
        migrations.CreateModel(
            name='MailWish',
            fields=[
                ('owner', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='mail_wish', serialize=False, to=settings.AUTH_USER_MODEL)),
                ('events', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=20), help_text='Such as run.waiting; empty: of nothing.', size=None)),
                ('updated_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
            ],
            options={
                'verbose_name_plural': 'mail wishes',
                'db_table': 'mail_wishes',
                'ordering': ['-updated_at'],
                'constraints': [models.CheckConstraint(condition=models.Q(('events__contained_by', ['run.done', 'run.failed', 'run.waiting'])), name='mail_wish_events_known')],
            },
        ),
        migrations.AddIndex(
            model_name='endpoint',
            index=models.Index(condition=models.Q(('run', None)), fields=['owner', '-id'], name='webhook_endpoint_owner'),
        ),
        migrations.AddIndex(
            model_name='endpoint',
            index=models.Index(condition=models.Q(('run__isnull', False)), fields=['run'], name='webhook_endpoint_run'),
        ),
        migrations.AddConstraint(
            model_name='endpoint',
            constraint=models.CheckConstraint(condition=models.Q(('events__contained_by', ['run.canceled', 'run.done', 'run.failed', 'run.started', 'run.waiting'])), name='webhook_endpoint_events_known'),
        ),
        migrations.AddConstraint(
            model_name='endpoint',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('is_on', True), ('off_reason', '')), models.Q(('is_on', False), models.Q(('off_reason', ''), _negated=True)), _connector='OR'), name='webhook_endpoint_off_says_why'),
        ),
        migrations.AddConstraint(
            model_name='endpoint',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('old_secret', ''), ('old_until', None)), models.Q(('old_until__isnull', False), models.Q(('old_secret', ''), _negated=True)), _connector='OR'), name='webhook_endpoint_old_secret_ends'),
        ),
        migrations.AddIndex(
            model_name='delivery',
            index=models.Index(condition=models.Q(('status', 'waiting')), fields=['due_at'], name='delivery_due'),
        ),
        migrations.AddIndex(
            model_name='delivery',
            index=models.Index(condition=models.Q(('status', 'waiting')), fields=['endpoint', 'run', 'id'], name='delivery_order'),
        ),
        migrations.AddIndex(
            model_name='delivery',
            index=models.Index(condition=models.Q(('status', 'waiting')), fields=['owner', 'rung_at'], name='delivery_out'),
        ),
        migrations.AddIndex(
            model_name='delivery',
            index=models.Index(fields=['endpoint', '-id'], name='delivery_of_endpoint'),
        ),
        migrations.AddIndex(
            model_name='delivery',
            index=models.Index(fields=['status', '-id'], name='delivery_status'),
        ),
        migrations.AddIndex(
            model_name='delivery',
            index=models.Index(fields=['ended_at'], name='delivery_age'),
        ),
        migrations.AddConstraint(
            model_name='delivery',
            constraint=models.CheckConstraint(condition=models.Q(('status__in', ['delivered', 'failed', 'waiting'])), name='delivery_status_known'),
        ),
        migrations.AddConstraint(
            model_name='delivery',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('due_at__isnull', False), ('ended_at', None), ('status', 'waiting')), models.Q(models.Q(('status', 'waiting'), _negated=True), ('due_at', None), ('ended_at__isnull', False)), _connector='OR'), name='delivery_open_is_due'),
        ),
        migrations.AddConstraint(
            model_name='delivery',
            constraint=models.UniqueConstraint(condition=models.Q(('endpoint__isnull', False)), fields=('endpoint', 'event_id'), name='delivery_once'),
        ),
        migrations.AddConstraint(
            model_name='delivery',
            constraint=models.UniqueConstraint(condition=models.Q(('endpoint', None)), fields=('owner', 'event_id'), name='mail_once'),
        ),
    ]
