"""The drain's bells also find lost submissions whose provider can be asked what became of them."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('runs', '0010_direct_uploads'),
    ]

    operations = [
        migrations.AddIndex(
            model_name='attempt',
            index=models.Index(condition=models.Q(('status__in', ['canceling', 'planned', 'settling', 'submitting', 'unknown'])), fields=['due_at'], name='attempt_due'),
        ),
        migrations.RemoveIndex(
            model_name='attempt',
            name='attempt_bells_due',
        ),
    ]
