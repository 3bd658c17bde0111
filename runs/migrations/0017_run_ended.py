"""How many runs failed lately is read from an index that holds nothing else."""

from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('runs', '0016_index_once'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddIndex(
            model_name='run',
            index=models.Index(condition=models.Q(('status__in', ['done', 'failed'])), fields=['finished_at', 'status'], name='run_ended'),
        ),
    ]
