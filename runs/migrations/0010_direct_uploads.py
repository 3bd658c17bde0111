"""Files that callers send to the bucket themselves."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('runs', '0009_webhook_sender'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='DirectUpload',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('direct_id', models.CharField(editable=False, max_length=40, unique=True)),
                ('session', models.CharField(blank=True, help_text='Of a caller whom we do not know.', max_length=160)),
                ('size_bytes', models.BigIntegerField(help_text='As it was announced; the bucket takes no other.')),
                ('lease_until', models.DateTimeField(blank=True, help_text='Until then somebody looks at it.', null=True)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('expires_at', models.DateTimeField()),
                ('ended_at', models.DateTimeField(blank=True, null=True)),
                ('owner', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, to=settings.AUTH_USER_MODEL)),
                ('upload', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, to='runs.upload')),
            ],
            options={
                'db_table': 'direct_uploads',
                'ordering': ['pk'],
                'indexes': [models.Index(condition=models.Q(('ended_at', None)), fields=['owner'], name='direct_upload_waiting'), models.Index(fields=['expires_at'], name='direct_upload_expiry')],
            },
        ),
    ]
