"""A key that was rotated keeps its name and prefix; what it was before opens doors for a while."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0006_a_scope_for_keys"),
    ]

    operations = [
        migrations.AddField(
            model_name="apitoken",
            name="old_digest",
            field=models.CharField(
                blank=True,
                help_text="Of what it was before it was rotated.",
                max_length=64,
                null=True,
                unique=True,
            ),
        ),
        migrations.AddField(
            model_name="apitoken",
            name="old_until",
            field=models.DateTimeField(
                blank=True, help_text="Until then the old one opens doors too.", null=True
            ),
        ),
        migrations.AddField(
            model_name="apitoken",
            name="rotated_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddConstraint(
            model_name="apitoken",
            constraint=models.CheckConstraint(
                condition=models.Q(("old_digest", None), ("old_until", None))
                | models.Q(("old_digest__isnull", False), ("old_until__isnull", False)),
                name="api_token_old_one_ends",
            ),
        ),
    ]
