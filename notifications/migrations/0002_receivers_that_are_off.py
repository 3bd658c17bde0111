"""The list of receivers that are off is served by an index, however many rows there are."""

from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('notifications', '0001_initial'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddIndex(
            model_name='endpoint',
            index=models.Index(condition=models.Q(('is_on', False)), fields=['off_reason', '-id'], name='webhook_endpoint_off'),
        ),
    ]
