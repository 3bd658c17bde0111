"""What a constraint has an index for already gets no second one: every change of a row pays for each."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('runs', '0015_circuits_of_accounts'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AlterField(
            model_name='asset',
            name='asset_id',
            field=models.CharField(editable=False, max_length=40),
        ),
        migrations.AlterField(
            model_name='asset',
            name='attempt',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='assets', to='runs.attempt'),
        ),
        migrations.AlterField(
            model_name='asset',
            name='run',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='assets', to='runs.run'),
        ),
        migrations.AlterField(
            model_name='asset',
            name='storage_key',
            field=models.CharField(help_text='A result that was taken over shares its file with the original.', max_length=300),
        ),
        migrations.AlterField(
            model_name='attempt',
            name='idem_key',
            field=models.CharField(max_length=220),
        ),
        migrations.AlterField(
            model_name='attempt',
            name='step',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='attempts', to='runs.step'),
        ),
        migrations.AlterField(
            model_name='run',
            name='owner',
            field=models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='runs', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AlterField(
            model_name='runevent',
            name='run',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='events', to='runs.run'),
        ),
        migrations.AlterField(
            model_name='step',
            name='run',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='steps', to='runs.run'),
        ),
        migrations.AddConstraint(
            model_name='asset',
            constraint=models.UniqueConstraint(fields=('asset_id',), name='asset_id_once'),
        ),
        migrations.AddConstraint(
            model_name='attempt',
            constraint=models.UniqueConstraint(fields=('idem_key',), name='attempt_key_once'),
        ),
    ]
