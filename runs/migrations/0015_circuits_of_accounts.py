"""A refused key or an empty account is counted for the account, and a look can be given back."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('runs', '0014_looks_at_stake'),
    ]

    operations = [
        migrations.AddField(
            model_name='circuit',
            name='account',
            field=models.CharField(blank=True, db_default='', default='', help_text='The account that is refused; else empty.', max_length=120),
        ),
        migrations.AddField(
            model_name='circuit',
            name='probe',
            field=models.BigIntegerField(blank=True, help_text='The attempt that was let through to see.', null=True),
        ),
        migrations.RemoveConstraint(
            model_name='circuit',
            name='circuit_once',
        ),
        migrations.AddConstraint(
            model_name='circuit',
            constraint=models.UniqueConstraint(fields=('provider', 'model', 'account'), name='circuit_once'),
        ),
    ]
