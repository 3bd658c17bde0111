import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="IdempotencyKey",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "principal",
                    models.CharField(
                        help_text="Whose key it is; the same key of two callers is two keys.", max_length=160
                    ),
                ),
                ("key", models.CharField(max_length=255)),
                ("request_hash", models.CharField(help_text="SHA-256 of method, path and body.", max_length=64)),
                ("lease_until", models.DateTimeField()),
                ("lease_token", models.UUIDField()),
                (
                    "response_status",
                    models.IntegerField(blank=True, help_text="Empty while the request is at work.", null=True),
                ),
                ("response_body", models.JSONField(blank=True, null=True)),
                ("run_id", models.CharField(blank=True, max_length=40)),
                ("created_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
            ],
            options={
                "db_table": "idempotency_keys",
                "ordering": ["-pk"],
                "indexes": [models.Index(fields=["created_at"], name="idempotency_key_age")],
                "constraints": [
                    models.UniqueConstraint(fields=("principal", "key"), name="idempotency_key_once"),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("response_status", None), ("response_body__isnull", False), _connector="OR"
                        ),
                        name="idempotency_key_answer_whole",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ApiToken",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(help_text="What its owner calls it.", max_length=80)),
                (
                    "prefix",
                    models.CharField(
                        help_text="The first characters, to tell tokens apart in lists and logs.",
                        max_length=16,
                        unique=True,
                    ),
                ),
                ("digest", models.CharField(help_text="SHA-256 of the whole token.", max_length=64, unique=True)),
                (
                    "scopes",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=16), help_text="read, run, live, publish.", size=None
                    ),
                ),
                ("created_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("expires_at", models.DateTimeField(blank=True, null=True)),
                ("last_used_at", models.DateTimeField(blank=True, help_text="To the minute.", null=True)),
                ("revoked_at", models.DateTimeField(blank=True, null=True)),
                (
                    "owner",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="api_tokens",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "API token",
                "db_table": "api_tokens",
                "ordering": ["-pk"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("scopes__contained_by", ["live", "publish", "read", "run"])),
                        name="api_token_scopes_known",
                    )
                ],
            },
        ),
    ]
