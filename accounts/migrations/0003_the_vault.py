import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0002_a_scope_for_secrets"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="OperatorKeyGrant",
            fields=[
                (
                    "user",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="operator_key_grant",
                        serialize=False,
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "granted_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False),
                ),
            ],
            options={
                "verbose_name": "leave to spend the operator's keys",
                "verbose_name_plural": "leaves to spend the operator's keys",
                "db_table": "operator_key_grants",
                "ordering": ["-granted_at"],
            },
        ),
        migrations.CreateModel(
            name="Secret",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("provider", models.CharField(max_length=40)),
                ("name", models.CharField(help_text="Such as fal_key; a provider may have several.", max_length=80)),
                (
                    "request_ref",
                    models.CharField(
                        blank=True,
                        help_text="The run that it was sent along with; empty where it is kept for all.",
                        max_length=40,
                    ),
                ),
                (
                    "account",
                    models.CharField(
                        help_text="Names the account at the provider; equal keys have the same.", max_length=48
                    ),
                ),
                ("ciphertext", models.TextField(editable=False)),
                (
                    "last_four",
                    models.CharField(
                        blank=True, help_text="Of a value that is long enough to spare them.", max_length=4
                    ),
                ),
                (
                    "fingerprint",
                    models.CharField(help_text="Equal values have the same; it tells nothing else.", max_length=32),
                ),
                ("set_by", models.CharField(help_text="Who set it, as the API names them.", max_length=160)),
                ("created_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                (
                    "updated_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), help_text="When it was last set."
                    ),
                ),
                (
                    "rotated_at",
                    models.DateTimeField(blank=True, help_text="When it was last encrypted again.", null=True),
                ),
            ],
            options={
                "db_table": "secrets",
                "ordering": ["provider", "request_ref", "pk"],
            },
        ),
        migrations.CreateModel(
            name="SecretAccess",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("provider", models.CharField(max_length=40)),
                ("source", models.CharField(help_text="request, creator or operator.", max_length=8)),
                ("account", models.CharField(max_length=48)),
                ("used_for", models.CharField(help_text="For whom, as the API names them.", max_length=160)),
                ("why", models.CharField(help_text="submit, poll, settle, cancel, webhook or test.", max_length=16)),
                ("run_id", models.CharField(blank=True, max_length=40)),
                ("step_id", models.CharField(blank=True, max_length=80)),
                ("attempt", models.IntegerField(blank=True, help_text="Its number within the step.", null=True)),
                ("at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
            ],
            options={
                "verbose_name": "secret access",
                "verbose_name_plural": "secret accesses",
                "db_table": "secret_access_log",
                "ordering": ["-pk"],
            },
        ),
        migrations.AddField(
            model_name="operatorkeygrant",
            name="granted_by",
            field=models.ForeignKey(
                blank=True,
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="secret",
            name="owner",
            field=models.ForeignKey(
                blank=True,
                help_text="Empty: the operator's.",
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="secrets",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="secretaccess",
            name="owner",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                help_text="Whose key; empty: the operator's, or somebody's who is gone.",
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddIndex(
            model_name="secret",
            index=models.Index(
                condition=models.Q(("request_ref", ""), _negated=True), fields=["request_ref"], name="secret_sent_along"
            ),
        ),
        migrations.AddIndex(
            model_name="secret",
            index=models.Index(fields=["provider", "fingerprint"], name="secret_account"),
        ),
        migrations.AddConstraint(
            model_name="secret",
            constraint=models.UniqueConstraint(
                fields=("owner", "provider", "name", "request_ref"), name="secret_once", nulls_distinct=False
            ),
        ),
        migrations.AddConstraint(
            model_name="secret",
            constraint=models.CheckConstraint(
                condition=models.Q(("request_ref", ""), ("owner__isnull", False), _connector="OR"),
                name="secret_sent_by_somebody",
            ),
        ),
        migrations.AddIndex(
            model_name="secretaccess",
            index=models.Index(fields=["owner", "-id"], name="secret_access_of_owner"),
        ),
        migrations.AddIndex(
            model_name="secretaccess",
            index=models.Index(fields=["at"], name="secret_access_age"),
        ),
    ]
