"""What a judge's look may cost is on record while it is out."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('runs', '0013_step_kept_round'),
    ]

    operations = [
        migrations.AddField(
            model_name='attempt',
            name='at_stake_usd',
            field=models.DecimalField(db_default=0, decimal_places=6, default=0, help_text="What a judge's look that is out may cost: booked if its answer is lost.", max_digits=12),
        ),
    ]
