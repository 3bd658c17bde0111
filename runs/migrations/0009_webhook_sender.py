"""Who is meant when a provider signs webhooks for all of its customers."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('runs', '0008_uploads'),
    ]

    operations = [
        migrations.AddField(
            model_name='provideraccount',
            name='webhook_sender',
            field=models.CharField(blank=True, help_text='What the provider calls the account in webhooks that it signs alike for everybody. No other is believed. Empty: the next one about a job of ours tells.', max_length=300),
        ),
    ]
