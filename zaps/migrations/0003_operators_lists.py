"""Operators' lists of recipes are served by indexes, however many rows there are."""

from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('zaps', '0002_versions_never_change'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddIndex(
            model_name='zap',
            index=models.Index(fields=['visibility', '-id'], name='zap_visibility'),
        ),
        migrations.AddIndex(
            model_name='zapversion',
            index=models.Index(fields=['content_hash'], name='zap_version_text'),
        ),
    ]
