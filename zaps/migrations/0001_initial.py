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
            name="Zap",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("slug", models.CharField(max_length=64, unique=True)),
                (
                    "status",
                    models.CharField(
                        help_text="draft: the text differs from the newest published version.", max_length=12
                    ),
                ),
                (
                    "version",
                    models.IntegerField(default=0, help_text="The newest published version; 0 when there is none."),
                ),
                ("visibility", models.CharField(default="private", max_length=12)),
                ("source", models.TextField(help_text="Zap.md as it was sent.")),
                ("prompts", models.JSONField(blank=True, default=dict, help_text="Prompt files, by path.")),
                ("content_hash", models.CharField(help_text="SHA-256 of source and prompts.", max_length=64)),
                ("title", models.CharField(blank=True, max_length=200)),
                ("description", models.TextField(blank=True)),
                (
                    "tags",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=40), blank=True, default=list, size=None
                    ),
                ),
                ("estimate_usd", models.DecimalField(decimal_places=6, max_digits=12)),
                (
                    "summary",
                    models.JSONField(
                        blank=True, default=dict, help_text="Inputs, providers and cap, as lists show them."
                    ),
                ),
                ("search_text", models.TextField(blank=True, help_text="What a search looks at, in lower case.")),
                ("hero_asset_url", models.CharField(blank=True, max_length=300)),
                ("compiled_from_run_id", models.CharField(blank=True, max_length=40)),
                ("finalized_at", models.DateTimeField(blank=True, null=True)),
                ("finalized_by", models.CharField(blank=True, max_length=80)),
                ("created_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("updated_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                (
                    "author",
                    models.ForeignKey(
                        blank=True,
                        help_text="Empty: it came with the installation.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="zaps",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "db_table": "zaps",
                "ordering": ["slug"],
            },
        ),
        migrations.CreateModel(
            name="ZapVersion",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("version", models.IntegerField(help_text="1 for the first.")),
                ("source", models.TextField()),
                ("prompts", models.JSONField(blank=True, default=dict)),
                ("content_hash", models.CharField(max_length=64)),
                ("estimate_usd", models.DecimalField(decimal_places=6, max_digits=12)),
                ("created_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                (
                    "author",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "zap",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="versions", to="zaps.zap"
                    ),
                ),
            ],
            options={
                "db_table": "zap_versions",
                "ordering": ["-version"],
            },
        ),
        migrations.AddIndex(
            model_name="zap",
            index=models.Index(fields=["author", "slug"], name="zap_author"),
        ),
        migrations.AddIndex(
            model_name="zap",
            index=models.Index(fields=["author", "status"], name="zap_author_status"),
        ),
        migrations.AddIndex(
            model_name="zap",
            index=models.Index(fields=["status", "slug"], name="zap_status"),
        ),
        migrations.AddConstraint(
            model_name="zap",
            constraint=models.CheckConstraint(
                condition=models.Q(("status__in", ["draft", "published"])), name="zap_status_known"
            ),
        ),
        migrations.AddConstraint(
            model_name="zap",
            constraint=models.CheckConstraint(
                condition=models.Q(("visibility__in", ["private", "public", "unlisted"])), name="zap_visibility_known"
            ),
        ),
        migrations.AddConstraint(
            model_name="zap",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("status", "published"), _negated=True), ("version__gte", 1), _connector="OR"
                ),
                name="zap_published_has_version",
            ),
        ),
        migrations.AddConstraint(
            model_name="zapversion",
            constraint=models.UniqueConstraint(fields=("zap", "version"), name="zap_version_once"),
        ),
        migrations.AddConstraint(
            model_name="zapversion",
            constraint=models.CheckConstraint(condition=models.Q(("version__gte", 1)), name="zap_version_from_one"),
        ),
    ]
