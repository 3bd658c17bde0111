"""Files that callers send before the run that they are for."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('runs', '0007_accounts_at_providers'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Upload',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('upload_id', models.CharField(editable=False, max_length=40, unique=True)),
                ('session', models.CharField(blank=True, help_text='Of a caller whom we do not know.', max_length=160)),
                ('storage_key', models.CharField(max_length=300)),
                ('sha256', models.CharField(max_length=64)),
                ('kind', models.CharField(max_length=8)),
                ('content_type', models.CharField(max_length=80)),
                ('size_bytes', models.BigIntegerField()),
                ('width', models.IntegerField(blank=True, null=True)),
                ('height', models.IntegerField(blank=True, null=True)),
                ('duration_s', models.DecimalField(blank=True, decimal_places=3, max_digits=12, null=True)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('expires_at', models.DateTimeField()),
                ('used_at', models.DateTimeField(blank=True, null=True)),
                ('discarded_at', models.DateTimeField(blank=True, help_text='From then on its file may be gone.', null=True)),
                ('owner', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'db_table': 'uploads',
                'ordering': ['pk'],
                'indexes': [models.Index(fields=['owner', 'session', 'sha256'], name='upload_sender'), models.Index(condition=models.Q(('used_at', None)), fields=['expires_at'], name='upload_unused')],
                'constraints': [models.CheckConstraint(condition=models.Q(('kind__in', ['mp4', 'png', 'wav'])), name='upload_kind_known'), models.CheckConstraint(condition=models.Q(('used_at', None), ('discarded_at', None), _connector='OR'), name='upload_used_is_kept')],
            },
        ),
    ]
